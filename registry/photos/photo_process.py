"""Re-encodes a photo in a separate process (`registry/child_process.py`), because the decoders are native code."""

from typing import Final

import msgspec

from registry.child_process import ChildBounds, ChildFailedError, answer_parent, run_apart
from registry.photos.rules import MAX_KEPT, Photo, PhotoRefusal, PhotoRefusedError, kind_of

MAX_MEMORY: Final = 1024 * 1024 * 1024
MAX_SECONDS: Final = 20
"""Seconds of processor time; the limit of elapsed time is three times as long."""
_MAX_ANSWER: Final = MAX_KEPT + 64 * 1024


class _Written(msgspec.Struct, frozen=True):
    photo: Photo | None = None
    refusal: PhotoRefusal | None = None


def write_apart(content: bytes, *, memory: int = MAX_MEMORY) -> Photo:
    """As `picture.write_anew`, in a separate process with `memory` bytes. Takes some tenths of a second, and blocks.

    Raises PhotoRefusedError.
    """
    kind_of(content)
    bounds = ChildBounds(memory=memory, seconds=MAX_SECONDS, elapsed=3 * MAX_SECONDS, output=_MAX_ANSWER)
    try:
        answer = run_apart(__name__, content, bounds, _Written)
    except ChildFailedError:
        raise PhotoRefusedError(PhotoRefusal.TOO_COSTLY) from None
    if answer.photo is None:
        raise PhotoRefusedError(answer.refusal or PhotoRefusal.BROKEN)
    return answer.photo


def _write(content: bytes) -> _Written:
    from registry.photos.picture import write_anew

    try:
        return _Written(photo=write_anew(content))
    except PhotoRefusedError as exc:
        return _Written(refusal=exc.refusal)


if __name__ == "__main__":
    answer_parent(_write)
