"""Writes a photo anew in a separate process, so that a malicious or damaged picture cannot harm this one.

The decoders are native code. The process has limits of memory and processor time, and no secrets.
"""

import subprocess
import sys
from typing import Final

import msgspec

from contract.environ import bare_environ
from registry.photos.rules import Photo, PhotoRefusal, PhotoRefusedError, kind_of

MAX_MEMORY: Final = 1024 * 1024 * 1024
MAX_SECONDS: Final = 20
"""Seconds of processor time; the limit of elapsed time is three times as long."""


class _Written(msgspec.Struct, frozen=True):
    photo: Photo | None = None
    refusal: PhotoRefusal | None = None


def write_apart(content: bytes, *, memory: int = MAX_MEMORY) -> Photo:
    """As `picture.write_anew`, in a separate process with `memory` bytes. Takes some tenths of a second, and blocks.

    Raises PhotoRefusedError.
    """
    kind_of(content)
    command = [sys.executable, "-P", "-m", __name__, str(memory)]
    try:
        done = subprocess.run(
            command, input=content, env=bare_environ(), capture_output=True, timeout=3 * MAX_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise PhotoRefusedError(PhotoRefusal.TOO_COSTLY) from None
    if done.returncode != 0:
        raise PhotoRefusedError(PhotoRefusal.TOO_COSTLY)
    answer = msgspec.msgpack.decode(done.stdout, type=_Written)
    if answer.photo is None:
        raise PhotoRefusedError(answer.refusal or PhotoRefusal.BROKEN)
    return answer.photo


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    for kind, wanted in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, MAX_SECONDS), (resource.RLIMIT_CORE, 0)):
        _, most = resource.getrlimit(kind)
        resource.setrlimit(kind, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


def _main() -> None:
    _limit(int(sys.argv[1]))
    from registry.photos.picture import write_anew

    try:
        answer = _Written(photo=write_anew(sys.stdin.buffer.read()))
    except PhotoRefusedError as exc:
        answer = _Written(refusal=exc.refusal)
    except MemoryError:
        sys.exit(1)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


if __name__ == "__main__":
    _main()
