"""The API's small pure parts: cursors, windows, words, sessions, filters."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, inspect
from msgspec.inspect import type_info
from starlette.datastructures import Headers

from api.console.pages import STATIC
from api.console.texts import TABLES, Words, choose
from api.http import paging
from api.http.middleware import is_same_origin
from api.http.openapi import shape_of
from api.http.paging import MAX_ID, AfterRecord, AfterStation, Page
from api.http.parameters import area_codes
from api.http.problems import Problem
from api.http.session import AdminToken
from api.http.times import WindowQuery, parse_time
from contract.bounds import EARLIEST, LATEST
from contract.said import said_by

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)


def _plain(kind: inspect.Type) -> type:
    found = {inspect.DateTimeType: datetime, inspect.StrType: str, inspect.IntType: int}
    return found[type(kind)]  # type: ignore[return-value]


HELD = st.datetimes(EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None), timezones=st.just(UTC))
STORED = st.characters(exclude_characters="\0", exclude_categories=("Cs",))


@given(HELD, st.text(STORED, max_size=8), st.text(STORED, max_size=64), st.integers(0, MAX_ID))
def test_a_cursor_comes_back_as_it_went(ts: datetime, terminal: str, box: str, number: int) -> None:
    key = AfterRecord(ts, terminal, box, number)
    _, cursor = Page(1, None).cut([0, 1], lambda _: key)
    assert Page(1, cursor).after(AfterRecord, AfterRecord(NOW, "", "", 0)) == key


@given(st.text(max_size=80))
def test_any_other_text_as_a_cursor_is_a_problem_or_nothing_worse(cursor: str) -> None:
    try:
        found = Page(1, cursor).after(AfterStation, AfterStation(""))
    except Problem as problem:
        assert (problem.status, problem.members["parameter"]) == (400, "cursor")
    else:
        assert isinstance(found, AfterStation)


KEYS: dict[Any, dict[str, str]] = {
    datetime: {
        "past the last year": '"9999-12-31T23:59:59-14:00"',
        "before the first year": '"0001-01-01T00:00:00+14:00"',
        "that no zone can show": '"9999-12-31T23:59:59Z"',
        "without a zone": '"2026-11-01T08:00:00"',
        "of a number": "1e300",
    },
    str: {"with U+0000": '"a\\u0000"', "with half a character": '"\\ud800"', "of a number": "7"},
    int: {"past the last": str(MAX_ID + 1), "before the first": "-1", "with a fraction": "0.5", "of a text": '"7"'},
}
"""Values of each type that no list gives, as JSON."""
FITTING: dict[Any, str] = {datetime: '"2026-11-01T08:00:00Z"', str: '"a"', int: "7"}
LISTS = [one for one in vars(paging).values() if isinstance(one, type) and issubclass(one, Struct) and one is not Page]
FIELDS = [(one, field.name, _plain(field.type)) for one in LISTS for field in type_info(one).fields]
DAMAGED = [
    pytest.param(one, name, value, id=f"{one.__name__}.{name} {why}")
    for one, name, kind in FIELDS
    for why, value in KEYS[kind].items()
]


def _as_cursor(key: type[Struct], **changed: str) -> str:
    fields = {name: FITTING[kind] for one, name, kind in FIELDS if one is key} | changed
    tag = key.__struct_config__.tag
    text = ",".join(f'"{name}":{value}' for name, value in {"type": f'"{tag}"', **fields}.items())
    return base64.urlsafe_b64encode(f"{{{text}}}".encode()).decode().rstrip("=")


@pytest.mark.parametrize(("key", "field", "value"), DAMAGED)
def test_a_cursor_with_a_key_that_no_row_has_is_refused_in_both_languages(
    key: type[Struct], field: str, value: str
) -> None:
    assert isinstance(Page(1, _as_cursor(key)).after(key, key), key)  # type: ignore[type-var]
    with pytest.raises(Problem) as refused:
        Page(1, _as_cursor(key, **{field: value})).after(key, key)  # type: ignore[type-var]
    assert (refused.value.status, refused.value.members["parameter"]) == (400, "cursor")
    said = said_by(refused.value.__cause__ or refused.value)
    assert "begin anew" in said.en
    assert "从头开始" in said.zh


TIMES = {
    "2026-11-01T08:00:00Z": NOW,
    "2026-11-01T08:00:00.250Z": NOW + timedelta(milliseconds=250),
    "2026-11-01T16:00:00+08:00": NOW,
    "2026-11-01T16:00:00 08:00": NOW,
    "2026-11-01T16:00:00 0800": NOW,
    "2026-11-01 08:00:00": NOW,
    "2026-11-01": NOW - timedelta(hours=8),
}


@pytest.mark.parametrize("text", TIMES)
def test_times_are_read(text: str) -> None:
    assert parse_time("from", text) == TIMES[text]


def test_the_window_is_the_last_day_up_to_now() -> None:
    assert WindowQuery(None, None).window(NOW) == (NOW - timedelta(days=1), NOW)
    early = NOW - timedelta(days=9)
    assert WindowQuery(None, early).window(NOW) == (early - timedelta(days=1), early)


@pytest.mark.parametrize(
    ("begin", "end", "parameter"),
    [
        pytest.param(NOW - timedelta(days=400, seconds=1), None, "from", id="a second longer than is answered"),
        pytest.param(datetime(1900, 1, 1, tzinfo=UTC), None, "from", id="since ever"),
        pytest.param(NOW, NOW + timedelta(days=100_000), "from", id="for ever"),
    ],
)
def test_a_window_that_is_too_long_is_refused(begin: datetime, end: datetime | None, parameter: str) -> None:
    with pytest.raises(Problem) as refused:
        WindowQuery(begin, end).window(NOW)
    assert (refused.value.status, refused.value.members["parameter"]) == (422, parameter)
    assert "400: ask for less" in refused.value.detail


def test_the_longest_window_is_answered() -> None:
    begin = NOW - timedelta(days=400)
    assert WindowQuery(begin, None).window(NOW) == (begin, NOW)


def test_short_area_codes_are_padded_and_others_left_alone() -> None:
    assert area_codes("63") == ["63", "630000000000"]
    assert area_codes("632122000000") == ["632122000000"]
    assert area_codes("XJ08") == ["XJ08"]
    assert area_codes("²") == ["²"], "a digit that is no decimal is no code"
    assert area_codes(None) is None


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        (None, "", "zh-CN"),
        (None, "en-US,en;q=0.9,zh;q=0.8", "en"),
        (None, "fr, zh-TW;q=0.5, en;q=0.4", "zh-CN"),
        (None, "en;q=0, zh;q=0.1", "zh-CN"),
        (None, "fr", "zh-CN"),
        (None, "en;q=x", "zh-CN"),
        ("en", "zh-CN", "en"),
        ("zh", "en", "zh-CN"),
        ("tlh", "en", "en"),
    ],
)
def test_language(asked: str | None, accepted: str, language: str) -> None:
    assert choose(asked, accepted, "zh-CN") == language


def test_both_languages_say_the_same_things() -> None:
    chinese, english = TABLES["zh-CN"], TABLES["en"]
    assert set(chinese) == set(english)
    for name in chinese:
        holes = [{part.partition("}")[0] for part in text.split("{")[1:]} for text in (chinese[name], english[name])]
        assert holes[0] == holes[1], name


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-3, "0 s"), (0.4, "0 s"), (59, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (90_000, "1 d 1 h"), (86_460, "1 d")],
)
def test_durations(seconds: float, said: str) -> None:
    assert Words("en").duration(timedelta(seconds=seconds)) == said


def test_moments_are_told_in_beijing_time() -> None:
    assert Words("en").clock(NOW) == "2026-11-01 16:00:00"


def test_a_cookie_is_known_under_the_token_that_signed_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("t")
    token = AdminToken(file)
    cookie = token.new_cookie()
    assert cookie != token.new_cookie()
    assert token.is_ours(cookie)
    nonce, _, signature = cookie.partition(".")
    for other in ("", ".", signature, f"{nonce}.", f"x{nonce}.{signature}", f"{nonce}x.{signature}", "é.é"):
        assert not token.is_ours(other), other
    file.write_text("another")
    assert not token.is_ours(cookie)
    file.unlink()
    assert not token.is_ours(cookie)
    assert not AdminToken(None).is_ours(AdminToken(None).new_cookie())


def test_a_page_of_another_port_is_another_origin() -> None:
    headers = {"host": "milepost.test:8000", "origin": "http://milepost.test:9000"}
    assert not is_same_origin(Headers(headers))


def test_schemas_are_said_in_one_line() -> None:
    assert shape_of({"anyOf": [{"type": "array", "items": {"$ref": "#/x/Terminal"}}, {"type": "null"}]}) == (
        "list of Terminal or null"
    )
    assert shape_of({"type": "integer", "minimum": 1, "maximum": 9, "default": 3}) == "integer 1..9 (default 3)"


def test_pages_load_nothing_from_elsewhere() -> None:
    templates = STATIC.with_name("templates")
    for path in [*STATIC.rglob("*.*"), *templates.iterdir()]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in text, path.name
        assert "https://" not in text, path.name
        assert "<script>" not in text, path.name
        assert "style=" not in text, path.name
