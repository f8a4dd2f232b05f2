"""The dashboards by Grafana's own types, as npm has them. JSON Schemas are made of the types here; none is committed.

Those of a map are the foundation SDK's.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contract.said import Said
from grafana.area_copy import DashboardArea, copy_for
from grafana.dashboard import LANGUAGES
from grafana.files import DASHBOARDS
from tests import npm

pytestmark = pytest.mark.timeout(240)  # the first run installs Grafana's types
FOLDER = Path(npm.__file__).with_name("grafana_schema")
PANELS = ("stat", "table", "timeseries", "state-timeline")
STYLE = {"color": "Color", "size": "Scale", "symbol": "Resource", "text": "Text"}
"""By what the markers of a map are drawn: each part of their style and its type. No type says which parts there are."""
BEFORE = "custom.hidden"
"""What an earlier Grafana reads in place of `hideFrom`."""
BUILT = {each["uid"]: each for dashboard in DASHBOARDS for each in map(dashboard.build, LANGUAGES)}

Schemas = Mapping[str, jsonschema.Draft7Validator]
Panel = dict[str, Any]


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    """{name: what validates}: a dashboard, `field`, and the options and field options of each kind of panel."""
    npm.install(FOLDER)
    node = shutil.which("node")
    assert node is not None, "npm is there, so node is"
    made = subprocess.run([node, "schemas.mjs", *PANELS], cwd=FOLDER, capture_output=True, timeout=120, check=True)
    found = json.loads(made.stdout)
    found["field"] = {**found["dashboard"], "$ref": "#/definitions/FieldConfig"}
    for kind in PANELS:  # Grafana adds the field options of a panel that are not set
        found[f"{kind} FieldConfig"]["definitions"]["FieldConfig"].pop("required", None)
    return {name: jsonschema.Draft7Validator(schema) for name, schema in found.items()}


def wrong(schemas: Schemas, name: str, value: Any) -> Iterator[str]:
    yield from (f"{name}: {each.json_path}: {each.message[:300]}" for each in schemas[name].iter_errors(value))


def wrong_panel(schemas: Schemas, panel: Panel) -> Iterator[str]:
    """What Grafana's types say against the options of a panel, its fields and their overrides."""
    kind, config = panel["type"], panel.get("fieldConfig", {"defaults": {}, "overrides": []})
    if kind in PANELS:
        yield from wrong(schemas, f"{kind} Options", panel["options"])
        yield from wrong(schemas, f"{kind} FieldConfig", config["defaults"].get("custom", {}))
    if kind == "geomap":
        yield from wrong_map(schemas, panel)
    for each in (each for override in config["overrides"] for each in override["properties"]):
        name = each["id"].removeprefix("custom.")
        if each["id"] != BEFORE:
            yield from wrong(schemas, "field" if name == each["id"] else f"{kind} FieldConfig", {name: each["value"]})


def wrong_map(schemas: Schemas, panel: Panel) -> Iterator[str]:
    """What the foundation SDK's types say against a map, its view, and the style of its layers of markers."""
    options = panel["options"]
    yield from wrong(schemas, "geomap Options", options)
    yield from wrong(schemas, "geomap view", options["view"]["id"])
    yield from (f"a map has no field option {name}" for name in panel["fieldConfig"]["defaults"].get("custom", {}))
    for layer in options["layers"]:
        config = layer["config"]
        yield from (f"unknown in a layer: {name}" for name in config.keys() - {"showLegend", "style"})
        yield from (f"unknown in a style: {name}" for name in config["style"].keys() - {*STYLE, "opacity"})
        for part, kind in STYLE.items():
            yield from wrong(schemas, f"geomap {kind}", config["style"][part])


def own_targets(built: Panel) -> Panel:
    """A dashboard with only those fields of its annotations that Grafana itself reads: the type has no more.
    The others are those of a query of a panel."""
    queries = [target for panel in built["panels"] for target in panel.get("targets", ())]
    fields = {"limit", "matchAny", "tags", "type"}
    listed = built["annotations"]["list"]
    for each in listed:
        assert each["target"].keys() - fields == queries[0].keys()
    kept = [{**each, "target": {name: each["target"][name] for name in fields}} for each in listed]
    return {**built, "annotations": {"list": kept}}


@pytest.mark.parametrize("uid", BUILT)
def test_grafanas_types_take_every_dashboard(schemas: Schemas, uid: str) -> None:
    built = BUILT[uid]
    assert list(wrong(schemas, "dashboard", own_targets(built))) == []
    assert [line for panel in built["panels"] for line in wrong_panel(schemas, panel)] == []
    copy = copy_for(DashboardArea((("63", Said("Qinghai", "青海")),)), built, "en")
    assert list(wrong(schemas, "dashboard", own_targets(copy))) == []


def test_what_grafana_does_not_know_is_noticed(schemas: Schemas) -> None:
    built = BUILT["milepost-overview-en"]
    panel = next(each for each in built["panels"] if each["type"] == "stat")
    assert list(wrong(schemas, "dashboard", {**own_targets(built), "colour": "red"}))
    assert list(wrong(schemas, "dashboard", {**own_targets(built), "refresh": 60}))
    (annotation,) = own_targets(built)["annotations"]["list"]
    assert list(wrong(schemas, "dashboard", {**built, "annotations": {"list": [{**annotation, "icon": "red"}]}}))
    assert list(wrong_panel(schemas, {**panel, "options": {**panel["options"], "colorMode": "red"}}))
    odd = {"matcher": {"id": "byName"}, "properties": [{"id": "units", "value": "h"}]}
    assert list(wrong_panel(schemas, {**panel, "fieldConfig": {"defaults": {}, "overrides": [odd]}}))


def changed(value: Any, path: str, new: Any) -> Any:
    """A copy of a document in which the value at a path of names and numbers is another one."""
    name, _, rest = path.partition(".")
    key: Any = int(name) if isinstance(value, list) else name
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[key] = changed(value[key], rest, new) if rest else new
    return copy


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("view.zooom", 4),
        ("view.id", "fitted"),
        ("controls.showZoom", "yes"),
        ("basemap.kind", "default"),
        ("tooltip.mode", "all"),
        ("layers.0.location.mode", "place"),
        ("layers.0.location.latitud", "latitude"),
        ("layers.0.config.legend", True),
        ("layers.0.config.style.colour", {}),
        ("layers.0.config.style.color.feld", "share"),
        ("layers.0.config.style.size.max", "18"),
        ("layers.0.config.style.symbol.mode", "drawn"),
        ("layers.0.config.style.text.mode", "word"),
    ],
)
def test_what_a_map_does_not_know_is_noticed(schemas: Schemas, path: str, value: Any) -> None:
    panel = next(each for each in BUILT["milepost-map-en"]["panels"] if each["type"] == "geomap")
    assert list(wrong_panel(schemas, panel)) == []
    assert list(wrong_panel(schemas, {**panel, "options": changed(panel["options"], path, value)}))
