"""The variables at the top of the dashboards, and the parts that queries have in common.

An area is chosen level by level. The hidden variable `area` is the deepest choice, and `*` is all; queries read it.
"""

import re
from pathlib import Path
from typing import Final

from contract.glossary import WORDS, word
from contract.home import HOME_ZONE
from contract.said import Said, capital
from grafana.fields import DATASOURCE, LEVELS, Json
from store.sql import load_queries

QUERIES: Final = load_queries(Path(__file__).with_name("variables.sql"))
PART: Final = "part_"
"""Of the names of queries that are parts of other queries."""
ALL: Final = Said("All", "全部")
AREA: Final = (*LEVELS, "area")
FILTERS: Final = (*AREA, "programme", "kind")
_LABELS: Final = {
    "area1": Said("Province", "省级"),
    "area2": Said("Prefecture", "地级"),
    "area3": Said("County", "县级"),
    "area4": Said("Township", "乡级"),
    "kind": Said("Kind", "类别"),
    "console": Said("Console", "控制台"),
}
_HIDDEN: Final = ("area", "console")
_HIDE_VARIABLE: Final = 2
_ON_LOAD: Final = 1
_PARTS: Final = [name.removeprefix(PART) for name, _ in QUERIES.items() if name.startswith(PART)]
_FIND_PART: Final = re.compile(rf"\{{({'|'.join(_PARTS)})(?: ([\w.]+))?\}}")


def variable(name: str, language: str) -> Json:
    """A variable in Grafana's model, with its values from a query. Raises AttributeError for one without a query."""
    everything = {"text": ALL.text(language), "value": "*"}
    return {
        "type": "query",
        "name": name,
        "label": _label(name, language),
        "datasource": dict(DATASOURCE),
        "query": sql_of(getattr(QUERIES, name), language),
        "refresh": _ON_LOAD,
        "sort": 0,
        "multi": False,
        "includeAll": False,
        "hide": _HIDE_VARIABLE if name in _HIDDEN else 0,
        "skipUrlSync": name in _HIDDEN,
        "options": [],
        "current": everything if name in FILTERS else {"text": "", "value": ""},
    }


def _label(name: str, language: str) -> str:
    if name not in WORDS["scope"]:
        return _LABELS[name].text(language)
    return capital(word("scope", name, language))


def sql_of(text: str, language: str) -> str:
    """A query without comments, with its parts and names filled in.

    `{in_area COLUMN}`: the area of the column is the chosen one or lies below it.
    `{chosen ALIAS}`: the same for rows of `station` (ALIAS.id) or `station_verdict`, of the chosen programme and kind.
    `{on_path ALIAS}`: the column `path` goes through the chosen area.
    `{at_area ALIAS}`: a row of sums is that of the chosen area; of everything: those of the topmost areas.
    `{below_area ALIAS}`: a row of sums is that of an area directly below the chosen one.
    `{chosen_depth}`: a CTE `chosen` with the depth of the chosen area.
    `{levels ALIAS}`: the columns for links to the area of the column `path`.
    `{rates ALIAS}`: the rates of the sums of figures.
    `{standing}`: a CTE `standing` with the figures of areas in the time range that stand.
    `{overdue_since ALIAS}`: when the promised time of an open incident was over, or will be.
    `{first_day}`, `{last_day}`: the local days in which the time range begins and ends.
    `{can_be_down ALIAS}`: whether a station of `station_verdict` can be down, by its state.
    `{place ALIAS}`: the name of that which an incident is about.
    `{sound}`: whether every clock can be trusted and nothing is set aside.
    `{kept}`: whether kept counts of areas can be read in place of stations.
    `{counted_below}`: a CTE `counted` with the stations of each area below the chosen one, and those that are down.
    `{use}`: a CTE `use` with sums of use in the time range by area and day.
    `{used ALIAS}`, `{sessions ALIAS}`: whether and how often a station was used, of rows of `usage_month`.
    """
    filled = _without_comments(text)
    while _FIND_PART.search(filled):  # a part can have parts
        filled = _FIND_PART.sub(_part, filled)
    words = {
        "{name}": "name_en" if language == "en" else "name",
        "{all}": ALL.text(language),
        "{zone}": HOME_ZONE,
        "{kind_words}": _words_of("kind", "station_kind", language),
        "{incident_words}": _words_of("i.kind", "kind", language),
        "{cause_words}": _words_of("cause", "revision_cause", language),
    }
    for placeholder, value in words.items():
        filled = filled.replace(placeholder, value)
    return filled


def link_values(names: tuple[str, ...]) -> str:
    """The present values of variables, for the address of another dashboard."""
    return "&".join("${" + name + ":queryparam}" for name in names)


def _words_of(column: str, family: str, language: str) -> str:
    """The words of the values of a column; other values stand for themselves."""
    texts = {value: word(family, value, language).replace("'", "''") for value in WORDS[family]}
    cases = " ".join(f"WHEN '{value}' THEN '{text}'" for value, text in texts.items())
    return f"CASE {column} {cases} ELSE {column} END"


def _part(found: re.Match[str]) -> str:
    table, _, column = (found[2] or "").partition(".")
    text = _without_comments(getattr(QUERIES, PART + found[1]))
    area = f"{table}.{column or 'area'}" if found[1] == "in_area" else f"{table}.area"
    station = f"{table}.{column or 'station'}"
    return (
        text.replace("AREA", area).replace("STATION", station).replace("KIND", f"{table}.kind").replace("TABLE", table)
    )


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))
