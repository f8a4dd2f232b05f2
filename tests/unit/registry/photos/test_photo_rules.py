"""Which files become photos, and how large."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.photos.rules import (
    _SENTENCES,
    MAX_PIXELS,
    MAX_SIDE,
    MAX_UPLOAD,
    PhotoRefusal,
    PhotoRefusedError,
    PictureKind,
    fitted,
    kind_of,
    require_size,
    tries,
)
from tests.pictures import encoded, flag

HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"


@pytest.mark.parametrize(("name", "kind"), [("JPEG", PictureKind.JPEG), ("PNG", PictureKind.PNG), ("WEBP", "WEBP")])
def test_a_picture_is_known_by_its_first_bytes(name: str, kind: PictureKind) -> None:
    assert kind_of(encoded(flag(), name)) == kind


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        pytest.param(b"", PhotoRefusal.EMPTY, id="a form without a file"),
        pytest.param(b"\xff\xd8\xff" + bytes(MAX_UPLOAD), PhotoRefusal.TOO_LARGE, id="20 MB and more"),
        pytest.param(HEIC, PhotoRefusal.HEIC, id="an iPhone's own format"),
        pytest.param(b"\x00\x00\x00\x1cftypisom\x00", PhotoRefusal.UNKNOWN_KIND, id="a video"),
        pytest.param(b"GIF89a\x01\x00\x01\x00", PhotoRefusal.UNKNOWN_KIND, id="a GIF"),
        pytest.param(b"BM\x00\x00", PhotoRefusal.UNKNOWN_KIND, id="a BMP"),
        pytest.param(b"%PDF-1.7\n", PhotoRefusal.UNKNOWN_KIND, id="a PDF"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", PhotoRefusal.UNKNOWN_KIND, id="an SVG"),
        pytest.param(b"<html><script>1</script>", PhotoRefusal.UNKNOWN_KIND, id="a page"),
        pytest.param(b"MZ\x90\x00", PhotoRefusal.UNKNOWN_KIND, id="a program"),
        pytest.param(b"II*\x00\x08\x00\x00\x00", PhotoRefusal.UNKNOWN_KIND, id="a TIFF"),
        pytest.param(b"RIFF\x00\x00\x00\x00WAVEfmt ", PhotoRefusal.UNKNOWN_KIND, id="a sound"),
    ],
)
def test_other_files_are_refused(content: bytes, refusal: PhotoRefusal) -> None:
    with pytest.raises(PhotoRefusedError) as refused:
        kind_of(content)
    assert refused.value.refusal is refusal


@pytest.mark.parametrize(
    ("width", "height", "refusal"),
    [
        (8000, 8000, None),
        (8000, 8001, PhotoRefusal.TOO_MANY_PIXELS),
        (1, MAX_PIXELS, None),
        (0, 100, PhotoRefusal.BROKEN),
    ],
)
def test_pixels_have_a_bound(width: int, height: int, refusal: PhotoRefusal | None) -> None:
    try:
        require_size(width, height)
    except PhotoRefusedError as exc:
        assert exc.refusal is refusal
    else:
        assert refusal is None


@given(st.integers(1, 100_000), st.integers(1, 100_000), st.integers(1, 4096))
def test_what_fits_is_as_large_as_it_may_be(width: int, height: int, side: int) -> None:
    new = fitted(width, height, side)
    assert max(new) == min(side, max(width, height))
    assert 1 <= new[0] <= width
    assert 1 <= new[1] <= height
    if min(new) > 1:
        assert abs(new[0] * height - new[1] * width) <= max(width, height), "the proportion is kept within a pixel"


def test_each_try_is_smaller_than_the_one_before() -> None:
    found = list(tries(4000, 3000))
    assert found[0] == ((MAX_SIDE, 1536), 85)
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("refusal", PhotoRefusal)
def test_each_refusal_names_the_remedy_in_both_languages(refusal: PhotoRefusal) -> None:
    said = PhotoRefusedError(refusal).said
    assert (said.en, said.zh) == _SENTENCES[refusal]
    assert ":" in said.en
    assert "：" in said.zh
