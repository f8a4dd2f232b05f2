"""``python as_user.py [--read PATH]… [--write PATH]… USER COMMAND…``: become USER, keep the signal at the end of our
parent, become COMMAND.

PostgreSQL refuses to run as root, and a service user cannot enter a home directory of mode 700, where Milepost or its
data may lie. Instead of opening that directory to all users, one process is let through: with ``--read`` or ``--write``
it gets the capability to pass every directory, and Landlock confines it to these paths and to the system's programs.
Linux only.
"""

import ctypes
import os
import pwd
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_GET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 1, 2, 28, 38, 47
# Without it a change of user drops all capabilities, and access(2), with which initdb finds its programs, ignores them.
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT_RAISE = 2
# To pass directories. It would also allow to read every file, which Landlock forbids; it allows no writing.
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_SOCK, _MAKE_BLOCK, _TRUNCATE, _IOCTL_DEV = 1 << 6, 1 << 9, 1 << 11, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_READ = _EXECUTE | _READ_FILE | _READ_DIR
# {version of the kernel's interface: number of rights that it knows}; unknown rights must not be requested.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_ALL_BUT = ~(_EXECUTE | _MAKE_CHAR | _MAKE_SOCK | _MAKE_BLOCK | _IOCTL_DEV)

# Files that every program reads; of /etc only single files, because it also has /etc/shadow.
_SYSTEM = (
    *("/usr", "/lib", "/lib64", "/bin", "/sbin", "/nix/store", "/sys/devices/system/cpu"),
    *("/etc/ld.so.cache", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts", "/etc/localtime"),
    # Debian's mosquitto reads these two for each client, and refuses clients when it cannot.
    *("/etc/hosts.allow", "/etc/hosts.deny"),
    *("/etc/ssl/openssl.cnf", "/dev/zero", "/dev/random", "/dev/urandom"),
)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


class _LandlockRule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("beneath", ctypes.c_int32))


def main(user: str, command: list[str], *, read: Sequence[str] = (), write: Sequence[str] = ()) -> None:
    """Become `user`, then `command`: does not return. Raises OSError when the kernel does not allow it."""
    libc = ctypes.CDLL(None, use_errno=True)
    entry = pwd.getpwnam(user)
    orphan_signal = ctypes.c_int(0)
    _check(libc.prctl(_PR_GET_PDEATHSIG, ctypes.byref(orphan_signal), 0, 0, 0))
    through = bool(read or write)
    if through:
        ruleset = _open_ruleset(read, write)
        _check(libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    if through:
        _keep(libc, _CAP_DAC_READ_SEARCH)
        _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _check(_call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)))
    # The kernel resets the signal at the end of our parent when the user changes.
    _check(libc.prctl(_PR_SET_PDEATHSIG, orphan_signal.value, 0, 0, 0))
    os.execv(command[0], command)  # noqa: S606  # that is what this is for


def prefix(user: str, *, read: Iterable[Path] = (), write: Iterable[Path] = ()) -> list[str]:
    """The words before a command that make it run as `user`; with paths, also behind closed directories, confined to
    these paths."""
    options = [part for path in read for part in ("--read", str(path))]
    options += [part for path in write for part in ("--write", str(path))]
    return [sys.executable, "-S", __file__, *options, user]


def closed_directory(path: Path, user: str) -> Path | None:
    """The directory at or above `path` that `user` cannot enter, if there is one."""
    entry = pwd.getpwnam(user)
    for directory in (path.resolve(), *path.resolve().parents):
        info = directory.stat()
        shift = 6 if info.st_uid == entry.pw_uid else 3 if info.st_gid == entry.pw_gid else 0
        if not info.st_mode >> shift & 1:
            return directory
    return None


def can_confine() -> bool:
    """Whether this kernel has Landlock, without which no process gets through closed directories."""
    return sys.platform.startswith("linux") and _landlock_version() > 0


def why_not(user: str, program: str, closed: Path, setting: str) -> tuple[str, str]:
    """The error, in English and in Chinese, where Landlock is missing, with the remedy."""
    return (
        f"{user}, as whom {program} runs, cannot enter {closed}, and this kernel has no Landlock, with which {program} "
        f"alone could be let in: `chmod o+x {closed}`, use another place, do not run as root, or set {setting}",
        f"运行 {program} 的用户 {user} 无法进入 {closed}，且此内核没有可单独放行它的 Landlock："
        f"请运行 `chmod o+x {closed}`、换一个位置、不以 root 运行，或设置 {setting}",
    )


def _landlock_version() -> int:
    """The version of Landlock; 0 or less: the kernel has none."""
    return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))


def _open_ruleset(read: Sequence[str], write: Sequence[str]) -> int:
    """The file descriptor of Landlock's rules: read `read` and the system, write `write`, nothing else."""
    version = _landlock_version()
    _check(min(version, 0))
    handled = (1 << _RIGHTS.get(version, _RIGHTS[5])) - 1
    asked = ctypes.c_uint64(handled)
    ruleset = _call(_CREATE_RULESET, ctypes.byref(asked), ctypes.c_size_t(8), ctypes.c_uint32(0))
    _check(min(ruleset, 0))
    for path in (*_SYSTEM, *read):
        _allow(ruleset, path, handled & _READ)
    for path in write:
        _allow(ruleset, path, handled & _ALL_BUT)
    _allow(ruleset, os.devnull, handled & (_READ_FILE | _WRITE_FILE))
    return ruleset


def _allow(ruleset: int, path: str, rights: int) -> None:
    """Allow `rights` on a path, if it exists."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        allowed = rights if stat.S_ISDIR(os.fstat(place).st_mode) else rights & _OF_FILES
        rule = _LandlockRule(allowed, place)
        _check(_call(_ADD_RULE, ctypes.c_int(ruleset), _PATH_BENEATH, ctypes.byref(rule), ctypes.c_uint32(0)))
    finally:
        os.close(place)


def _call(number: int, *arguments: object) -> int:
    """A system call for which libc has no function; negative when it failed, with the cause in errno."""
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    syscall.restype = ctypes.c_long
    return int(syscall(ctypes.c_long(number), *arguments))


def _keep(libc: ctypes.CDLL, capability: int) -> None:
    """Keep only this capability, also for the command that we become."""
    bit = 1 << capability
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    data = (_CapabilityData * 2)(_CapabilityData(bit, bit, bit), _CapabilityData(0, 0, 0))
    _check(libc.capset(ctypes.byref(header), data))
    _check(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _run(arguments: list[str]) -> None:
    paths: dict[str, list[str]] = {"--read": [], "--write": []}
    while arguments[0] in paths:
        option, path, *arguments = arguments
        paths[option].append(path)
    user, *command = arguments
    main(user, command, read=paths["--read"], write=paths["--write"])


if __name__ == "__main__":
    _run(sys.argv[1:])
