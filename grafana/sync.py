"""Creates or updates folders, data source and dashboards in a Grafana that runs elsewhere; can be repeated.

Nothing that people did there is undone without `force`: what comes from a provisioning file, what was saved by hand,
and what has another owner is left and named. Each thing is decided and written by itself, so that the next run finishes
a run that broke off.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from contract.said import Said
from grafana.area_copy import DashboardArea, copy_for
from grafana.client import GrafanaClient
from grafana.dashboard import LANGUAGES, SCHEMA, TAG, Dashboard
from grafana.datasource import source_name, sync_datasource
from grafana.fields import Json
from grafana.files import DASHBOARDS

MESSAGE: Final = "milepost grafana sync"
"""What our versions of a dashboard are saved with: a newest version with another message was saved by a person."""
_FOLDERS: Final = {"zh-CN": ("milepost-zh", "Milepost zh-CN"), "en": ("milepost-en", "Milepost en")}
_OF_THE_PLATFORM: Final = "pipeline"
"""The dashboard that is about no area."""


class SyncOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a sync writes.

    `reader_url`: the URL of PostgreSQL as Grafana reaches it, with the account that only reads; None keeps an existing
    data source. `area`: the dashboards of this area; None: of the whole. `force` also overwrites what was saved by
    hand, and the password; `new_password` only the password. `dry_run` writes nothing.
    """

    reader_url: str | None
    area: DashboardArea | None = None
    force: bool = False
    new_password: bool = False
    dry_run: bool = False


class SyncResult(msgspec.Struct, frozen=True):
    """The result for one thing; `became` is a key of `_BECAME`, `parts` are the panels that differ."""

    thing: Said
    became: str
    parts: tuple[Said, ...] = ()


def sync(grafana: GrafanaClient, options: SyncOptions) -> Iterator[SyncResult]:
    """Create what is missing and update what differs; gives each result when it is reached. Raises RemedyError."""
    for language in LANGUAGES:
        folder = folder_of(language, options.area)
        thing = Said(f"folder {folder['title']}", f"文件夹 {folder['title']}")
        yield SyncResult(thing, _folder(grafana, folder, options))
    name = source_name(options.area)
    yield SyncResult(Said(f"data source {name}", f"数据源 {name}"), _datasource(grafana, options))
    for dashboard in DASHBOARDS:
        if options.area is None or dashboard.name != _OF_THE_PLATFORM:
            for language in LANGUAGES:
                yield _dashboard(grafana, dashboard, language, options)


def needs_password(grafana: GrafanaClient, options: SyncOptions) -> bool:
    """Whether a sync would write the data source, and with it the password. Raises RemedyError."""
    return _datasource(grafana, msgspec.structs.replace(options, dry_run=True)) in ("created", "updated")


def folder_of(language: str, area: DashboardArea | None = None) -> dict[str, str]:
    """The folder of a language: uid and title."""
    uid, title = _FOLDERS[language]
    if area is None:
        return {"uid": uid, "title": title}
    return {"uid": area.own_uid(uid), "title": area.titled(title, language)}


def _folder(grafana: GrafanaClient, folder: Mapping[str, str], options: SyncOptions) -> str:
    """A folder that people renamed or moved keeps its name and place: its uid finds it."""
    if grafana.get(f"/folders/{folder['uid']}") is not None:
        return "unchanged"
    if not options.dry_run:
        grafana.post("/folders", folder)
    return "created"


def _datasource(grafana: GrafanaClient, options: SyncOptions) -> str:
    return sync_datasource(
        grafana,
        options.reader_url,
        options.area,
        always=options.force or options.new_password,
        dry_run=options.dry_run,
    )


def _dashboard(grafana: GrafanaClient, dashboard: Dashboard, language: str, options: SyncOptions) -> SyncResult:
    built, folder = dashboard.build(language), folder_of(language, options.area)["uid"]
    wanted = marked(built if options.area is None else copy_for(options.area, built, language))
    thing = Said(f"dashboard {wanted['title']}", f"仪表盘 {wanted['title']}")
    found = grafana.get(f"/dashboards/uid/{wanted['uid']}")
    if found is None:
        _save(grafana, wanted, folder, options)
        return SyncResult(thing, "created")
    there, meta = _mapping_of(found, "dashboard"), _mapping_of(found, "meta")
    if meta.get("provisioned"):
        return SyncResult(thing, "provisioned")
    if refusal := None if options.force else _left(grafana, there, wanted["uid"]):
        return SyncResult(thing, refusal, differing(there, wanted))
    # Grafana answers a dashboard converted to its newest model, so the tags are compared and not the content.
    if there.get("tags") == wanted["tags"] and not options.force:
        return SyncResult(thing, "unchanged")
    # A dashboard stays in the folder to which people moved it.
    _save(grafana, wanted, str(meta.get("folderUid") or folder), options)
    return SyncResult(thing, "updated", differing(there, wanted))


def _left(grafana: GrafanaClient, there: Mapping[str, Any], uid: str) -> str | None:
    """Why a dashboard that exists is left as it is; None: it is as we saved it."""
    if TAG not in (there.get("tags") or ()):
        return "foreign"
    message = grafana.newest_message(uid)
    if message is not None and not message.startswith(MESSAGE):
        return "newer" if "elements" in there or int(there.get("schemaVersion") or 0) > SCHEMA else "by_hand"
    return None


def _save(grafana: GrafanaClient, wanted: Json, folder: str, options: SyncOptions) -> None:
    if not options.dry_run:
        message = f"{MESSAGE} {wanted['tags'][-1]}"
        grafana.post(
            "/dashboards/db", {"dashboard": wanted, "folderUid": folder, "overwrite": True, "message": message}
        )


def marked(dashboard: Json) -> Json:
    """The dashboard with a tag that is a checksum of its content."""
    digest = hashlib.sha256(json.dumps(dashboard, sort_keys=True).encode()).hexdigest()[:12]
    return {**dashboard, "tags": [*dashboard["tags"], f"{TAG}-{digest}"]}


def differing(there: Mapping[str, Any], wanted: Json) -> tuple[Said, ...]:
    """The panels that are only there, only wanted, or have other queries, by their titles."""
    old, new = _queries_by_title(there), _queries_by_title(wanted)
    return (
        *(Said(f"+ {title}", f"+ {title}") for title in new if title not in old),
        *(Said(f"- {title}", f"- {title}") for title in old if title not in new),
        *(Said(f"~ {title}", f"~ {title}") for title in new if title in old and old[title] != new[title]),
    )


def _queries_by_title(dashboard: Mapping[str, Any]) -> dict[str, list[Any]]:
    panels = [panel for panel in dashboard.get("panels") or () if isinstance(panel, Mapping)]
    return {str(panel.get("title")): [each.get("rawSql") for each in panel.get("targets") or ()] for panel in panels}


def _mapping_of(answer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = answer.get(key)
    return value if isinstance(value, Mapping) else {}


def say_result(result: SyncResult, say: Callable[[Said], None]) -> None:
    """Say a result in one line, and a line for each panel that differs."""
    thing, became = result.thing, _BECAME[result.became]
    say(Said(f"{thing.en}: {became.en}", f"{thing.zh}：{became.zh}"))
    for part in result.parts:
        say(Said(f"  {part.en}", f"  {part.zh}"))


_BECAME: Final = {
    "created": Said("created", "已创建"),
    "updated": Said("updated", "已更新"),
    "unchanged": Said("as it should be", "无需更改"),
    "provisioned": Said("comes from a file of this Grafana, left as it is", "来自该 Grafana 的文件，保持原样"),
    "foreign": Said("another dashboard has this uid, left as it is", "该 uid 已被其他仪表盘使用，保持原样"),
    "by_hand": Said(
        "was saved by hand in Grafana, left as it is (--force overwrites it)",
        "曾在 Grafana 中手工保存，保持原样（--force 可覆盖）",
    ),
    "newer": Said(
        "was saved by hand in a newer format than ours, left as it is (--force overwrites it)",
        "曾在 Grafana 中以更新的格式手工保存，保持原样（--force 可覆盖）",
    ),
}
