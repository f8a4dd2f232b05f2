"""A picture is written anew: its pixels, and nothing else of the file."""

import io
import random
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from registry.photos.photo_process import write_apart
from registry.photos.picture import write_anew
from registry.photos.rules import MAX_KEPT, MAX_SIDE, Photo, PhotoRefusal, PhotoRefusedError
from tests.pictures import CAMERA, COMMENT, encoded, flag, of_a_phone, png_that_claims

RED, BLUE, WHITE = (254, 0, 0), (0, 0, 254), (255, 255, 255)


def opened(photo: Photo) -> Image.Image:
    return Image.open(io.BytesIO(photo.jpeg))


def near(one: Any, other: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 40 for a, b in zip(one, other, strict=True))


def test_nothing_of_the_camera_the_place_and_the_time_is_kept() -> None:
    sent = of_a_phone()
    assert CAMERA.encode() in sent
    assert COMMENT in sent
    photo = write_anew(sent)
    assert (CAMERA.encode() in photo.jpeg, COMMENT in photo.jpeg, b"Exif" in photo.jpeg) == (False, False, False)
    assert dict(opened(photo).getexif()) == {}
    assert set(opened(photo).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_hidden_tail_of_the_file_is_not_kept() -> None:
    assert b"PK\x03\x04 hidden" not in write_anew(of_a_phone() + b"PK\x03\x04 hidden").jpeg


@pytest.mark.parametrize(
    ("turned", "size", "first"),
    [(1, (40, 20), RED), (3, (40, 20), BLUE), (6, (20, 40), RED), (8, (20, 40), BLUE)],
)
def test_it_is_turned_as_the_camera_says(turned: int, size: tuple[int, int], first: tuple[int, int, int]) -> None:
    """Red was on the left: turned to the right it is at the top."""
    photo = write_anew(of_a_phone(turned))
    assert (photo.width, photo.height) == size == opened(photo).size
    assert near(opened(photo).getpixel((3, 3)), first)


@pytest.mark.parametrize(
    ("content", "corner"),
    [
        pytest.param(encoded(flag(), "PNG"), RED, id="PNG"),
        pytest.param(encoded(flag(), "WEBP"), RED, id="WebP"),
        pytest.param(encoded(flag().convert("CMYK")), RED, id="a JPEG in the colours of printers"),
        pytest.param(encoded(flag().convert("P"), "PNG"), RED, id="a palette"),
        pytest.param(encoded(Image.new("RGBA", (40, 20), (0, 0, 0, 0)), "PNG"), WHITE, id="transparent"),
        pytest.param(encoded(Image.new("L", (40, 20), 255)), WHITE, id="grey"),
        pytest.param(encoded(Image.new("1", (40, 20), 1), "PNG"), WHITE, id="black and white"),
        pytest.param(encoded(flag(), "JPEG", progressive=True), RED, id="progressive"),
    ],
)
def test_pictures_of_every_kind_become_a_jpeg(content: bytes, corner: tuple[int, int, int]) -> None:
    photo = write_anew(content)
    assert photo.jpeg.startswith(b"\xff\xd8\xff")
    assert (photo.width, photo.height) == (40, 20)
    assert near(opened(photo).convert("RGB").getpixel((3, 3)), corner)


def test_the_same_file_becomes_the_same_photo() -> None:
    assert write_anew(of_a_phone()) == write_anew(of_a_phone())


@pytest.mark.parametrize("content", [of_a_phone(width=800, height=600), encoded(flag(800, 600), "PNG")])
def test_a_part_of_a_picture_is_refused(content: bytes) -> None:
    """As a connection leaves it that broke."""
    for length in (4, 20, 100, len(content) // 2, len(content) - 80):
        with pytest.raises(PhotoRefusedError) as refused:
            write_anew(content[:length])
        assert refused.value.refusal in (PhotoRefusal.BROKEN, PhotoRefusal.UNKNOWN_KIND), length


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_damage_is_refused_or_becomes_a_photo_and_never_another_error(seed: int) -> None:
    rolled = random.Random(seed)
    content = bytearray(rolled.choice((of_a_phone(), encoded(flag(), "PNG"), encoded(flag(), "WEBP"))))
    for _ in range(rolled.randint(1, 20)):
        content[rolled.randrange(len(content))] = rolled.randrange(256)
    try:
        photo = write_anew(bytes(content))
    except PhotoRefusedError:
        return
    assert len(photo.jpeg) <= MAX_KEPT


def test_a_large_picture_of_noise_is_made_small_enough() -> None:
    photo = write_apart(encoded(Image.effect_noise((2300, 1500), 90).convert("RGB"), quality=95))
    assert len(photo.jpeg) <= MAX_KEPT
    assert max(photo.width, photo.height) <= MAX_SIDE
    assert opened(photo).size == (photo.width, photo.height)


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        pytest.param(
            png_that_claims(60_000, 60_000), PhotoRefusal.TOO_MANY_PIXELS, id="a header of 3.6 billion pixels"
        ),
        pytest.param(encoded(Image.new("1", (9000, 9000)), "PNG"), PhotoRefusal.TOO_MANY_PIXELS, id="a pixel bomb"),
        pytest.param(png_that_claims(7000, 7000), PhotoRefusal.BROKEN, id="fewer pixels than promised"),
    ],
)
def test_bombs_are_refused_by_the_process(content: bytes, refusal: PhotoRefusal) -> None:
    with pytest.raises(PhotoRefusedError) as refused:
        write_apart(content)
    assert refused.value.refusal is refusal


def test_a_picture_that_needs_more_memory_than_allowed_is_refused() -> None:
    with pytest.raises(PhotoRefusedError) as refused:
        write_apart(png_that_claims(7900, 7900), memory=64 * 1024 * 1024)
    assert refused.value.refusal is PhotoRefusal.TOO_COSTLY


def test_the_process_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, run = list[dict[str, str]](), subprocess.run

    def spy(*arguments: Any, **options: Any) -> Any:
        seen.append(options["env"])
        return run(*arguments, **options)

    monkeypatch.setenv("FOO_SECRET", "x")
    monkeypatch.setattr(subprocess, "run", spy)
    assert write_apart(of_a_phone()) == write_anew(of_a_phone())
    assert "FOO_SECRET" not in seen[0]
