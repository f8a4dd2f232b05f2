"""Which silences may be made."""

from typing import Any

import pytest

from alerting.silences.making import MAX_REASON, NewSilence, sound_silence
from contract.errors import RemedyError
from tests.unit.alerting.silences.test_silences import hour

NOW = hour(12)


def new(**more: Any) -> NewSilence:
    made = {"station": "S1", "until_at": hour(14), "reason": "switch replaced", "made_by": "li"}
    return NewSilence(**{**made, **more})


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("of nothing", {"station": None}, "name exactly one"),
    ("of a station and an area", {"area": "63"}, "name exactly one"),
    ("of a station and everything", {"whole": True}, "name exactly one"),
    ("of a kind that there is not", {"kinds": ("health", "rain")}, "'rain' is not a kind of incident"),
    ("over already", {"until_at": hour(11)}, "must end after now"),
    ("over at once", {"until_at": NOW}, "must end after now"),
    ("ends before it begins", {"from_at": hour(15)}, "must end after now and after it begins"),
    ("ends in more than 30 days", {"until_at": hour(12 + 30 * 24 + 0.1)}, "at most 30 days from now"),
    ("begins in bounds and ends beyond", {"from_at": hour(700), "until_at": hour(800)}, "at most 30 days from now"),
    ("without a reason", {"reason": "  "}, "needs a reason"),
    ("with a novel", {"reason": "x" * (MAX_REASON + 1)}, "needs a reason of up to 500"),
]


@pytest.mark.parametrize(("name", "more", "why"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_is_refused(name: str, more: dict[str, Any], why: str) -> None:
    with pytest.raises(RemedyError, match=why) as refused:
        sound_silence(new(**more), NOW)
    assert refused.value.said.zh != refused.value.said.en


MADE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("it begins now", {}, {"from_at": NOW}),
    ("nothing is silenced afterwards", {"from_at": hour(9)}, {"from_at": NOW}),
    ("planned", {"from_at": hour(13)}, {"from_at": hour(13)}),
    ("30 days", {"until_at": hour(12 + 30 * 24)}, {"until_at": hour(12 + 30 * 24)}),
    ("each kind once", {"kinds": ("health", "flapping", "health")}, {"kinds": ("flapping", "health")}),
    ("of everything", {"station": None, "whole": True}, {"whole": True}),
]


@pytest.mark.parametrize(("name", "more", "made"), MADE, ids=[case[0] for case in MADE])
def test_what_is_made(name: str, more: dict[str, Any], made: dict[str, Any]) -> None:
    sound = sound_silence(new(**more), NOW)
    assert {field: getattr(sound, field) for field in made} == made
