"""Templates: what may be written, what is filled in, and that a broken one stops no message."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.delivery.facts import AlertArea, AlertFacts, AlertMessage, Phase
from alerting.delivery.message import write_message
from alerting.delivery.short import MOST_UNITS, units
from alerting.delivery.texts import Language
from alerting.delivery.wording.names import IN_ONE_LINE, PLACEHOLDERS, SHORT_FORMS, TEMPLATES, TemplateName
from alerting.delivery.wording.template import MOST_TEXT, fill_in, parse_template
from alerting.delivery.wording.write import DEFAULT_WORDING, compile_wording, template_lines, write_worded
from contract.errors import RemedyError
from contract.glossary import WORDS
from tests.unit.alerting.delivery.test_deliver_messages import BEGAN, NOW, facts

URL = "https://m.example.cn"
FEW = {"a": "", "b": ""}

# (template, what it becomes with a=1 and b={a})
FILLED = [
    ("{a}", "1"),
    ("{a}{a}-{a}", "11-1"),
    ("no placeholder", "no placeholder"),
    ("{{a}}", "{a}"),
    ("{{{a}}}", "{1}"),
    ("{b}", "{a}"),
    ("两行\n{a}", "两行\n1"),
]


@pytest.mark.parametrize(("text", "filled"), FILLED)
def test_values_are_filled_in_once(text: str, filled: str) -> None:
    assert fill_in(parse_template(text, FEW), {"a": "1", "b": "{a}"}) == filled


REFUSED = [
    ("{c}", "there is no placeholder {c} here: use {a}, {b}"),
    ("{}", "there is no placeholder {} here"),
    ("{a.__class__}", "there is no placeholder {a.__class__} here"),
    ("{a!r}", "there is no placeholder {a!r} here"),
    ("{a:>9}", "there is no placeholder {a:>9} here"),
    ("{0}", "there is no placeholder {0} here"),
    ("{ a }", "there is no placeholder { a } here"),
    ("{a", "a single {"),
    ("a}", "a single }"),
    ("", "1 to 2000 characters"),
    (" \n ", "1 to 2000 characters"),
    ("x" * (MOST_TEXT + 1), "1 to 2000 characters"),
    ("a\u202eb", "U+202E, which nobody sees"),
    ("a\x00b", "U+0000, which nobody sees"),
    ("a\rb", "U+000D, which nobody sees"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_what_cannot_be_filled_in_is_refused_with_its_name(text: str, why: str) -> None:
    with pytest.raises(RemedyError) as refused:
        parse_template(text, FEW)
    assert why in refused.value.said.en
    assert refused.value.said.zh != refused.value.said.en


@given(st.text(max_size=60))
def test_any_text_is_refused_or_filled_in(text: str) -> None:
    try:
        parts = parse_template(text, FEW)
    except RemedyError:
        return
    assert fill_in(parts, {"a": "1", "b": "2"})


# (template, value of a, the text): the zero-width space keeps apart what a client would take for a link or a mention.
SEAMS = [
    ("@{a}", "all", "@\u200ball"),
    ("{a}cn", "evil.", "evil.\u200bcn"),
    ("http:{a}", "//x", "http:\u200b//x"),
    ("http:/{a}", "/x", "http:\u200b//x"),
    ("<{a}", "at", "<\u200bat"),
    ("help: https://help.example.cn/{a}", "7", "help: https://help.example.cn/7"),
    ("@all {a}", "x", "@all x"),
]


@pytest.mark.parametrize(("text", "value", "shown"), SEAMS)
def test_a_value_makes_no_link_with_what_stands_beside_it(text: str, value: str, shown: str) -> None:
    assert fill_in(parse_template(text, FEW), {"a": value}) == shown


def test_two_values_make_no_link_together() -> None:
    assert fill_in(parse_template("{a}{b}", FEW), {"a": "evil.", "b": "cn"}) == "evil.\u200bcn"


def written(given_facts: AlertFacts, language: Language = "zh-CN", **templates: str) -> AlertMessage:
    wording, broken = compile_wording({(name, language): text for name, text in templates.items()})
    assert not broken
    return write_worded(given_facts, wording, language=language, public_url=URL, now=NOW)


@pytest.mark.parametrize("phase", get_args(Phase))
@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("url", [None, URL, "https://monitoring.culture.example-province.gov.cn/milepost"])
def test_without_templates_it_is_the_text_of_milepost(phase: Phase, language: Language, url: str | None) -> None:
    for kind in WORDS["kind"]:
        for more in ({}, {"station": None, "station_name": None, "children": 12, "children_open": 3}):
            given_facts = facts(phase, kind=kind, ended_at=NOW, **more)
            ours = write_message(given_facts, language=language, public_url=url, now=NOW)
            assert write_worded(given_facts, DEFAULT_WORDING, language=language, public_url=url, now=NOW) == ours


def test_each_text_is_replaced_alone_and_the_link_stays_last() -> None:
    ours = write_message(facts(), language="zh-CN", public_url=URL, now=NOW)
    title = written(facts(), title="〔文化云〕{title}")
    assert title.title == f"〔文化云〕{ours.title}"
    assert (title.body, title.short) == (ours.body, ours.short)
    body = written(facts(), body="{body}\n值班电话：0979-0000000")
    assert body.body.splitlines()[-2:] == ["值班电话：0979-0000000", "查看并确认：https://m.example.cn/incidents/12"]
    assert body.body.startswith("级别：警告\n")
    short = written(facts(), short="【文化云】{event} {station}（{station_id}）{time}")
    assert short.short == "【文化云】离线 红旗阅览室（6321220007）11-23 16:00起 https://m.example.cn/i/12"


def test_a_short_template_is_cut_where_names_are() -> None:
    given_facts = facts(station_name="民和回族土族自治县官亭镇鲍家村第一农家书屋" * 3)
    short = written(given_facts, short="【文化云】{event} {station} {station_id} {time}").short
    assert units(short) <= MOST_UNITS
    assert short.startswith("【文化云】离线 民和") and "…" in short
    assert short.endswith(" 6321220007 11-23 16:00起 https://m.example.cn/i/12")
    ours = written(given_facts, short="【文化云】{short}").short
    assert units(ours) <= MOST_UNITS and ours.startswith("【文化云】【离线】")


def test_a_line_without_any_value_is_left_out() -> None:
    template = "{event}\n地址：{address}\n{cause}\n\n最后一行"
    assert written(facts(address=None, detail={}), body=template).body.splitlines()[:-1] == ["离线", "", "最后一行"]
    assert "地址：花石峡街 1 号" in written(facts(), body=template).body


def test_a_title_that_would_be_empty_is_that_of_milepost() -> None:
    area = facts(station=None, station_name=None, kind="area_outage")
    assert (
        written(area, title="{station}").title == write_message(area, language="zh-CN", public_url=URL, now=NOW).title
    )


BROKEN: list[tuple[str, str]] = [
    ("title", "{gone}"),
    ("title", "two\nlines"),
    ("short", "{event}\n{time}"),
    ("short", "x" * 31),
    ("body", "{short}"),
    ("nothing", "x"),
]


@pytest.mark.parametrize(("name", "text"), BROKEN)
def test_a_broken_one_is_named_and_stops_nothing(name: str, text: str) -> None:
    wording, broken = compile_wording({(name, "zh-CN"): text, ("title", "en"): "{title}!"})
    assert list(broken) == [(name, "zh-CN")] and list(wording.templates) == [("title", "en")]
    ours = write_message(facts(), language="zh-CN", public_url=URL, now=NOW)
    assert write_worded(facts(), wording, language="zh-CN", public_url=URL, now=NOW) == ours


def test_every_text_and_every_placeholder_is_described_and_can_be_used() -> None:
    assert set(TEMPLATES) == set(PLACEHOLDERS) == set(TemplateName)
    assert SHORT_FORMS < IN_ONE_LINE
    for name, placeholders in PLACEHOLDERS.items():
        assert all(said.zh and said.en for said in placeholders.values())
        for placeholder in placeholders:
            template_lines(name, f"{{{placeholder}}}")
    for placeholder in PLACEHOLDERS[TemplateName.BODY]:
        assert written(facts(), body=f"={{{placeholder}}}").body.startswith("=")


NASTY = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            ['<at user_id="all"></at>', "@all", "＠所有人", "[x](http://evil.cn)", "http://evil.cn/", "evil.", "cn",
             "//", "{body}", "{0}", "%s", "\u202e", "\u2066", "\n", "\r", "👨\u200d👩\u200d👧", "**", "<script>",
             "&amp;", "#12"]
        ),
        max_size=6,
    ).map("".join),
)  # fmt: skip


@given(
    texts=st.fixed_dictionaries(dict.fromkeys(("name", "area", "county", "address", "note"), NASTY)),
    phase=st.sampled_from(get_args(Phase)),
    language=st.sampled_from(get_args(Language)),
    templates=st.booleans(),
)
def test_names_inject_nothing(texts: dict[str, str], phase: Phase, language: Language, templates: bool) -> None:
    """The only link is ours and stands last; nobody is mentioned; no line and no direction is added."""
    given_facts = _nasty(texts, phase)
    mine = {"title": "{station}{area}", "body": "{station}{area}{address}\n{body}", "short": "{station}{area}{short}"}
    message = written(given_facts, language, **(mine if templates else {}))
    calm = written(_nasty(dict.fromkeys(texts, "x"), phase), language, **(mine if templates else {}))
    *lines, last = message.body.splitlines()
    assert last.endswith(f"{URL}/incidents/12")
    assert len(lines) in (len(calm.body.splitlines()) - 1, len(calm.body.splitlines()) - 2)
    for text in (message.title, *lines, message.short.removesuffix(f"{URL}/i/12")):
        assert "://" not in text
        assert "evil.cn" not in text and "@all" not in text and "＠所有人" not in text and "<at" not in text
        assert not set(text) & set("\u202e\u2066\r\n\x00")
    assert units(message.short) <= MOST_UNITS


def _nasty(texts: dict[str, str], phase: Phase) -> AlertFacts:
    more: dict[str, Any] = {
        "station_name": texts["name"],
        "station_name_en": texts["name"],
        "address": texts["address"],
    }
    areas = [
        AlertArea("1", texts["county"], texts["county"], "county"),
        AlertArea("2", texts["area"], texts["area"], "township"),
    ]
    detail = {"reason": "missed_heartbeats", "terminal": texts["note"]}
    return facts(phase, areas=areas, detail=detail, began_at=BEGAN, **more)


TOKEN = "AAAAB4x9-Kq_0zQW"


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("short", [None, "【文化云】{event} {station} {station_id} {time}", "{short}"])
def test_the_link_of_a_person_is_last_in_one_sms(language: Language, short: str | None) -> None:
    named = facts(station_name="民和回族土族自治县官亭镇鲍家村第一农家书屋")
    wording = DEFAULT_WORDING
    if short is not None:
        wording, _ = compile_wording({("short", language): short})
    message = write_worded(named, wording, language=language, public_url=URL, now=NOW, token=TOKEN)
    assert message.link == f"{URL}/i/{TOKEN}"
    assert message.body.splitlines()[-1].endswith(message.link)
    assert message.short.endswith(f" {URL}/i/{TOKEN}") and units(message.short) <= MOST_UNITS
    assert "6321220007" in message.short or "民和" in message.short, "it says which station"


def test_where_the_link_of_a_person_is_too_long_the_sms_ends_as_for_a_room() -> None:
    url = "https://monitoring.culture.example-province.gov.cn"
    message = write_worded(facts(), DEFAULT_WORDING, language="zh-CN", public_url=url, now=NOW, token=TOKEN)
    assert message.link == f"{url}/i/{TOKEN}"
    assert TOKEN not in message.short and units(message.short) <= MOST_UNITS
