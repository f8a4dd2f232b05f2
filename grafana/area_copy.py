"""The dashboards of one area: the same panels with a data source that sees this area and all below it. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from contract.said import Said
from grafana.fields import DATASOURCE, LEVELS, Json

_MOST_IN_UID: Final = 18
"""Characters of a code in a uid, which Grafana limits to 40."""
_HASHED: Final = 12


class DashboardArea(msgspec.Struct, frozen=True):
    """An area that has dashboards of its own. `path`: codes and names from the top down to the area."""

    path: tuple[tuple[str, Said], ...]

    @property
    def code(self) -> str:
        """Its code."""
        return self.path[-1][0]

    @property
    def mark(self) -> str:
        """What stands for the area in uids and tags."""
        if len(self.code) <= _MOST_IN_UID:
            return self.code
        return hashlib.sha256(self.code.encode()).hexdigest()[:_HASHED]

    @property
    def source_uid(self) -> str:
        """The uid of its data source."""
        return f"{DATASOURCE['uid']}-{self.mark}"

    def own_uid(self, uid: str) -> str:
        """The uid of its copy of a folder or dashboard."""
        product, _, rest = uid.partition("-")
        return f"{product}-{self.mark}-{rest}"

    def titled(self, title: str, language: str) -> str:
        """A title with the name of the area."""
        return f"{title} · {self.path[-1][1].text(language)}"


def copy_for(area: DashboardArea, dashboard: Json, language: str) -> Json:
    """The dashboard of an area: own uid, data source, title and links, and the area is chosen; tags say whose it is."""
    made: Json = _replaced(dashboard, area)
    return {
        **made,
        "uid": area.own_uid(dashboard["uid"]),
        "title": area.titled(dashboard["title"], language),
        "tags": [made["tags"][0], *(f"{tag}-{area.mark}" for tag in made["tags"][1:])],
        "links": [_own_link(link, area) for link in made["links"]],
        "templating": {"list": [_chosen(variable, area, language) for variable in made["templating"]["list"]]},
    }


def _own_link(link: Json, area: DashboardArea) -> Json:
    return {**link, "tags": [f"{tag}-{area.mark}" for tag in link["tags"]]}


def _chosen(variable: Json, area: DashboardArea, language: str) -> Json:
    """A variable of a level with the area of this level, down to the area itself."""
    levels = dict(zip(LEVELS, area.path, strict=False))
    if variable["name"] not in levels:
        return variable
    code, name = levels[variable["name"]]
    return {**variable, "current": {"text": name.text(language), "value": code}}


def _replaced(value: Any, area: DashboardArea) -> Any:
    """The same with the data source of the area, and with links to its dashboards."""
    if isinstance(value, Mapping):
        if value == DATASOURCE:
            return {**DATASOURCE, "uid": area.source_uid}
        return {name: _replaced(each, area) for name, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, area) for each in value]
    return value.replace("/d/milepost-", f"/d/milepost-{area.mark}-") if isinstance(value, str) else value
