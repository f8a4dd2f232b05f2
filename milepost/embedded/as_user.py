"""``python as_user.py USER COMMAND…``: become USER, keep following our parent into its end, become COMMAND.

With ``--through`` before USER the process may pass directories that are closed to USER: PostgreSQL refuses to run as
root, and a service user cannot enter a home directory of mode 700, where Milepost or its data may lie. Opening that
directory to everybody would be worse than letting one process through. Linux only.
"""

import ctypes
import os
import pwd
import sys
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_GET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT = 1, 2, 28, 47
# Without it a change of user takes all capabilities, and so does access(2), by which initdb looks for its neighbours.
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def main(user: str, command: list[str], *, through: bool = False) -> None:
    """Does not return. Raises OSError when the kernel does not allow it."""
    libc = ctypes.CDLL(None, use_errno=True)
    entry = pwd.getpwnam(user)
    orphan_signal = ctypes.c_int(0)
    _check(libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(orphan_signal), 0, 0, 0))
    if through:
        _check(libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    if through:
        _keep(libc, _CAP_DAC_OVERRIDE)
    # A change of user makes the kernel forget by which signal we are to follow our parent.
    _check(libc.prctl(_PR_SET_PDEATHSIG, orphan_signal.value, 0, 0, 0))
    os.execv(command[0], command)  # noqa: S606  # that is what this is for


def prefix(user: str, *, through: bool) -> list[str]:
    """What to put before a command so that it runs as `user`."""
    return [sys.executable, "-S", __file__, *(["--through"] if through else []), user]


def closed_directory(path: Path, user: str) -> Path | None:
    """The directory at or above `path` that `user` cannot enter, if there is one."""
    entry = pwd.getpwnam(user)
    for directory in (path.resolve(), *path.resolve().parents):
        info = directory.stat()
        shift = 6 if info.st_uid == entry.pw_uid else 3 if info.st_gid == entry.pw_gid else 0
        if not info.st_mode >> shift & 1:
            return directory
    return None


def _keep(libc: ctypes.CDLL, capability: int) -> None:
    """Leave this one capability to us and to what we become."""
    bit = 1 << capability
    header = _Header(_CAPABILITY_VERSION_3, 0)
    data = (_Data * 2)(_Data(bit, bit, bit), _Data(0, 0, 0))
    _check(libc.capset(ctypes.byref(header), data))
    _check(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _run(arguments: list[str]) -> None:
    through = arguments[0] == "--through"
    user, *command = arguments[int(through) :]
    main(user, command, through=through)


if __name__ == "__main__":
    _run(sys.argv[1:])
