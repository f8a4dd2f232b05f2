"""Pictures as phones send them, and such as are made to harm."""

import io
import struct
import zlib

from PIL import Image

PLACE = 0x8825
"""EXIF: the fields of the place."""
CAMERA = "ACME-77"
COMMENT = b"a secret of the camera"


def encoded(picture: Image.Image, kind: str = "JPEG", **more: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def flag(width: int = 40, height: int = 20, mode: str = "RGB") -> Image.Image:
    """Red on its left half, blue on its right half."""
    picture = Image.new(mode, (width, height), "blue")
    picture.paste("red", (0, 0, width // 2, height))
    return picture


def of_a_phone(turned: int = 1, **more: int) -> bytes:
    """A JPEG that says where, when and with what it was taken, and how it must be turned."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0132] = turned, CAMERA, "2026:11:27 15:41:00"
    exif[PLACE] = {1: "N", 2: (36.0, 1.0, 30.0), 3: "E", 4: (101.0, 2.0, 3.0)}
    return encoded(flag(**more), exif=exif, comment=COMMENT)


def png_that_claims(width: int, height: int) -> bytes:
    """A small PNG whose header names this many pixels."""
    plain = encoded(Image.new("L", (1, 1)), "PNG")
    chunk = b"IHDR" + struct.pack(">II", width, height) + plain[24:29]
    return plain[:12] + chunk + struct.pack(">I", zlib.crc32(chunk)) + plain[33:]
