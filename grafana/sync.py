"""Creates or updates folder, data source and dashboards in a Grafana that runs elsewhere; can be repeated.

What comes from a provisioning file of that Grafana is left as it is: Grafana refuses to change it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from contract.errors import RemedyError
from contract.said import Said
from grafana import overview
from grafana.client import GrafanaClient
from grafana.panels import DATASOURCE, Json
from grafana.texts import LANGUAGES

FOLDER: Final = {"uid": "milepost", "title": "Milepost"}
_SSLMODE: Final = "require"


class SyncResult(msgspec.Struct, frozen=True):
    """The result for one thing: `created`, `updated`, `unchanged` or `provisioned` (left as it is)."""

    thing: Said
    became: str


def sync(grafana: GrafanaClient, *, reader_url: str | None, force: bool = False) -> list[SyncResult]:
    """Create what is missing and update what differs; `force` updates everything, including the password.

    `reader_url`: the URL of PostgreSQL as Grafana reaches it, with the account that only reads; None keeps an existing
    data source. Raises RemedyError.
    """
    return [
        SyncResult(Said("folder Milepost", "文件夹 Milepost"), _folder(grafana)),
        SyncResult(Said("data source Milepost", "数据源 Milepost"), _datasource(grafana, reader_url, force)),
        *(SyncResult(_called(each), _dashboard(grafana, each, force)) for each in LANGUAGES),
    ]


def _called(language: str) -> Said:
    title = overview.build(language)["title"]
    return Said(f"dashboard {title}", f"仪表盘 {title}")


def _folder(grafana: GrafanaClient) -> str:
    found = grafana.get(f"/folders/{FOLDER['uid']}")
    if found is None:
        grafana.post("/folders", FOLDER)
        return "created"
    if found.get("title") == FOLDER["title"]:
        return "unchanged"
    grafana.put(f"/folders/{FOLDER['uid']}", {"title": FOLDER["title"], "overwrite": True})
    return "updated"


def _datasource(grafana: GrafanaClient, reader_url: str | None, force: bool) -> str:
    path = f"/datasources/uid/{DATASOURCE['uid']}"
    found = grafana.get(path)
    if found is not None and found.get("readOnly"):
        return "provisioned"
    if reader_url is None:
        if found is None:
            raise RemedyError(
                "Grafana has no data source for Milepost yet: set MILEPOST_READER_URL to the database as Grafana "
                "reaches it, with an account that is a member of milepost_reader",
                "Grafana 中还没有 Milepost 的数据源：请将 MILEPOST_READER_URL 设为 Grafana 所用的数据库地址，"
                "其账户须属于 milepost_reader",
            )
        return "unchanged"
    wanted = datasource(reader_url)
    if found is None:
        grafana.post("/datasources", wanted)
        return "created"
    # A password cannot be read back, so a changed one is only sent with `force`.
    shown = {name: value for name, value in wanted.items() if name != "secureJsonData"}
    if contains(found, shown) and (found.get("secureJsonFields") or {}).get("password") and not force:
        return "unchanged"
    grafana.put(path, {"version": found.get("version"), **wanted})
    return "updated"


def datasource(url: str) -> Json:
    """The data source of Grafana for a PostgreSQL URL; without `?sslmode=` TLS is required."""
    parts = urlsplit(url)
    sslmode = parse_qs(parts.query).get("sslmode", [_SSLMODE])[-1]
    return {
        "uid": DATASOURCE["uid"],
        "type": DATASOURCE["type"],
        "name": "Milepost",
        "access": "proxy",
        "url": f"{parts.hostname}:{parts.port or 5432}",
        "user": unquote(parts.username or ""),
        "jsonData": {"database": unquote(parts.path[1:]), "sslmode": sslmode, "postgresVersion": 1700},
        "secureJsonData": {"password": unquote(parts.password or "")},
    }


def _dashboard(grafana: GrafanaClient, language: str, force: bool) -> str:
    wanted = marked(overview.build(language))
    found = grafana.get(f"/dashboards/uid/{wanted['uid']}")
    if found is not None and _mapping_of(found, "meta").get("provisioned"):
        return "provisioned"
    # Grafana returns a dashboard converted to its newest model, so the tag is compared and not the content.
    if found is not None and not force and _is_ours(found, wanted):
        return "unchanged"
    grafana.post("/dashboards/db", {"dashboard": wanted, "folderUid": FOLDER["uid"], "overwrite": True})
    return "created" if found is None else "updated"


def _is_ours(found: Mapping[str, Any], wanted: Json) -> bool:
    there = _mapping_of(found, "dashboard")
    return there.get("tags") == wanted["tags"] and _mapping_of(found, "meta").get("folderUid") == FOLDER["uid"]


def marked(dashboard: Json) -> Json:
    """The dashboard with a tag that is a checksum of its content."""
    digest = hashlib.sha256(json.dumps(dashboard, sort_keys=True).encode()).hexdigest()[:12]
    return {**dashboard, "tags": [*dashboard["tags"], f"milepost-{digest}"]}


def contains(there: Any, wanted: Any) -> bool:
    """Whether `there` has all fields of `wanted` with the same values; it may have more fields."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(contains(there.get(key), value) for key, value in wanted.items())
    return bool(there == wanted)


def _mapping_of(answer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = answer.get(key)
    return value if isinstance(value, Mapping) else {}


def report(changes: list[SyncResult], say: Callable[[Said], None]) -> None:
    """Say the results, one line each."""
    for change in changes:
        thing, became = change.thing, _BECAME[change.became]
        say(Said(f"{thing.en}: {became.en}", f"{thing.zh}：{became.zh}"))


_BECAME: Final = {
    "created": Said("created", "已创建"),
    "updated": Said("updated", "已更新"),
    "unchanged": Said("as it should be", "无需更改"),
    "provisioned": Said("comes from a file of this Grafana, left as it is", "来自该 Grafana 的文件，保持原样"),
}
