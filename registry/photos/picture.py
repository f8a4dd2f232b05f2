"""Writes a picture anew as a JPEG, in a process that `photo_process` bounds. Needs Pillow."""

import io
import warnings
from typing import Final

from PIL import Image, ImageOps

from registry.photos.rules import (
    MAX_KEPT,
    MAX_PIXELS,
    MAX_SIDE,
    Photo,
    PhotoRefusal,
    PhotoRefusedError,
    PictureKind,
    kind_of,
    require_size,
    tries,
)

_WHITE: Final = (255, 255, 255)
_HAS_ALPHA: Final = ("RGBA", "LA", "PA")


def write_anew(content: bytes) -> Photo:
    """The picture in `content` as a JPEG of at most MAX_KEPT bytes: only its pixels, turned as the camera says.

    Raises PhotoRefusedError.
    """
    kind = kind_of(content)
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(content), formats=[kind.value]) as opened:
            require_size(*opened.size)
            pixels = _pixels(opened, kind)
    except Image.DecompressionBombError as exc:
        raise PhotoRefusedError(PhotoRefusal.TOO_MANY_PIXELS) from exc
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError) as exc:
        if isinstance(exc, PhotoRefusedError):
            raise
        # Pillow raises all of these for damaged files.
        raise PhotoRefusedError(PhotoRefusal.BROKEN) from exc
    return _smallest(pixels)


def _pixels(opened: Image.Image, kind: PictureKind) -> Image.Image:
    """The picture as RGB without anything else, not much larger than it will be kept."""
    if kind is PictureKind.JPEG:
        # The decoder leaves out detail that would be thrown away.
        opened.draft("RGB", (MAX_SIDE, MAX_SIDE))
    opened.thumbnail((MAX_SIDE, MAX_SIDE))
    plain = _without_alpha(ImageOps.exif_transpose(opened))
    # A new picture takes over pixels only, and no field of the file.
    bare = Image.new("RGB", plain.size, _WHITE)
    bare.paste(plain)
    return bare


def _without_alpha(picture: Image.Image) -> Image.Image:
    """On white, as a page would show it."""
    if picture.mode not in _HAS_ALPHA and "transparency" not in picture.info:
        return picture.convert("RGB")
    seen = picture.convert("RGBA")
    ground = Image.new("RGBA", seen.size, (*_WHITE, 255))
    return Image.alpha_composite(ground, seen).convert("RGB")


def _smallest(picture: Image.Image) -> Photo:
    for size, quality in tries(*picture.size):
        fit = picture if size == picture.size else picture.resize(size)
        out = io.BytesIO()
        fit.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= MAX_KEPT:
            return Photo(jpeg=out.getvalue(), width=fit.width, height=fit.height)
    raise PhotoRefusedError(PhotoRefusal.TOO_COSTLY)
