"""Forms with files as browsers send them, and as nobody should."""

import contextlib
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.uploads.multipart import MOST_PARTS, FormReader, SentForm, UnfitFormError, boundary_of

FIELD = 'Content-Disposition: form-data; name="by"\r\n\r\n'
FILE = 'Content-Disposition: form-data; name="photo"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'


def body(*parts: str, end: str = "--B--\r\n") -> bytes:
    return ("".join(f"--B\r\n{part}\r\n" for part in parts) + end).encode()


def read(content: bytes, boundary: bytes = b"B", cuts: list[int] | None = None) -> FormReader:
    """A reader that took the content, cut at these places."""
    reader = FormReader(boundary)
    places = [0, *sorted(cut % (len(content) + 1) for cut in cuts or []), len(content)]
    for begin, end in pairwise(places):
        reader.take(content[begin:end])
    return reader


def parse_form(content: bytes, boundary: bytes) -> SentForm:
    return read(content, boundary).form()


def leading_fields(content: bytes, boundary: bytes) -> dict[str, str]:
    return read(content, boundary).leading


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=----WebKitFormBoundaryx7", b"----WebKitFormBoundaryx7"),
        ('Multipart/Form-Data; charset=utf-8; boundary="a b"', b"a b"),
        ("multipart/form-data", None),
        ("multipart/mixed; boundary=B", None),
        ("application/x-www-form-urlencoded", None),
        ("image/jpeg", None),
        ("", None),
        (f"multipart/form-data; boundary={'b' * 71}", b"b" * 70),
    ],
)
def test_the_boundary_is_in_the_content_type(content_type: str, boundary: bytes | None) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    ("content", "form"),
    [
        pytest.param(body(f"{FIELD}Li"), SentForm({"by": "Li"}), id="a field"),
        pytest.param(body(f"{FIELD} 李\r\n四 "), SentForm({"by": "李\n四"}), id="trimmed, lines as in other forms"),
        pytest.param(
            body(f"{FILE}x\r\n--b"), SentForm({}, {"photo": b"x\r\n--b"}), id="a file with lines like a boundary"
        ),
        pytest.param(body(FILE), SentForm(), id="no file was chosen"),
        pytest.param(body(f"{FILE}x", f"{FIELD}Li"), SentForm({"by": "Li"}, {"photo": b"x"}), id="the file first"),
        pytest.param(body(f"{FIELD}a", f"{FIELD}b"), SentForm({"by": "b"}), id="the last of one name"),
        pytest.param(body(end="--B--"), SentForm(), id="empty"),
        pytest.param(b"before\r\n" + body(f"{FIELD}a"), SentForm({"by": "a"}), id="text before the first part"),
        pytest.param(body(f"{FIELD}a", end="--B--\r\nafter"), SentForm({"by": "a"}), id="text after the last part"),
        pytest.param(
            body('content-type: text/plain\r\ncontent-disposition: form-data; NAME="by"\r\n\r\na'),
            SentForm({"by": "a"}),
            id="letters of any case",
        ),
        pytest.param(
            body("Content-Disposition: form-data; name=\"photo\"; filename*=UTF-8''%e7%85%a7.jpg\r\n\r\nx"),
            SentForm({}, {"photo": b"x"}),
            id="a name in another form",
        ),
    ],
)
def test_a_form_is_read(content: bytes, form: SentForm) -> None:
    assert parse_form(content, b"B") == form


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"x" * 5000, id="no boundary"),
        pytest.param(body(f"{FILE}xxx", end=""), id="cut within the last part"),
        pytest.param(body(f"{FILE}xxx", end="--B")[:-2], id="cut within the last boundary"),
        pytest.param(body('Content-Disposition: form-data; name="by"'), id="a part without contents"),
        pytest.param(body("Content-Disposition: form-data\r\n\r\nx"), id="a part without a name"),
        pytest.param(body('Content-Disposition: attachment; name="by"\r\n\r\nx'), id="not of a form"),
        pytest.param(body(f"X-A: {'a' * 3000}\r\n{FIELD}x"), id="a long head"),
        pytest.param(body(f"{FIELD}{'x' * 70_000}"), id="a long field"),
        pytest.param(body(*[f"{FIELD}x"] * (MOST_PARTS + 1)), id="many parts"),
    ],
)
def test_what_is_no_form_is_refused(content: bytes) -> None:
    with pytest.raises(UnfitFormError):
        parse_form(content, b"B")


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        pytest.param(body(f"{FIELD}Li", f"{FILE}{'x' * 500}", end="")[:-300], {"by": "Li"}, id="cut within the file"),
        pytest.param(body(f"{FIELD}Li", end="")[:-4], {}, id="cut within a field"),
        pytest.param(body(f"{FILE}x", f"{FIELD}Li"), {}, id="the file first"),
        pytest.param(b"", {}, id="nothing"),
    ],
)
def test_the_fields_before_a_file_are_found_in_the_beginning(content: bytes, fields: dict[str, str]) -> None:
    assert leading_fields(content, b"B") == fields


@given(st.binary(min_size=1, max_size=300), st.text(max_size=30))
def test_what_a_client_sends_is_what_is_read(content: bytes, by: str) -> None:
    sent = httpx.Request("POST", "http://x", data={"by": by}, files={"photo": ("照.jpg", content)})
    boundary = boundary_of(sent.headers["content-type"])
    assert boundary is not None
    wanted = by.encode("utf-8", "replace").decode("utf-8", "replace").replace("\r\n", "\n").strip()
    assert parse_form(sent.read(), boundary) == SentForm({"by": wanted}, {"photo": content})


@given(st.binary(max_size=300), st.integers(0, 400))
def test_a_part_of_a_form_is_refused(content: bytes, cut: int) -> None:
    whole = body(f"{FIELD}Li", f"{FILE}x").replace(b"\r\n\r\nx", b"\r\n\r\n" + content.replace(b"--B", b""))
    if cut < len(whole) - 4:
        with pytest.raises(UnfitFormError):
            parse_form(whole[:cut], b"B")


@given(st.binary(max_size=400))
def test_any_bytes_are_a_form_or_refused(content: bytes) -> None:
    with contextlib.suppress(UnfitFormError):
        parse_form(b"--B\r\n" + content, b"B")


PARTS = st.lists(
    st.tuples(
        st.sampled_from([FIELD, FILE, "X: y\r\n" + FIELD, "Content-Disposition: attachment\r\n\r\n", "", "\r\n"]),
        st.lists(st.sampled_from(["\r\n--B", "--", "-", "\r", "\n", "\r\n", "B", "x", "x" * 400]), max_size=8).map(
            "".join
        ),
    ),
    max_size=5,
).map(lambda parts: body(*(head + content for head, content in parts)))
CUTS = st.lists(st.integers(0, 100_000), max_size=12)


def outcome(reader: FormReader) -> tuple[SentForm | None, dict[str, str]]:
    try:
        return reader.form(), reader.leading
    except UnfitFormError:
        return None, reader.leading


@given(PARTS, st.integers(0, 3000), CUTS)
def test_it_does_not_matter_how_a_body_is_cut_into_pieces(content: bytes, end: int, cuts: list[int]) -> None:
    sent = content[:end]
    assert outcome(read(sent, cuts=cuts)) == outcome(read(sent)) == outcome(read(sent, cuts=list(range(len(sent)))))


@given(st.binary(min_size=1, max_size=300).filter(lambda file: b"\r\n--B" not in file), CUTS)
def test_a_file_of_any_bytes_is_kept_however_it_is_cut(file: bytes, cuts: list[int]) -> None:
    sent = body(f"{FIELD}Li", f"{FILE}@").replace(b"@", file)
    assert read(sent, cuts=cuts).form() == SentForm({"by": "Li"}, {"photo": file})


@given(PARTS, st.text("abB-", min_size=1, max_size=70).filter(lambda text: text != "B"), CUTS)
def test_another_boundary_is_refused(content: bytes, boundary: str, cuts: list[int]) -> None:
    with contextlib.suppress(UnfitFormError):
        assert read(content, boundary.encode(), cuts).form() == SentForm()


@given(st.integers(0, 40), CUTS)
def test_parts_are_bounded(parts: int, cuts: list[int]) -> None:
    found, leading = outcome(read(body(*[f"{FIELD}x"] * parts), cuts=cuts))
    assert (found is not None) is (parts <= MOST_PARTS)
    assert leading == ({"by": "x"} if parts else {})


@given(st.integers(0, 30), st.integers(0, 400), st.booleans(), CUTS)
def test_heads_are_bounded(lines: int, length: int, is_in_name: bool, cuts: list[int]) -> None:
    line = f"{'a' * length}x: b\r\n" if is_in_name else f"x: {'a' * length}\r\n"
    found, _ = outcome(read(body(f"{line * lines}{FIELD}x"), cuts=cuts))
    if found is not None:
        assert lines * length <= 2048
    else:
        assert lines >= 8 or lines * (length + 2) > 1900


@pytest.mark.parametrize("before", [1900, 2100])
def test_text_before_the_first_part_is_bounded(before: int) -> None:
    found, _ = outcome(read(b"x" * before + b"\r\n" + body(f"{FIELD}a"), cuts=list(range(5000))))
    assert (found is not None) is (before < 2048)


@given(st.integers(0, 3000), CUTS)
def test_no_file_is_kept_of_a_body_that_is_too_large(at: int, cuts: list[int]) -> None:
    sent = body(f"{FIELD}Li", f"{FILE}{'x' * 2000}", f"{FIELD}Wang")
    reader = FormReader(b"B")
    reader.take(sent[:at])
    reader.drop_files()
    reader.take(sent[at:])
    assert reader.leading == {"by": "Li"}
    with contextlib.suppress(UnfitFormError):
        assert reader.form().files == {}
