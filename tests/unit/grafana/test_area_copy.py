"""The dashboards of one area: the same panels, with nothing in them that leads to the whole."""

import json
import re

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from contract.said import Said
from grafana.area_copy import DashboardArea, copy_for
from grafana.dashboard import LANGUAGES
from grafana.fields import DATASOURCE
from grafana.files import DASHBOARDS
from tests.unit.grafana.test_grafana import NOT_IN_THE_MODEL, lost

TOP, COUNTY = ("63", Said("Qinghai", "青海省")), ("632122", Said("Minhe", "民和县"))
AREA = DashboardArea((TOP, COUNTY))
BUILT = [each.build(language) for each in DASHBOARDS for language in LANGUAGES]


@pytest.mark.parametrize("built", BUILT, ids=lambda built: built["uid"])
def test_a_copy_leads_to_nothing_of_the_whole(built: dict[str, object]) -> None:
    copy = copy_for(AREA, built, "en")
    text = json.dumps(copy)
    assert json.dumps(DATASOURCE) not in text
    assert text.count(json.dumps({**DATASOURCE, "uid": "milepost-632122"})) == json.dumps(built).count(
        json.dumps(DATASOURCE)
    )
    assert re.findall(r"/d/milepost-(?!632122-)", text) == []
    assert [tag for link in copy["links"] for tag in link["tags"] if not tag.endswith("-632122")] == []
    assert copy["tags"][1:] == [f"{tag}-632122" for tag in built["tags"][1:]]  # type: ignore[index] # a list
    assert set(lost(copy, json.loads(JSONEncoder().encode(model.Dashboard.from_json(copy))))) == NOT_IN_THE_MODEL


def test_the_area_is_chosen_level_by_level() -> None:
    copy = copy_for(AREA, DASHBOARDS[0].build("zh-CN"), "zh-CN")
    chosen = {each["name"]: each["current"] for each in copy["templating"]["list"]}
    assert chosen["area1"] == {"text": "青海省", "value": "63"}
    assert chosen["area2"] == {"text": "民和县", "value": "632122"}
    assert chosen["area3"]["value"] == "*"
    assert copy["title"].endswith(" · 民和县")


def test_uids_differ_between_areas_and_are_short_enough_for_grafana() -> None:
    codes = ("63", "632122", "632122000000", "A" * 32, "A" * 31 + "B")
    copies = [copy_for(DashboardArea(((code, COUNTY[1]),)), built, "en") for code in codes for built in BUILT]
    uids = [copy["uid"] for copy in copies] + [built["uid"] for built in BUILT]
    assert len(set(uids)) == len(uids)
    assert max(map(len, uids)) <= 40
