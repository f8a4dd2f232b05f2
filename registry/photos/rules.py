"""Which files become photos, and how they are written anew. Pure."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from contract.said import SaidError

MAX_UPLOAD: Final = 20_000_000
"""Bytes of a file that is sent."""
MAX_PIXELS: Final = 64_000_000
"""Pixels of a picture that is read; a small file can have far more."""
MAX_SIDE: Final = 2048
"""Pixels of the longer side of a photo that is kept."""
MAX_KEPT: Final = 1_000_000
"""Bytes of a photo that is kept."""
MOST_PHOTOS: Final = 20
"""Maximum number of photos of an incident, a closure or a finding."""

_TRIES: Final = ((MAX_SIDE, 85), (MAX_SIDE, 70), (1600, 70), (1280, 60), (1024, 40), (512, 40))


class PictureKind(StrEnum):
    """The kinds of files that are read; the values are Pillow's names."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"


class PhotoRefusal(StrEnum):
    """Why a file does not become a photo."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    HEIC = "heic"
    UNKNOWN_KIND = "unknown_kind"
    TOO_MANY_PIXELS = "too_many_pixels"
    BROKEN = "broken"
    TOO_COSTLY = "too_costly"
    TOO_MANY_PHOTOS = "too_many_photos"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


_SENTENCES: Final = {
    PhotoRefusal.EMPTY: ("no photo was sent: choose a photo and send it again", "没有收到照片：请选择照片后重新发送"),
    PhotoRefusal.TOO_LARGE: (
        f"the photo has more than {MAX_UPLOAD // 1_000_000} MB: send a smaller one",
        f"照片超过 {MAX_UPLOAD // 1_000_000} MB：请发送更小的照片",
    ),
    PhotoRefusal.HEIC: (
        "the photo is a HEIC file, which is not read: set the camera to JPEG (“most compatible”) or send a screenshot "
        "of the photo",
        "照片是 HEIC 格式，无法读取：请把相机格式设为 JPEG（“兼容性最佳”），或发送照片的截图",
    ),
    PhotoRefusal.UNKNOWN_KIND: (
        "the file is not a JPEG, PNG or WebP picture: send a photo",
        "文件不是 JPEG、PNG 或 WebP 图片：请发送照片",
    ),
    PhotoRefusal.TOO_MANY_PIXELS: (
        f"the picture has more than {MAX_PIXELS // 1_000_000} million pixels: send a smaller one",
        f"图片超过 {MAX_PIXELS // 10_000} 万像素：请发送更小的图片",
    ),
    PhotoRefusal.BROKEN: (
        "the picture is damaged or did not arrive completely: send it again, or take another photo",
        "图片已损坏或没有完整收到：请重新发送，或重新拍摄",
    ),
    PhotoRefusal.TOO_COSTLY: (
        "the picture takes more time or memory than a photo may: take another photo",
        "读取图片所需的时间或内存超过限制：请重新拍摄",
    ),
    PhotoRefusal.TOO_MANY_PHOTOS: (
        f"there are {MOST_PHOTOS} photos already, which is the most: no more can be added",
        f"已有 {MOST_PHOTOS} 张照片，达到上限：不能再添加",
    ),
    PhotoRefusal.WITHDRAWN: (
        "the closure was withdrawn: declare it again, then add the photo",
        "报备已撤回：请重新申报，再添加照片",
    ),
    PhotoRefusal.CLOSED: (
        "the finding is closed: make another finding, then add the photo",
        "审计意见已办结：请另行提出，再添加照片",
    ),
}


class PhotoRefusedError(SaidError):
    """A file does not become a photo; `refusal` says why."""

    def __init__(self, refusal: PhotoRefusal) -> None:
        super().__init__(*_SENTENCES[refusal])
        self.refusal = refusal


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    """A photo as it is kept: a JPEG without any field about the camera, the place or the time."""

    jpeg: bytes
    #: Pixels.
    width: int
    height: int


def kind_of(content: bytes) -> PictureKind:
    """The kind of a file by its first bytes, whatever its name says. Raises PhotoRefusedError."""
    if not content:
        raise PhotoRefusedError(PhotoRefusal.EMPTY)
    if len(content) > MAX_UPLOAD:
        raise PhotoRefusedError(PhotoRefusal.TOO_LARGE)
    if content.startswith(b"\xff\xd8\xff"):
        return PictureKind.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PictureKind.PNG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return PictureKind.WEBP
    is_heic = content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"heif")
    raise PhotoRefusedError(PhotoRefusal.HEIC if is_heic else PhotoRefusal.UNKNOWN_KIND)


def require_size(width: int, height: int) -> None:
    """Raise PhotoRefusedError for a picture without pixels or with too many."""
    if width < 1 or height < 1:
        raise PhotoRefusedError(PhotoRefusal.BROKEN)
    if width * height > MAX_PIXELS:
        raise PhotoRefusedError(PhotoRefusal.TOO_MANY_PIXELS)


def tries(width: int, height: int) -> Iterator[tuple[tuple[int, int], int]]:
    """(width and height, JPEG quality) to write a picture with, the best first, until it has at most MAX_KEPT bytes."""
    for side, quality in _TRIES:
        yield fitted(width, height, side), quality


def fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """Width and height within `side`, in the same proportion; never larger than before."""
    longer = max(width, height)
    if longer <= side:
        return width, height
    return max(1, round(width * side / longer)), max(1, round(height * side / longer))
