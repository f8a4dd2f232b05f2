"""The dashboards as files: written by the code, in Grafana's own model, complete in both languages."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as model

from alerting.stations.verdict import Verdict
from contract.glossary import WORDS
from grafana import alerts, files
from grafana.dashboard import LANGUAGES, Dashboard, Rank, _placed
from grafana.fields import COLUMNS, DATASOURCE, mappings, words
from grafana.palette import VERDICTS

register_default_plugins()  # so that the options of each kind of panel are read by its own model
EACH = [
    pytest.param(dashboard, language, id=f"{dashboard.name}-{language}")
    for dashboard in files.DASHBOARDS
    for language in LANGUAGES
]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """All texts in a document, with the key that each has."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, key)
    elif isinstance(value, str):
        yield key, value


@pytest.mark.parametrize(("dashboard", "language"), EACH)
def test_the_file_is_what_the_code_writes(dashboard: Dashboard, language: str) -> None:
    written = files.path_of(dashboard, language).read_text(encoding="utf-8")
    assert written == dashboard.render(language), "run `python -m grafana.files`"


def test_there_are_no_other_files() -> None:
    kept = {files.path_of(dashboard, language) for dashboard in files.DASHBOARDS for language in LANGUAGES}
    assert set(files.FOLDER.rglob("*.json")) == kept
    assert alerts.PATH.read_text(encoding="utf-8") == alerts.render(), "run `python -m grafana.files`"


def lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """What of `given` is not in `kept`, by path."""
    if isinstance(given, dict) and isinstance(kept, dict):
        return [line for key in given for line in lost(given[key], kept.get(key, "missing"), f"{path}.{key}")]
    if isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        return [
            line for n, pair in enumerate(zip(given, kept, strict=True)) for line in lost(*pair, path=f"{path}[{n}]")
        ]
    return [] if given == kept else [path]


NOT_IN_THE_MODEL = {
    f".annotations.list[0].target.{name}"
    for name in ("refId", "datasource", "editorMode", "format", "rawQuery", "rawSql")
}


@pytest.mark.parametrize(("dashboard", "language"), EACH)
def test_grafanas_own_model_takes_all_of_it(dashboard: Dashboard, language: str) -> None:
    built = dashboard.build(language)
    parsed = model.Dashboard.from_json(json.loads(dashboard.render(language)))
    # The model has no query of an annotation; Grafana's data source reads that of a panel (tests/integration/grafana).
    assert set(lost(built, json.loads(JSONEncoder().encode(parsed)))) == NOT_IN_THE_MODEL


def test_a_field_that_grafana_does_not_know_is_noticed() -> None:
    changed = {**files.DASHBOARDS[0].build("en"), "colour": "red"}
    assert ".colour" in lost(changed, json.loads(JSONEncoder().encode(model.Dashboard.from_json(changed))))


@pytest.mark.parametrize("dashboard", files.DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_both_languages_show_the_same(dashboard: Dashboard) -> None:
    shapes = [
        [
            (panel["type"], panel["gridPos"], len(panel.get("targets", ())))
            for panel in dashboard.build(language)["panels"]
        ]
        for language in LANGUAGES
    ]
    assert shapes[0] == shapes[1]


def test_every_dashboard_has_a_uid_of_its_own() -> None:
    uids = [dashboard.uid(language) for dashboard in files.DASHBOARDS for language in LANGUAGES]
    assert len(set(uids)) == len(uids)


@pytest.mark.parametrize("dashboard", files.DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_english_has_no_chinese_but_the_link_to_it(dashboard: Dashboard) -> None:
    built = dashboard.build("en")
    assert [text for _, text in texts({**built, "links": []}) if CHINESE.search(text)] == []
    assert [link["title"] for link in built["links"] if CHINESE.search(link["title"])] == ["中文"]


@pytest.mark.parametrize("dashboard", files.DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_chinese_titles_are_chinese(dashboard: Dashboard) -> None:
    built = dashboard.build("zh-CN")
    titles = [panel["title"] for panel in built["panels"]] + [built["title"], built["description"]]
    assert [title for title in titles if not CHINESE.search(title)] == []


@pytest.mark.parametrize("dashboard", files.DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_panels_fill_their_rows_and_have_numbers_of_their_own(dashboard: Dashboard) -> None:
    made = dashboard.build("en")["panels"]
    assert len({panel["id"] for panel in made}) == len(made)
    by_row: dict[int, int] = {}
    for grid in (panel["gridPos"] for panel in made):
        by_row[grid["y"]] = by_row.get(grid["y"], 0) + grid["w"]
    assert set(by_row.values()) == {24}


def test_panels_that_are_too_wide_together_are_refused() -> None:
    with pytest.raises(ValueError, match="25 columns"):
        _placed([Rank(4, [(24, {}), (1, {})])])


@pytest.mark.parametrize("dashboard", files.DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_every_query_is_used_and_every_variable_is_there(dashboard: Dashboard) -> None:
    built = dashboard.build("en")
    used = {target["rawSql"] for panel in built["panels"] for target in panel.get("targets", ())}
    assert len(used) == len(dashboard.queries.items())
    there = {variable["name"] for variable in built["templating"]["list"]}
    read = set(re.findall(r"\$\{(\w+):sqlstring\}", str(sorted(used))))
    read |= set(re.findall(r"\$\{(\w+):queryparam\}", str(built["links"])))
    assert read <= there, "a query reads a variable that this dashboard has not"


@pytest.mark.parametrize("dashboard", files.DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_no_query_can_return_without_limit(dashboard: Dashboard) -> None:
    """A query with a limit, or one that sums to a single row."""
    assert [name for name, sql in dashboard.queries.items() if "LIMIT" not in sql and "GROUP BY" in sql] == []
    limits = [int(number) for _, sql in dashboard.queries.items() for number in re.findall(r"LIMIT (\d+)", sql)]
    assert max(limits) <= 5000


def test_every_verdict_has_a_colour_and_colours_that_are_told_apart() -> None:
    assert {verdict.value for verdict in Verdict} <= set(VERDICTS)
    seen = [VERDICTS[name] for name in ("online", "unusable", "offline", "away", "closed", "excused", "unknown")]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_colour_never_stands_alone(language: str) -> None:
    for options in (each["options"] for family in ("verdict", "severity") for each in mappings(family, language)):
        assert all(shown["text"] for shown in options.values())


def test_every_column_is_complete_and_its_words_exist() -> None:
    for name, column in COLUMNS.items():
        assert column.hidden or (column.label.en and column.label.zh), name
        if column.family is not None:
            assert words(column.family, "en"), name
            assert column.family in WORDS or column.family in ("answer", "sight"), name


def test_the_data_source_is_the_one_that_is_provisioned() -> None:
    provisioned = (files.FOLDER.parent / "provisioning/datasources/milepost.yaml").read_text(encoding="utf-8")
    assert f"uid: {DATASOURCE['uid']}" in provisioned
    assert f"type: {DATASOURCE['type']}" in provisioned
    assert "password: $__file{" in provisioned


def test_every_alert_rule_fires_without_a_value() -> None:
    """A platform that says nothing is not well."""
    (group,) = alerts.build()["groups"]
    assert len({rule["uid"] for rule in group["rules"]}) == len(alerts.QUERIES.items())
    assert {(rule["noDataState"], rule["execErrState"]) for rule in group["rules"]} == {("Alerting", "Alerting")}
