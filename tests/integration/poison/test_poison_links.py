"""Every field of the page behind a link, at its edges: an answer that fits, and a page that is still shown."""

import itertools
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest

from access.links.store import give_links
from access.roles import Role
from api.console.links.acts import NEEDS
from tests.integration.matrix.askers import Asker
from tests.integration.matrix.country import NEAR
from tests.integration.matrix.places import Place, open_place
from tests.integration.matrix.table import ROWS
from tests.integration.poison.bodies import (
    FILES,
    FORM,
    NAMES,
    NUMBERS,
    TEXTS,
    as_bytes,
    as_form,
    as_parts,
    odd_parts,
)
from tests.integration.poison.stranger import ADMIN, Stranger

PERSON: Final = Asker(name="person of a link", letter="T", role=Role.TECHNICIAN)
SHOW, ACT = (next(row for row in ROWS if row.route == (method, "/i/{token}")) for method in ("GET", "POST"))
INCIDENT: Final = next(row for row in ROWS if row.route == ("GET", "/incidents/{id}"))
NUMBER: Final = itertools.count()


class LinkStranger(Stranger):
    """Sends what a link takes; each field by a link of its own, because a link takes a bounded number of forms."""

    def __init__(self, place: Place, contact: str) -> None:
        super().__init__(place)
        self._contact = contact
        self.incidents: list[int] = []

    async def link(self) -> str:
        """The path of a new link, for a new incident."""
        number = next(NUMBER)
        station, world = f"63022209{number:02}", self.place.country.world
        await world.station(station, "offline", area=NEAR, name=f"站{number}")
        incident = await world.incident("station_offline", station=station, area=NEAR)
        self.incidents.append(incident)
        async with self.place.pool.acquire() as connection:
            given = await give_links(connection, self._contact, [incident], datetime.now(UTC))
        return f"/i/{given[incident]}"

    async def look(self, path: str) -> None:
        """The page must be shown after whatever was sent."""
        if await self.send(SHOW, path) != 200:
            self.wrong.append(f"{path} is not shown any more")

    async def try_field(self, name: str, plain: dict[str, Any]) -> None:
        """One field at its edges and absent, in forms of both kinds."""
        path = await self.link()
        for value in (*TEXTS, *NUMBERS):
            await self.send(ACT, path, as_form(plain | {name: value}), FORM)
            await self.send(ACT, path, *as_parts(plain | {name: value}, b""))
        await self.send(ACT, path, as_form({one: value for one, value in plain.items() if one != name}), FORM)
        await self.look(path)

    async def try_form(self, act: str, names: set[str]) -> None:
        """Every field of a form of the page; and files that are none."""
        usual = {"once": "0123456789abcdef", "hours": "2", "days": "1", "cause": "power"}
        plain = {name: usual.get(name, "x") for name in sorted(names)} | {"act": act}
        for name in plain:
            await self.try_field(name, plain)
        path = await self.link()
        for body, kind in (*(as_parts(plain, content) for content in FILES), *odd_parts(plain)):
            await self.send(ACT, path, body, kind)
        await self.look(path)


def forms_of(html: str) -> dict[str, set[str]]:
    """The fields of each form of the page, by its act, without the file."""
    found = {}
    for form in html.split("<form")[1:]:
        fields = re.findall(r'name="(\w+)"(?: value="(\w+)")?', form.partition("</form>")[0])
        found[dict(fields)["act"]] = dict(fields).keys() - {"photo"}
    return found


@pytest.mark.timeout(300)
async def test_no_form_of_a_link_is_a_failure(postgres_server: str, template: str, tmp_path: Path) -> None:
    async with open_place(postgres_server, template, tmp_path) as place:
        contact = await place.country.world.contact("of-a-link", area=NEAR, room=False)
        account = (await place.access.account(PERSON)).id
        await place.pool.execute("UPDATE contact SET account = $2 WHERE id = $1", contact, account)
        stranger = LinkStranger(place, contact)
        path = await stranger.link()
        forms = forms_of((await stranger.ask("GET", path)).text)
        assert forms.keys() == NEEDS.keys()
        for act, names in forms.items():
            await stranger.try_form(act, names)
        for name in NAMES:
            for word in (f"{path}{quote(as_bytes(name))}", f"/i/{quote(as_bytes(name))}"):
                await stranger.send(SHOW, word)
                await stranger.send(ACT, word, as_form({"act": "note"}), FORM)
        stranger.headers = await place.access.headers(ADMIN)
        for number in stranger.incidents:
            await stranger.send(INCIDENT, f"/incidents/{number}")
        assert not stranger.wrong, "\n".join(stranger.wrong)[:6000]
        assert stranger.answers[303] > 50
        assert stranger.answers[422] > 50
