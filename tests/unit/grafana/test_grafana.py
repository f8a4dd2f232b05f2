"""The dashboards as files: written by the code, in Grafana's own model, complete in both languages."""

import json
import re
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as model

from alerting.stations.verdict import Verdict
from grafana import overview
from grafana.panels import COLOURS, DATASOURCE
from grafana.texts import _TEXTS, LANGUAGES

register_default_plugins()  # so that the options of each kind of panel are read by its own model
BUILT = {language: overview.build(language) for language in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_is_what_the_code_writes(language: str) -> None:
    written = overview.path_of(language).read_text(encoding="utf-8")
    assert written == overview.render(language), "run `python -m grafana.overview`"


def lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """What of `given` is not in `kept`, by path."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [line for key in given for line in lost(given[key], kept.get(key, "missing"), f"{path}.{key}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [
            line for n, pair in enumerate(zip(given, kept, strict=True)) for line in lost(*pair, path=f"{path}[{n}]")
        ]
    return [] if given == kept else [path]


@pytest.mark.parametrize("language", LANGUAGES)
def test_grafanas_own_model_takes_all_of_it(language: str) -> None:
    parsed = model.Dashboard.from_json(json.loads(overview.render(language)))
    assert lost(BUILT[language], json.loads(JSONEncoder().encode(parsed))) == []


def test_a_field_that_grafana_does_not_know_is_noticed() -> None:
    changed = {**BUILT["en"], "colour": "red"}
    assert lost(changed, json.loads(JSONEncoder().encode(model.Dashboard.from_json(changed)))) == [".colour"]


def test_both_languages_show_the_same() -> None:
    shapes = [[(p["type"], p["gridPos"], len(p.get("targets", ()))) for p in each["panels"]] for each in BUILT.values()]
    assert shapes[0] == shapes[1]
    assert len({each["uid"] for each in BUILT.values()}) == len(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_panels_have_numbers_of_their_own_and_do_not_overlap(language: str) -> None:
    made = BUILT[language]["panels"]
    assert len({panel["id"] for panel in made}) == len(made)
    taken = [
        (x, y)
        for grid in (panel["gridPos"] for panel in made)
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(set(taken)) == len(taken)
    assert max(x for x, _ in taken) == 23


def test_every_text_is_there_in_both_languages_and_english_has_no_chinese() -> None:
    assert all(all(words) for words in _TEXTS.values())
    assert [key for key, (_, en) in _TEXTS.items() if key != "other" and re.search(r"[\u4e00-\u9fff]", en)] == []


def test_every_verdict_has_a_colour() -> None:
    assert {verdict.value for verdict in Verdict} <= set(COLOURS)


def test_every_query_is_used() -> None:
    text = overview.render("en")
    for name in dict(overview.QUERIES.items()):
        assert json.dumps(overview.query(name, "en"), ensure_ascii=False) in text, name


def test_the_data_source_is_the_one_that_is_provisioned() -> None:
    provisioned = (overview.FOLDER.parent / "provisioning/datasources/milepost.yaml").read_text(encoding="utf-8")
    assert f"uid: {DATASOURCE['uid']}" in provisioned
    assert f"type: {DATASOURCE['type']}" in provisioned
    assert "password: $__file{" in provisioned
