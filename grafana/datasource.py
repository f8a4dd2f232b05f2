"""The data source of the dashboards: PostgreSQL with an account that only reads."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from contract.errors import RemedyError
from grafana.area_copy import DashboardArea
from grafana.client import GrafanaClient
from grafana.fields import DATASOURCE, Json

_SSLMODE: Final = "require"


def source_name(area: DashboardArea | None) -> str:
    """The name of the data source, which Grafana wants to be unique."""
    return "Milepost" if area is None else f"Milepost {area.code}"


def datasource(url: str, area: DashboardArea | None = None) -> Json:
    """The data source of Grafana for a PostgreSQL URL; without `?sslmode=` TLS is required."""
    parts = urlsplit(url)
    sslmode = parse_qs(parts.query).get("sslmode", [_SSLMODE])[-1]
    return {
        "uid": DATASOURCE["uid"] if area is None else area.source_uid,
        "type": DATASOURCE["type"],
        "name": source_name(area),
        "access": "proxy",
        "url": f"{parts.hostname}:{parts.port or 5432}",
        "user": unquote(parts.username or ""),
        "jsonData": {"database": unquote(parts.path[1:]), "sslmode": sslmode, "postgresVersion": 1700},
        "secureJsonData": {"password": unquote(parts.password or "")},
    }


def sync_datasource(
    grafana: GrafanaClient, url: str | None, area: DashboardArea | None, *, always: bool, dry_run: bool
) -> str:
    """Create or update it; what became of it. `always`: also if nothing else than the password may differ.

    Raises RemedyError when there is none and `url` is None.
    """
    path = f"/datasources/uid/{DATASOURCE['uid'] if area is None else area.source_uid}"
    found = grafana.get(path)
    if found is not None and found.get("readOnly"):
        return "provisioned"
    if url is None:
        if found is None:
            raise RemedyError(
                "Grafana has no data source for Milepost yet: set MILEPOST_READER_URL to the database as Grafana "
                "reaches it, with an account that is a member of milepost_reader",
                "Grafana 中还没有 Milepost 的数据源：请将 MILEPOST_READER_URL 设为 Grafana 所用的数据库地址，"
                "其账户须属于 milepost_reader",
            )
        return "unchanged"
    wanted = datasource(url, area)
    if found is None:
        if not dry_run:
            grafana.post("/datasources", wanted)
        return "created"
    # Grafana returns no password, so it cannot be compared.
    shown = {name: value for name, value in wanted.items() if name != "secureJsonData"}
    has_password = (found.get("secureJsonFields") or {}).get("password")
    if contains(found, shown) and has_password and not always:
        return "unchanged"
    if not dry_run:
        grafana.put(path, {"version": found.get("version"), **wanted})
    return "updated"


def contains(there: Any, wanted: Any) -> bool:
    """Whether `there` has all fields of `wanted` with the same values; it may have more fields."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(contains(there.get(key), value) for key, value in wanted.items())
    return bool(there == wanted)
