"""The bytes of leaves are RFC 8785, whatever stands in a row."""

import hashlib

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit.ledger.leaves import EntryRow, GapRow, HealthRow, LeafRow, TransitionRow, leaf_bytes

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
MS = st.integers(-(2**53) + 1, 2**53 - 1)
MAYBE_MS, MAYBE_TEXT = st.none() | MS, st.none() | TEXT
TRANSITIONS = st.builds(
    TransitionRow,
    after=TEXT, at_ms=MS, before=TEXT, deadline_at_ms=MAYBE_MS, partition=st.integers(0, 1023), reason=TEXT,
    row=st.just("transition"), seen_at_ms=MAYBE_MS, seq=MS, shard=TEXT, station=TEXT, terminal=MAYBE_TEXT,
    tick_at_ms=MS, usable=st.none() | st.booleans(),
)  # fmt: skip
GAPS = st.builds(
    GapRow,
    began_at_ms=MS, ended_at_ms=MS, partition=st.integers(0, 1023), reason=TEXT, row=st.just("pipeline_gap"), seq=MS,
    shard=TEXT,
)  # fmt: skip
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
HEALTHS = st.builds(
    HealthRow,
    as_of_ms=MS, at_ms=MS, field=MAYBE_TEXT, firing=st.booleans(), partition=st.integers(0, 1023), reason=TEXT,
    row=st.just("health_change"), rule=TEXT, seq=MS, severity=MAYBE_TEXT, since_ms=MS, station=TEXT, subject=TEXT,
    terminal=TEXT, threshold=NUMBERS, value=NUMBERS,
)  # fmt: skip
BODIES = st.dictionaries(TEXT, st.none() | MS | TEXT | st.booleans(), max_size=4)


@given(row=TRANSITIONS | GAPS | HEALTHS)
def test_a_row_of_a_stream_is_the_canonical_form_of_its_columns(row: LeafRow) -> None:
    assert leaf_bytes(row) == rfc8785.dumps(msgspec.structs.asdict(row))


@given(number=MS, kind=TEXT, subject=TEXT, actor=TEXT, at_ms=MS, body=BODIES)
def test_an_entry_is_the_canonical_form_with_its_body_within(
    number: int, kind: str, subject: str, actor: str, at_ms: int, body: dict[str, object]
) -> None:
    row = EntryRow(number, kind, subject, actor, at_ms, rfc8785.dumps(body))
    whole = {
        "id": number,
        "kind": kind,
        "subject": subject,
        "actor": actor,
        "at_ms": at_ms,
        "body": body,
        "row": "ledger_entry",
    }
    assert leaf_bytes(row) == rfc8785.dumps(whole)
    assert b"\n" not in leaf_bytes(row)


GOLDEN: dict[str, tuple[LeafRow, bytes]] = {
    "an entry": (
        EntryRow(7, "incident.note", "incident/17", "admin", 1_780_000_000_000, b'{"n":1}'),
        b'{"actor":"admin","at_ms":1780000000000,"body":{"n":1},"id":7,"kind":"incident.note","row":"ledger_entry",'
        b'"subject":"incident/17"}',
    ),
    "a transition": (
        TransitionRow(
            "offline", 1, "online", None, 3, "timeout", "transition", 0, 9, "main", "6321220007", None, 5, True
        ),
        b'{"after":"offline","at_ms":1,"before":"online","deadline_at_ms":null,"partition":3,"reason":"timeout",'
        b'"row":"transition","seen_at_ms":0,"seq":9,"shard":"main","station":"6321220007","terminal":null,'
        b'"tick_at_ms":5,"usable":true}',
    ),
    "a gap": (
        GapRow(1, 2, 0, "bridge", "pipeline_gap", 4, "main"),
        b'{"began_at_ms":1,"ended_at_ms":2,"partition":0,"reason":"bridge","row":"pipeline_gap","seq":4,"shard":"main"}',
    ),
    "a health change": (
        HealthRow(1, 2, "disk", True, 0, "r", "health_change", "full", 4, "major", 3, "s", "/", "001", 90.0, 95.5),
        b'{"as_of_ms":1,"at_ms":2,"field":"disk","firing":true,"partition":0,"reason":"r","row":"health_change",'
        b'"rule":"full","seq":4,"severity":"major","since_ms":3,"station":"s","subject":"/","terminal":"001",'
        b'"threshold":90,"value":95.5}',
    ),
}


@pytest.mark.parametrize("what", GOLDEN)
def test_bytes_that_never_change(what: str) -> None:
    """Whoever sealed a row sealed these bytes: other ones would make the whole past look changed."""
    row, expected = GOLDEN[what]
    assert leaf_bytes(row) == expected


def test_a_number_that_json_does_not_have_is_a_text() -> None:
    row = msgspec.structs.replace(GOLDEN["a health change"][0], value=float("inf"), threshold=float("nan"))
    assert b'"threshold":"nan","value":"inf"' in leaf_bytes(row)


def test_one_changed_column_changes_the_bytes() -> None:
    for row, expected in GOLDEN.values():
        for name, value in msgspec.structs.asdict(row).items():
            other = value + b" " if isinstance(value, bytes) else f"{value} changed"
            if name not in ("row", "at_ms", "id"):
                changed = leaf_bytes(msgspec.structs.replace(row, **{name: other}))
                assert hashlib.sha256(changed).digest() != hashlib.sha256(expected).digest()
