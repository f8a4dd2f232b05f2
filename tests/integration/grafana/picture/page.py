"""A dashboard as a page. Pure."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

from tests.integration.grafana.picture.charts import Drawn
from tests.integration.grafana.picture.panels import CELL, RANK

WIDTH: Final = 24 * CELL + 20
_STYLE: Final = """
body { margin: 10px; background: #f4f5f5; color: #24292e; font: 14px Inter, "Noto Sans CJK SC", sans-serif }
header p { display: inline; color: #555; margin-left: 1em }
h1 { display: inline; font-size: 18px }
main { position: relative; margin-top: 12px }
section { position: absolute; background: white; border: 1px solid #ddd; box-sizing: border-box; overflow: hidden }
h2 { position: absolute; font-size: 16px; margin: 4px }
h3 { font-size: 14px; margin: 7px 8px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.none { text-align: center; font-size: 16px; color: #777 }
.stat { display: flex; gap: 4px; padding: 0 6px }
.stat div { flex: 1; display: flex; flex-direction: column; justify-content: center; align-items: center; min-width: 0 }
.stat b { font-weight: 500; color: var(--value); white-space: nowrap }
.stat span { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; max-width: 100% }
.table { overflow: hidden; margin: 0 6px }
table { border-collapse: collapse; table-layout: fixed }
td b { display: block; padding: 1px 6px; font-weight: 500 }
th, td { box-sizing: border-box; padding: 5px 6px; border-bottom: 1px solid #eee }
th, td { white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
th { color: #1f62e0; font-weight: 500 }
a { text-decoration: underline }
svg { display: block; margin: 0 4px; font-size: 11px }
.legend { padding: 4px 10px; white-space: nowrap; overflow: hidden }
.legend span { margin-right: 14px } .legend i { display: inline-block; width: 22px; margin: 0 5px 4px 0 }
"""


def page(built: dict[str, Any], panels: Sequence[Drawn], language: str) -> str:
    """The HTML of a dashboard whose panels are drawn."""
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in built["panels"]) * RANK
    labels = " · ".join(each["label"] for each in built["templating"]["list"] if not each["hide"])
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{escape(built["title"])}</title>'
        f"<style>{_STYLE}</style><header><h1>{escape(built['title'])}</h1><p>{escape(built['description'])}</p>"
        f"<p>[{escape(labels)}]</p></header>"
        f'<main style="height:{height}px">{"".join(panel.html for panel in panels)}</main></html>'
    )
