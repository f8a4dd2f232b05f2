"""Every path for every kind of client, inside and outside the scope, by the table of docs/access.md."""

import re
from pathlib import Path

import httpx
import pytest

from api.app import routes
from tests.integration.matrix.askers import OVER, WHOLES, WITHIN_SCOPE, Asker, ask
from tests.integration.matrix.country import MARK_PATTERN, MARKS
from tests.integration.matrix.page import PAGE, render
from tests.integration.matrix.places import Place, open_place
from tests.integration.matrix.subjects import Subject, body_of, far_and_unknown
from tests.integration.matrix.table import ROWS, Beyond, Row

_VARYING = frozenset({"date", "set-cookie"})
_OPENAPI = ("GET", "/openapi.json")


def _before_action(route: tuple[str, str]) -> tuple[str, str]:
    return route[0], route[1].rpartition("/")[0]


def test_every_path_has_a_row() -> None:
    """A path with an action has a row for each action."""
    served, rows = {*routes(), _OPENAPI}, [row.route for row in ROWS]
    assert [one for one in rows if rows.count(one) > 1] == []
    acts = {_before_action(one) for one in served if one[1].endswith("/{action}")}
    missing = served - set(rows)
    missing -= {one for one in missing if _before_action(one) in acts & set(map(_before_action, rows))}
    assert missing == set(), "say in tests/integration/matrix/table.py who may do it"
    assert {one for one in rows if one not in served and _before_action(one) not in acts} == set()


def expected(row: Row, asker: Asker) -> int:
    """The status of the answer about something inside the scope."""
    allowed = asker.letter is not None and asker.letter in row.who and (row.by_token or asker.how != "token")
    allowed = allowed and (row.beyond is not Beyond.WHOLE or asker.whole)
    return row.good if allowed or row.is_open else 403


def shown(answer: httpx.Response) -> str:
    """All that a client gets to see."""
    return f"{answer.status_code} {[(n, v) for n, v in answer.headers.items() if n not in _VARYING]} {answer.text}"


def marks_in(text: str) -> list[str]:
    """The marks of what is outside, in a text."""
    found = set(re.findall(MARK_PATTERN, text.casefold()))
    return [mark for mark in MARKS if mark in found]


class Asking:
    """One asker at all rows; gathers what is not as the table says."""

    def __init__(self, place: Place, asker: Asker, headers: dict[str, str]) -> None:
        self.place, self.asker, self.headers = place, asker, headers
        self.wrong: list[str] = []

    async def inside(self, row: Row) -> None:
        """Ask about something in the scope."""
        wanted, headers = expected(row, self.asker), self.headers
        if row.changes and wanted == row.good:
            headers = await self.place.access.headers(self.asker)
            subject = await self.place.subjects.fresh(row, self.asker, headers)
        else:
            subject = self.place.subjects.standing(self.asker.role)
        answer = await self._ask(row, subject, headers)
        # It may have ended the session that asks. An account has a limited number of tokens.
        if row.changes and wanted == row.good and self.asker.how != "token":
            self.headers = await self.place.access.headers(self.asker)
        self._require(row, "inside", answer.status_code == wanted, f"{answer.status_code} is not {wanted}", answer)
        if not self.asker.whole:
            found = marks_in(shown(answer))
            self._require(row, "inside", not found, f"shows {found}", answer)

    async def outside(self, row: Row) -> None:
        """Ask about something outside the scope, and about something that does not exist."""
        if row.beyond not in (Beyond.UNKNOWN, Beyond.REFUSED):
            return
        wanted = expected(row, self.asker)
        wanted = int(row.beyond) if wanted == row.good else wanted
        answers = []
        for subject in far_and_unknown(row, self.asker.role):
            answer = await self._ask(row, subject, self.headers)
            answers.append((subject, answer, subject.masked(shown(answer))))
        (_, far, far_text), (_, _, unknown_text) = answers
        self._require(row, "outside", far.status_code == wanted, f"{far.status_code} is not {wanted}", far)
        self._require(row, "outside", far_text == unknown_text, f"unlike an unknown one: {unknown_text[:300]}", far)
        found = marks_in(far_text)
        self._require(row, "outside", not found, f"shows {found}", far)

    async def _ask(self, row: Row, subject: Subject, headers: dict[str, str]) -> httpx.Response:
        return await ask(self.place.client, row.method, subject.path(row), headers, body_of(row, subject))

    def _require(self, row: Row, where: str, holds: bool, what: str, answer: httpx.Response) -> None:
        if not holds:
            self.wrong.append(f"{row.method} {row.path} {where}: {what}: {answer.text[:300]!r}")


def _named(asker: Asker) -> str:
    return asker.name


@pytest.mark.parametrize("asker", [*WITHIN_SCOPE, *WHOLES], ids=_named)
async def test_the_table_holds(asker: Asker, postgres_server: str, template: str, tmp_path: Path) -> None:
    async with open_place(postgres_server, template, tmp_path) as place:
        asking = Asking(place, asker, await place.access.headers(asker))
        before = await place.far_rows()
        rows = [row for row in ROWS if not row.is_open]
        for row in [] if asker.whole else rows:
            await asking.outside(row)
        for row in rows:
            await asking.inside(row)
        assert not asking.wrong, "\n".join(asking.wrong)
        if not asker.whole:
            assert await place.far_rows() == before, "nothing outside was changed"


@pytest.mark.parametrize("how", OVER.values(), ids=OVER.keys())
async def test_who_is_not_signed_in_gets_nothing(
    how: str, postgres_server: str, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same answer about what is there and what is not. Figures of the platform are read once: they change by
    themselves."""
    monkeypatch.setattr("api.http.shared_query.LOOK_EVERY", 600.0)
    async with open_place(postgres_server, template, tmp_path) as place:
        headers, wrong = await place.access.over(how), list[str]()
        before = await place.far_rows()
        for row in ROWS:
            answers = []
            for subject in far_and_unknown(row):
                answer = await ask(place.client, row.method, subject.path(row), headers, body_of(row, subject))
                answers.append((answer.status_code, subject.masked(shown(answer))))
                wrong += [f"{row.route} shows {mark}" for mark in marks_in(answers[-1][1])]
            wanted = row.good if row.is_open else 401
            if answers[0] != answers[1] or answers[0][0] != wanted:
                wrong.append(f"{row.route}: {answers[0][0]} is not {wanted}: {answers}"[:500])
        assert not wrong, "\n".join(wrong)
        assert await place.far_rows() == before


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("seconds_sum 0.00017700000000000002", []),
        ("seconds_sum 0.7700000000000001", []),
        ("/incidents/7700000001", ["7700000"]),
        ("in 632521000000: 6325210001", ["632521000000", "6325210"]),
        ("key 01ba6325210bc", []),
        ("area6325210", ["6325210"]),
        ("next=%2Fstations%2F6325210001", ["6325210"]),
        ("mp.FarToken", ["fartoken"]),
    ],
)
def test_a_number_is_a_mark_from_its_first_digit_on(text: str, marks: list[str]) -> None:
    assert marks_in(text) == marks


async def test_the_marks_are_found_where_they_may_be_seen(postgres_server: str, template: str, tmp_path: Path) -> None:
    """Otherwise the test of marks would show nothing."""
    asker = next(one for one in WHOLES if one.letter == "A")
    async with open_place(postgres_server, template, tmp_path) as place:
        headers = await place.access.headers(asker)
        found = set[str]()
        for row in ROWS:
            if row.method == "GET":
                subject = far_and_unknown(row)[0]
                found |= set(marks_in((await ask(place.client, "GET", subject.path(row), headers)).text))
        assert found == set(MARKS)


def test_the_document_has_this_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert render(text) == text, "run `python -m tests.integration.matrix.page`"
