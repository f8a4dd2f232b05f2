"""Every text and number that a request may carry, at its edges: an answer that says what is wrong, never a failure.

The doors are those of the application: a new route, field or form is tried by itself.
"""

from pathlib import Path
from typing import Final

import pytest

from tests.integration.matrix.places import open_place
from tests.integration.matrix.table import ROWS, Row
from tests.integration.poison.doors import Door, doors
from tests.integration.poison.stranger import ADMIN, Stranger

LEFT_OUT: Final = "/api/v1/stream"
"""A stream has no end. Its only field, the id of the last event, is tried by api/test_api_service.py."""


def rows() -> list[tuple[Row, Door]]:
    """Every route with what its requests carry. `{action}` stands in the application for several rows."""
    known = doors()
    found = []
    for row in ROWS:
        door = known.get(row.route) or known.get((row.method, row.path.rpartition("/")[0] + "/{action}"))
        if door is not None and not row.path.startswith(LEFT_OUT):
            found.append((row, door))
    return found


def test_every_route_is_tried() -> None:
    tried = {(door.method, door.path) for _, door in rows()}
    untried = {path for _, path in set(doors()) - tried}
    assert all(path.startswith(LEFT_OUT) for path in untried), untried


@pytest.mark.timeout(300)
async def test_no_request_is_a_failure_of_the_server(postgres_server: str, template: str, tmp_path: Path) -> None:
    async with open_place(postgres_server, template, tmp_path) as place:
        stranger = Stranger(place)
        forms = await stranger.fields_of_forms()
        assert len(forms) > 30
        assert {"scope", "name", "from", "until", "reason"} <= {field.name for field in forms["POST", "/closures"]}
        for row, door in rows():
            await stranger.try_door(row, door, forms.get(row.route, set()))
        stranger.headers = await place.access.headers(ADMIN)
        for row, _ in rows():
            if row.method == "GET" and row.path != "/readyz":
                await stranger.send(row, place.subjects.standing("admin").path(row))
        assert not stranger.wrong, "\n".join(stranger.wrong)[:6000]
        assert stranger.answers[200] > 300
        assert stranger.answers[422] > 500
        assert stranger.answers[415] > 20
