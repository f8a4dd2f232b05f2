"""Incidents as annotations: drawn over the curves of a dashboard, each from its beginning to its end. Pure but for the
load of the queries."""

from pathlib import Path
from typing import Final

from contract.said import Said
from grafana.fields import DATASOURCE, Json
from grafana.palette import VERMILION
from grafana.variables import sql_of
from store.sql import load_queries

QUERIES: Final = load_queries(Path(__file__).with_name("annotations.sql"))
_NAME: Final = Said("Incidents", "故障")
_BY_VARIABLE: Final = (("station", "of_station"), ("area", "incidents"))
_GRAFANAS_OWN: Final = {"limit": 100, "matchAny": False, "tags": [], "type": "dashboard"}
"""What Grafana's type of a target requires, and only its own data source reads."""


def annotations(variables: tuple[str, ...], language: str) -> list[Json]:
    """The annotations of a dashboard with these variables: incidents of its station, else of its area, else of Milepost
    itself. A person can switch them off at the top of the dashboard."""
    name = next((query for variable, query in _BY_VARIABLE if variable in variables), "of_platform")
    target = {
        **_GRAFANAS_OWN,
        "refId": "Anno",
        "datasource": dict(DATASOURCE),
        "editorMode": "code",
        "format": "table",
        "rawQuery": True,
        "rawSql": sql_of(getattr(QUERIES, name), language),
    }
    return [
        {
            "name": _NAME.text(language),
            "datasource": dict(DATASOURCE),
            "enable": True,
            "hide": False,
            "iconColor": VERMILION,
            "target": target,
        }
    ]
