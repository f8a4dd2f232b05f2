"""The content of a message: one page or a digest, in the words of an operator, which stop nothing."""

import logging

import pytest

from alerting.delivery.message import write_message
from alerting.delivery.pages.writing import WritingStyle, write_content
from alerting.delivery.wording.digest import BYTES_BY_CHANNEL, DigestCount
from alerting.delivery.wording.names import TemplateName
from alerting.delivery.wording.template import Placeholder
from alerting.delivery.wording.write import Wording, compile_wording
from registry.contacts.model import ChannelKind
from tests.unit.alerting.delivery.test_deliver_messages import NOW, facts

URL = "https://m.example.cn"
STYLE = WritingStyle(language="zh-CN", public_url=URL)
OURS = write_message(facts(), language="zh-CN", public_url=URL, now=NOW)
WARNING = DigestCount("station_offline", "opened", "warning")
CRITICAL = DigestCount("area_outage", "opened", "critical")


def styled(wording: Wording, channel: ChannelKind = ChannelKind.SMS) -> WritingStyle:
    return WritingStyle(language="zh-CN", public_url=URL, channel=channel, wording=wording)


def test_one_page_is_written_by_its_template() -> None:
    wording, _ = compile_wording({("title", "zh-CN"): "〔文化云〕{title}"})
    content = write_content("k", [facts()], [WARNING], styled(wording), NOW)
    assert content.text.title == f"〔文化云〕{OURS.title}"
    assert (content.severity, [event["incident"] for event in content.events]) == ("warning", [12])


def test_many_pages_are_a_digest_of_the_gravest_severity() -> None:
    given = [facts(incident=n) for n in range(1, 4)]
    content = write_content("k", given, [WARNING] * 40 + [CRITICAL], STYLE, NOW)
    assert content.severity == "critical"
    assert content.text.title.startswith("【41 条告警】")
    assert content.text.body.splitlines()[0] == "共 41 条：区域中断 1，服务点离线 40。"
    assert "另有 38 条未列出。" in content.text.body and content.text.short.endswith(f" {URL}/incidents")
    assert len(content.events) == 3


@pytest.mark.parametrize("channel", ChannelKind)
def test_a_digest_fits_its_channel(channel: ChannelKind) -> None:
    given = [facts(incident=n, station_name="馆" * 200) for n in range(20)]
    text = write_content("k", given, [WARNING] * 500, styled(Wording(), channel), NOW).text
    assert len(f"{text.title}\n{text.body}".encode()) <= (2048 if channel in BYTES_BY_CHANNEL else 8000)


@pytest.mark.parametrize("name", TemplateName)
def test_a_template_that_fails_stops_nothing(name: TemplateName, caplog: pytest.LogCaptureFixture) -> None:
    """One that no check has seen."""
    broken = Wording({(name, "zh-CN"): ((Placeholder("gone"),),)})
    with caplog.at_level(logging.ERROR):
        one = write_content("k", [facts()], [WARNING], styled(broken), NOW)
        many = write_content("k", [facts(), facts()], [WARNING, CRITICAL], styled(broken), NOW)
    assert one.text == OURS
    assert many.text == write_content("k", [facts(), facts()], [WARNING, CRITICAL], STYLE, NOW).text
    assert caplog.records
