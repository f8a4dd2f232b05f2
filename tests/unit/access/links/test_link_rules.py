"""When a link is good, and which forms are the same one."""

from datetime import UTC, datetime, timedelta

import pytest

from access.links.rules import LIFE, LinkRefusal, LinkStanding, expiry_of_link, once_key, refusal_of_link

NOW = datetime(2026, 11, 28, 9, 0, 0, 123456, tzinfo=UTC)
LATER, BEFORE = NOW + timedelta(hours=1), NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("standing", "refusal"),
    [
        pytest.param(LinkStanding(expires_at=LATER), None, id="good"),
        pytest.param(LinkStanding(expires_at=NOW), LinkRefusal.EXPIRED, id="at its last moment it is over"),
        pytest.param(LinkStanding(expires_at=LATER, ended_at=BEFORE), LinkRefusal.LOST, id="phone lost"),
        pytest.param(LinkStanding(expires_at=LATER, may_act=False), LinkRefusal.RETIRED, id="retired"),
        pytest.param(
            LinkStanding(expires_at=BEFORE, ended_at=BEFORE), LinkRefusal.LOST, id="lost says more than expired"
        ),
    ],
)
def test_why_a_link_is_refused(standing: LinkStanding, refusal: LinkRefusal | None) -> None:
    assert refusal_of_link(standing, NOW) is refusal


def test_a_link_lasts_a_week_in_whole_seconds() -> None:
    assert expiry_of_link(NOW) == (NOW + LIFE).replace(microsecond=0)


FORM = {"once": "abcdefgh", "act": "note", "text": "到了"}


@pytest.mark.parametrize(
    ("other", "same"),
    [
        pytest.param(dict(reversed(FORM.items())), True, id="sent again, in whatever order"),
        pytest.param({**FORM, "text": "修好了"}, False, id="something else was typed"),
        pytest.param({**FORM, "act": "ack"}, False, id="another button"),
        pytest.param({**FORM, "once": "ijklmnop"}, False, id="another form"),
    ],
)
def test_the_same_form(other: dict[str, str], same: bool) -> None:
    assert (once_key(FORM) == once_key(other)) == same


@pytest.mark.parametrize("once", ["", "short", "x" * 65])
def test_a_form_without_a_key_of_its_own(once: str) -> None:
    assert once_key({**FORM, "once": once}) is None
