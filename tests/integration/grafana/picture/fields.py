"""The fields of a panel: the columns of its queries with the options that its JSON gives each of them. Pure."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import msgspec

from tests.integration.grafana.picture.units import formatted

Panel = dict[str, Any]
Value = Any
Rows = Sequence[Mapping[str, Value]]
TEXT: Final = "text"
"""Grafana's name for the colour of its texts."""
_SPECIAL: Final = {"null+nan": (None,), "empty": ("",)}
"""The values that special mappings match."""
DEFAULT_STEPS: Final = ({"value": None, "color": "green"}, {"value": 80, "color": "red"})


class Shown(NamedTuple):
    """A value as a panel shows it."""

    text: str
    colour: str


class Field(msgspec.Struct, frozen=True):
    """A column. `options`: by their ids, as overrides name them; `label`: of a series that is one of several."""

    name: str
    values: Sequence[Value]
    options: Mapping[str, Any]
    label: str = ""

    @property
    def title(self) -> str:
        """Its heading, or the name of its series."""
        given = str(self.options.get("displayName", ""))
        return given.replace("${__field.labels.metric}", self.label) or f"{self.name} {self.label}".strip()

    @property
    def hidden(self) -> bool:
        return bool(self.options.get("custom.hidden") or self.options.get("custom.hideFrom", {}).get("viz"))

    @property
    def unit(self) -> str:
        return str(self.options.get("unit", "none"))

    def is_number(self) -> bool:
        return any(number(value) is not None for value in self.values) and self.unit != "dateTimeAsIso"

    def show(self, value: Value) -> Shown:
        """The text and the colour of a value: by its mappings, then by its unit and thresholds."""
        mapped, found = mapping_of(self.options, value), number(value)
        text = mapped.get("text")
        if text is None and found is not None:
            text = formatted(found, self.unit, self.options.get("decimals"))
        return Shown(
            text or ("" if value is None else str(value)) or str(self.options.get("noValue", "")),
            mapped.get("color") or self.colour(found),
        )

    def colour(self, found: float | None) -> str:
        """The colour of a number by the thresholds, or that of the whole field."""
        colour = self.options.get("color", {"mode": "thresholds"})
        if colour["mode"] in ("fixed", "shades"):
            return str(colour["fixedColor"])
        if colour["mode"] != "thresholds":
            raise ValueError(f"not drawn: colours by {colour['mode']}")
        at = -math.inf if found is None else found
        steps = self.options.get("thresholds", {"steps": DEFAULT_STEPS})["steps"]
        return str([step["color"] for step in steps if step["value"] is None or at >= step["value"]][-1])


def number(value: Value) -> float | None:
    """A value as a number; a moment in ms. None: it is none."""
    if isinstance(value, datetime):
        return value.timestamp() * 1000
    if value is None or isinstance(value, (str, bool, date)):
        return None
    return float(value)


def mapping_of(options: Mapping[str, Any], value: Value) -> Mapping[str, Any]:
    """What the mappings of a field say about a value."""
    for mapping in options.get("mappings", ()):
        known = mapping["options"]
        if mapping["type"] == "special" and value in _SPECIAL[known["match"]]:
            return dict(known["result"])
        key = str(value).lower() if isinstance(value, bool) else str(value)
        if mapping["type"] == "value" and key in known:
            return dict(known[key])
    return {}


def options_of(panel: Panel, name: str, series: bool) -> dict[str, Any]:
    """The options of a field: the panel's, and those of overrides that name it."""
    config = panel["fieldConfig"]
    options: dict[str, Any] = {"color": {"mode": "palette-classic"}} if series else {}
    options |= {key: value for key, value in config["defaults"].items() if key != "custom"}
    options |= {f"custom.{key}": value for key, value in config["defaults"].get("custom", {}).items()}
    for override in config["overrides"]:
        if override["matcher"]["id"] != "byName":
            raise ValueError(f"not drawn: the matcher {override['matcher']['id']}")
        if override["matcher"]["options"] == name:
            options |= {each["id"]: each["value"] for each in override["properties"]}
    return options


def columns_of(panel: Panel, rows: Rows, names: Sequence[str]) -> list[Field]:
    """The columns of a table."""
    return [Field(name, [row[name] for row in rows], options_of(panel, name, False)) for name in names]


def series_of(panel: Panel, rows: Rows, names: Sequence[str]) -> tuple[list[float], list[Field]]:
    """The moments in s, and a field for each column of numbers and each value of the column `metric`."""
    if set(names) > {"time", "metric"} and len(names) == 3 and "metric" in names:
        raise ValueError("not drawn: Grafana names the series of a single column of numbers by its metric alone")
    moments = sorted({seconds(row["time"]) for row in rows})
    made = []
    for label in sorted({str(row["metric"]) for row in rows}) if "metric" in names else [""]:
        at = {seconds(row["time"]): row for row in rows if "metric" not in names or str(row["metric"]) == label}
        for name in (name for name in names if name not in ("time", "metric")):
            values = [at[moment][name] if moment in at else None for moment in moments]
            made.append(Field(name, values, options_of(panel, name, True), label))
    return moments, made


def seconds(moment: Value) -> float:
    """A moment of a query in s since 1970."""
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)
