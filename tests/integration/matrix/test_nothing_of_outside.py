"""Who sees a county gets the answers of a country that has nothing else in it: lists, counts, searches, cursors."""

import difflib
import re
from pathlib import Path
from typing import Final

import pytest

from tests.integration.matrix.askers import COUNTY, TOKENS, WALLS, WHOLES, Asker, ask
from tests.integration.matrix.country import BESIDE, FAR, FAR_CITY, FAR_NUMBER, NEAR, NEAR_CITY, PROVINCE
from tests.integration.matrix.places import Place, open_place, same_clocks
from tests.integration.matrix.table import ROWS
from tests.integration.matrix.test_matrix import marks_in, shown

V1: Final = "/api/v1"
_TRIES: Final = 3
"""Two answers that are asked for one after the other may fall into two minutes."""
_VARIES: Final = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00)?", "TIME"),
    (r'"(lag_s|age_s|open_age_s|days_left|mean|median)": ?-?[\d.]+', "SPAN"),
    (r"\b\d\d:\d\d(:\d\d)?\b", "TIME"),
    (r"(\d+ (天|小时|分钟|秒|d|h|min|s)\b ?)+", "SPAN"),
    (r"\b[0-9a-f]{10,16}\b", "SECRET"),
    (r"a-SECRET", "ACCOUNT"),
    (r"(content-length', ')\d+", r"\1"),
)
_ASKED: Final = [
    # By area, by its code, a short code, a name, and the areas above.
    *(f"{V1}/{what}?area={code}" for what in ("stations", "incidents", "closures", "silences", "blind-spots")
      for code in (FAR, FAR_CITY, BESIDE, "6325", PROVINCE, NEAR_CITY, NEAR)),
    *(f"/{what}?area={name}" for what in ("stations", "incidents", "closures", "silences", "blind-spots")
      for name in (FAR, "龙羊峡", "Longyang", "6325", "县", "青海", "海东")),
    *(f"{root}/areas/{code}" for root in ("", V1) for code in (PROVINCE, "63", NEAR_CITY, NEAR)),
    # By words and numbers.
    *(f"{root}/stations?q={text}" for root in ("", V1) for text in ("龙羊峡", "6325", "站", "街")),
    *(f"{V1}/stations?verdict={verdict}" for verdict in ("online", "offline", "unknown", "never_seen")),
    f"{V1}/incidents?station=6325210001", f"{V1}/incidents?parent=1", f"{V1}/incidents?parent={FAR_NUMBER}",
    f"{V1}/incidents?top=true", f"{V1}/incidents?status=closed", f"{V1}/incidents?kind=health", f"{V1}/incidents/1",
    "/incidents/1", "/incidents?status=closed", "/incidents?kind=health", f"{V1}/closures?station=6325210003",
    f"{V1}/closures?station=6302220003", f"{V1}/closures?status=approved", "/closures?station=6325210003",
    f"{V1}/tokens?account=longyangxia-far", *(f"{V1}/{what}?limit=2" for what in ("stations", "incidents", "closures")),
    f"{V1}/silences?limit=2", f"{V1}/silences?station=6325210003", "/silences?station=6325210003",
    # In the other language.
    "/?lang=en", "/stations?lang=en", "/incidents?lang=en", "/areas?lang=en", "/blind-spots?lang=en",
]  # fmt: skip


def plain(text: str) -> str:
    """An answer without what differs from one moment, or one secret, to the next."""
    for pattern, word in _VARIES:
        text = re.sub(pattern, word, text)
    return text


_SIZED: Final = f"{V1}/ledger/"
"""A checkpoint and proofs show how many leaves the whole log has, and hashes of all."""


def _gets(place: Place) -> list[str]:
    standing = place.subjects.standing()
    rows = [row for row in ROWS if row.method == "GET" and not row.is_open and not row.path.startswith(_SIZED)]
    return [standing.path(row) for row in rows] + _ASKED


@pytest.mark.parametrize("asker", [*COUNTY, *WALLS, TOKENS[0]], ids=lambda asker: asker.name)
async def test_the_answers_are_those_of_a_country_without_it(
    asker: Asker, postgres_server: str, template: str, tmp_path: Path
) -> None:
    async with (
        open_place(postgres_server, template, tmp_path) as place,
        open_place(postgres_server, template, tmp_path, far=False) as alone,
    ):
        await same_clocks(place, alone)
        both = [(place, await place.access.headers(asker)), (alone, await alone.access.headers(asker))]
        wrong = []
        for path in _gets(place):
            for _ in range(_TRIES):
                answers = [await ask(one.client, "GET", path, headers) for one, headers in both]
                mine, theirs = (plain(shown(answer)) for answer in answers)
                if mine == theirs:
                    break
            else:
                lines = difflib.unified_diff(_lines(theirs), _lines(mine), "alone", "with others", n=0, lineterm="")
                wrong.append(f"GET {path}: " + "\n".join(line[:200] for line in list(lines)[2:10]))
        assert not wrong, "\n".join(wrong)


def _lines(text: str) -> list[str]:
    return re.split(r"\n|(?<=},)|(?<=],)", text)


async def test_a_cursor_of_a_foreign_list_shows_nothing_of_it(
    postgres_server: str, template: str, tmp_path: Path
) -> None:
    """The cursor of a page of the whole, used by a county: what follows of its own."""
    async with open_place(postgres_server, template, tmp_path) as place:
        admin, county = [await place.access.headers(one) for one in (WHOLES[0], COUNTY[0])]
        for path in (
            "stations", "incidents", "closures", "deadletters", "unregistered", "accounts", "tokens", "ledger/entries",
        ):  # fmt: skip
            for limit in (1, 2, 5):
                page = await ask(place.client, "GET", f"{V1}/{path}?limit={limit}", admin)
                cursor = page.json()["next"]
                if cursor is None:
                    continue
                answer = await ask(place.client, "GET", f"{V1}/{path}?limit=1000&cursor={cursor}", county)
                assert answer.status_code == 200, path
                assert marks_in(shown(answer)) == [], path
                following = answer.json()["next"]
                assert following is None, "a page that is not full is the last"


@pytest.mark.parametrize(
    "path", ["stations", "incidents", "closures", "silences", "accounts", "tokens", "deadletters", "ledger/entries"]
)
async def test_all_pages_together_are_the_list(path: str, postgres_server: str, template: str, tmp_path: Path) -> None:
    """Pages of one item each: no page is shorter because something outside was left out of it."""
    async with open_place(postgres_server, template, tmp_path) as place:
        county = await place.access.headers(COUNTY[0])
        whole = (await ask(place.client, "GET", f"{V1}/{path}?limit=1000", county)).json()["items"]
        assert whole
        found, cursor = [], ""
        while cursor is not None:
            page = (await ask(place.client, "GET", f"{V1}/{path}?limit=1{cursor}", county)).json()
            found += page["items"]
            assert len(page["items"]) == 1
            cursor = None if page["next"] is None else f"&cursor={page['next']}"
        assert len(found) == len(whole)
