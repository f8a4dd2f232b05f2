"""What verification says of a station's sheet: unchanged, and after each attack."""

import re
from collections.abc import Callable
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.ledger.checkpoints import SignedCheckpoint, cosign, with_signatures
from audit.ledger.notes import NoteError
from audit.ledger.verify import Trust
from audit.sheets.sheet_check import SheetVerdict, check_sheet
from audit.sheets.station_proof import StationProof, parse_station_proof
from milepost.commands.sheet_lines import lines_of_sheet
from tests.unit.audit.sheets.sheet_world import (
    AREAS,
    DAYS,
    ELSEWHERE,
    HALF,
    KEY,
    LEAVES,
    OTHER,
    WITNESS,
    area,
    entry,
    line,
    proven,
    sheet,
    signed_log,
)

TRUST = Trust(key=KEY.verifier, witnesses=(WITNESS.verifier,))
TEXT = sheet().render()


def told(proof: StationProof, trust: Trust = TRUST) -> list[str]:
    """The sentences about faults, after the text was written and read again."""
    verdict = check_sheet(parse_station_proof(proof.render()), trust)
    assert all(fault.said.en != fault.said.zh for fault in verdict.faults)
    return [fault.said.en for fault in verdict.faults]


def said(verdict: SheetVerdict, trust: Trust = TRUST) -> str:
    return "\n".join(line.en for line in lines_of_sheet(verdict, trust))


def test_a_sheet_that_nobody_changed() -> None:
    verdict = check_sheet(sheet(), TRUST)
    assert verdict.faults == () and verdict.is_complete
    assert [(day.leaf, day.revision, day.figures.online_ms, day.stands.online_ms) for day in verdict.days] == [
        (1, 1, 100, 100), (2, 2, 50, 50), (3, 3, 50, 100),
    ]  # fmt: skip
    text = said(verdict)
    assert "sum of 3 days: online rate 83.33%" in text and "with addenda: online rate 66.66%" in text
    assert "audit.example.org was a witness at 2026-11-18" in text and "nothing is wrong" in text


def test_a_sheet_says_what_it_does_not_prove() -> None:
    trust = Trust()
    verdict = check_sheet(sheet(unproven=True), trust)
    assert verdict.faults == () and not verdict.is_complete
    text = said(verdict, trust)
    assert (
        f"the key is what the sheet itself says; ask the office that runs the ledger for it: {KEY.verifier.text}"
        in text
    )
    assert "a signature of audit.example.org, which is not verified" in text
    assert "ask for an export: 2026-11-04 (the newest entry was not signed yet)" in text
    assert "nothing is wrong in 3 of 4 days" in text
    assert "no witness: " in said(check_sheet(sheet(signed=signed_log(LEAVES, witness=False)), trust), trust)


def edited(day: int, **changes: object) -> StationProof:
    """The sheet with another field of a day."""
    return sheet({day: msgspec.structs.replace(proven(AREAS[day], day + 1), **changes)})


def other_log(*, key: object = KEY) -> SignedCheckpoint:
    return signed_log([*LEAVES[:-1], b"[]"], key=key)  # type: ignore[arg-type]


def moved() -> StationProof:
    """The day counts for another area, and the sheet has the leaf of the area before."""
    away = area(DAYS[0], line("b"), line("b", 2, path=ELSEWHERE))
    leaves = [LEAVES[0], entry(1, away), *LEAVES[2:]]
    return sheet(
        {n: proven(found, n + 1, leaves=leaves) for n, found in enumerate([away, *AREAS[1:]])}, signed_log(leaves)
    )


def cosigned(at: int) -> SignedCheckpoint:
    signed = signed_log(LEAVES, witness=False)
    return with_signatures(signed, [cosign(signed.note, WITNESS, at)])


LOWER = area(DAYS[0], line("b", 1, HALF))


def first_revision() -> StationProof:
    """Only the first of two revisions, with the second one as the next line."""
    day = proven(AREAS[1], 2)
    return edited(1, lines=day.lines[:1], following=day.lines[1])


# (the sheet, what is known from elsewhere, the beginnings of what verification says)
ATTACKS: dict[str, tuple[Callable[[], StationProof], Trust, list[str]]] = {
    "a figure": (
        lambda: parse_station_proof(TEXT.replace('"presence",false,100,0,0,50', '"presence",false,100,0,0,90')),
        TRUST,
        ["changed: 2026-11-02: the figures in line 2 are not those of leaf 2"],
    ),
    "an entry": (
        lambda: edited(0, entry=LEAVES[1].decode().replace('"at_ms":1', '"at_ms":2')),
        TRUST,
        ["not in the log: 2026-11-01: leaf 1"],
    ),
    "an entry that was never sealed": (
        lambda: sheet({0: proven(LOWER, 1, leaves=[b"", entry(9, LOWER)])}),
        TRUST,
        ["not in the log: 2026-11-01: leaf 1"],
    ),
    "another station": (
        lambda: sheet({0: proven(AREAS[0], 1, station="a")}),
        TRUST,
        ["swapped: 2026-11-01: the figures are those of station a, not of b"],
    ),
    "another day": (
        lambda: sheet({1: proven(AREAS[0], 1, day=DAYS[1])}),
        TRUST,
        ["swapped: 2026-11-02: leaf 1 has the figures of 2026-11-01"],
    ),
    "another area": (moved, TRUST, ["swapped: 2026-11-01: the day counts for area 63/632123, and leaf 1 is about"]),
    "a leaf that is no entry of figures": (
        lambda: edited(0, leaf=4, entry="{}", steps=proven(AREAS[0], 4).steps),
        TRUST,
        ["swapped: 2026-11-01: leaf 4 is no entry"],
    ),
    "an old revision": (first_revision, TRUST, ["old revision: 2026-11-02: leaf 2 has a later revision than 1"]),
    "nothing after the newest revision": (
        lambda: edited(1, following=None), TRUST, ["old revision: 2026-11-02: leaf 2 has a later revision than 2"],
    ),
    "a revision is left out": (
        lambda: edited(2, lines=proven(AREAS[2], 3).lines[1:]), TRUST, ["missing: 2026-11-03: revisions are missing"],
    ),
    "a day is left out": (
        lambda: msgspec.structs.replace(sheet(), days=sheet().days[1:]), TRUST, ["missing: the days are not each day"],
    ),
    "no days": (
        lambda: msgspec.structs.replace(sheet(), days=(), last=DAYS[0], first=DAYS[1]),
        TRUST,
        ["missing: the days are not each day"],
    ),
    "another month": (
        lambda: msgspec.structs.replace(sheet(), period="2026-10"), TRUST, ["swapped: 2026-11-01 to 2026-11-03"],
    ),
    "another key signed": (
        lambda: sheet(signed=signed_log(LEAVES, key=msgspec.structs.replace(KEY, seed=b"x" * 32))),
        TRUST,
        ["signature: the checkpoint of size 5 is not signed by the key"],
    ),
    "signed by another log": (
        lambda: sheet(signed=signed_log(LEAVES, key=OTHER)), Trust(), ["other log: the checkpoint is of the log"],
    ),
    "no key": (lambda: msgspec.structs.replace(sheet(), key=None), Trust(), ["signature: the sheet does not say"]),
    "another key is named": (
        lambda: msgspec.structs.replace(sheet(), key=OTHER.verifier.text), TRUST, ["signature: the sheet says that"],
    ),
    "another log": (
        sheet, Trust(key=OTHER.verifier), ["other log: the checkpoint is of the log example.org/ledger, the key of"],
    ),
    "a kept checkpoint of another log": (
        sheet, Trust(key=KEY.verifier, older=(other_log(key=OTHER),)), ["other log: the checkpoint is of the log"],
    ),
    "a kept checkpoint with another root": (
        sheet, Trust(key=KEY.verifier, older=(other_log(),)), ["forked: the checkpoint that you kept of size 5"],
    ),
    "no witness": (
        lambda: sheet(signed=signed_log(LEAVES, witness=False)), TRUST, ["no witness: audit.example.org did not sign"],
    ),
    "a witness in a time that no calendar has": (
        lambda: sheet(signed=cosigned(2**64 - 1)),
        TRUST,
        ["no witness: audit.example.org did not sign"],
    ),
    "another checkpoint": (
        lambda: sheet(signed=other_log()), TRUST, [f"not in the log: 2026-11-0{n}: leaf {n}" for n in (1, 2, 3)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_named(attack: str) -> None:
    proof, trust, begins = ATTACKS[attack]
    found = told(proof(), trust)
    assert len(found) == len(begins) and all(map(str.startswith, found, begins)), found


@given(st.integers(0, len(TEXT.encode()) - 1), st.integers(1, 255))
def test_any_other_byte_is_named(place: int, change: int) -> None:
    raw = bytearray(TEXT.encode())
    raw[place] ^= change
    with suppress(NoteError, UnicodeDecodeError):
        assert check_sheet(parse_station_proof(raw.decode()), TRUST).faults


_LINES = TEXT.split("\n")


_DAMAGED = ("", "?", "day 2026-13-01", "log ?", "entry x y", "days", "export maybe")


@pytest.mark.parametrize(("place", "damaged"), [(n, one) for n in range(8) for one in _DAMAGED if one != _LINES[n]])
def test_a_refusal_is_a_sentence_and_no_error_of_the_language(place: int, damaged: str) -> None:
    changed = "\n".join([*_LINES[:place], damaged, *_LINES[place + 1 :]])
    with pytest.raises(NoteError) as refused:
        parse_station_proof(changed)
    for sentence in (refused.value.said.en, refused.value.said.zh):
        assert not re.search(r"\w+(Error|Exception)|invalid|index out of|\w\(", sentence), sentence
    assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", refused.value.said.zh), refused.value.said.zh


@given(st.text() | st.lists(st.sampled_from(TEXT.split("\n")), max_size=30).map("\n".join))
def test_any_other_text_is_refused_or_read(text: str) -> None:
    with suppress(NoteError):
        assert parse_station_proof(text).render() == text
