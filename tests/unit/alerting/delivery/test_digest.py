"""A digest: how many of each kind, the gravest first, bounded, and the link last."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.delivery.facts import AlertMessage, Phase, plain
from alerting.delivery.short import MOST_UNITS, units
from alerting.delivery.texts import Language
from alerting.delivery.wording.digest import (
    BYTES_BY_CHANNEL,
    MOST_BYTES,
    MOST_LISTED,
    DigestCount,
    DigestLine,
    draft_digest,
    finish_digest,
)
from alerting.delivery.wording.write import DEFAULT_WORDING, MOST_TITLE, compile_wording, write_digest_worded
from contract.glossary import WORDS
from registry.contacts.model import ChannelKind

URL = "https://m.example.cn"
PAGES = [
    DigestCount("station_offline", "opened", "warning"),
    DigestCount("flapping", "opened", "info"),
    DigestCount("area_outage", "opened", "critical"),
    DigestCount("station_offline", "closed", "warning"),
    DigestCount("station_offline", "escalated", "warning"),
    DigestCount("area_outage", "closed", "critical"),
]
LINES = [DigestLine(title=f"【离线】第{n}阅览室 · 民和县", incident=n) for n in range(1, 31)]


def digest(
    lines: list[DigestLine], pages: list[DigestCount], language: Language = "zh-CN", url: str | None = URL
) -> AlertMessage:
    return finish_digest(draft_digest(lines, pages, language=language, public_url=url), language)


def test_a_digest_in_chinese() -> None:
    message = digest(LINES[:3], PAGES)
    assert message.title == "【6 条告警】【离线】第1阅览室 · 民和县 等"
    assert message.body.splitlines() == [
        "共 6 条：区域中断 1，服务点离线 2，时断时续 1，区域中断（恢复） 1，服务点离线（恢复） 1。",
        "【离线】第1阅览室 · 民和县 #1",
        "【离线】第2阅览室 · 民和县 #2",
        "【离线】第3阅览室 · 民和县 #3",
        "另有 3 条未列出。",
        "查看全部：https://m.example.cn/incidents",
    ]
    assert (
        message.short
        == "【6 条告警】区域中断 1，服务点离线 2，时断时续 1，区域中断（恢复） 1 https://m.example.cn/incidents"
    )


def test_a_digest_in_english_without_a_console() -> None:
    message = digest(LINES[:6], PAGES, "en", None)
    assert message.title.startswith("[6 ALERTS] ") and message.title.endswith(" and others")
    assert message.body.splitlines()[0] == (
        "6 alerts: Area outage 1, Station offline 2, Flapping 1, Area outage (over) 1, Station offline (over) 1."
    )
    assert message.body.splitlines()[-1] == "【离线】第6阅览室 · 民和县 #6", "all are listed"
    assert message.short == "[6 ALERTS] Area outage 1, Station offline 2, Flapping 1"
    assert message.link is None


def test_kinds_beyond_the_first_are_counted_together() -> None:
    pages = [DigestCount(kind, "opened", "warning") for kind in WORDS["kind"] if kind != "platform"]
    head = digest(LINES[:1], pages).body.splitlines()[0]
    assert head.endswith(f"，其他 {len(pages) - 6}。")


@pytest.mark.parametrize("most", [MOST_BYTES, *BYTES_BY_CHANNEL.values()])
def test_it_is_bounded_and_says_how_many_more_there_are(most: int) -> None:
    lines = [DigestLine(title="馆" * 400, incident=n) for n in range(30)]
    draft = draft_digest(lines, PAGES[:1] * 500, language="zh-CN", public_url=URL, most_bytes=most)
    assert len(draft.body.encode()) <= most
    *_, last = draft.body.splitlines()
    listed = draft.body.count("#")
    assert last == f"另有 {500 - listed} 条未列出。" and listed < MOST_LISTED
    assert units(draft.title) <= MOST_TITLE


def test_a_digest_of_wecom_fits_with_its_title_and_link() -> None:
    lines = [DigestLine(title="馆" * 60, incident=n) for n in range(20)]
    draft = draft_digest(
        lines, PAGES * 80, language="zh-CN", public_url=URL, most_bytes=BYTES_BY_CHANNEL[ChannelKind.WECOM]
    )
    message = finish_digest(draft, "zh-CN")
    assert len(f"{message.title}\n{message.body}".encode()) <= 2048


TITLES = st.text(max_size=80).map(lambda text: str(plain(text)))
COUNTS = st.builds(
    DigestCount,
    st.sampled_from([*WORDS["kind"], "something_new", "evil.cn"]),
    st.sampled_from(get_args(Phase)),
    st.sampled_from(["info", "warning", "critical", "new"]),
)
LINKS = [None, URL, "https://monitoring.culture.example-province.gov.cn/milepost/console"]


@given(
    lines=st.lists(st.builds(DigestLine, title=TITLES, incident=st.integers(1, 2**40)), min_size=1, max_size=25),
    pages=st.lists(COUNTS, min_size=1, max_size=40),
    language=st.sampled_from(get_args(Language)),
    url=st.sampled_from(LINKS),
)
def test_the_link_is_last_and_the_short_form_fits(
    lines: list[DigestLine], pages: list[DigestCount], language: Language, url: str | None
) -> None:
    draft = draft_digest(lines, pages, language=language, public_url=url)
    message = finish_digest(draft, language)
    assert units(message.short) <= MOST_UNITS
    assert str(len(pages)) in message.short
    if url is not None:
        assert message.body.splitlines()[-1].endswith(f"{url}/incidents")
    if url == URL:
        assert message.short.endswith(f" {url}/incidents")
    assert "evil.cn" not in f"{message.title}{message.body}{message.short}"
    assert write_digest_worded(draft, DEFAULT_WORDING, language) == message


def test_templates_of_a_digest() -> None:
    wording, _ = compile_wording(
        {
            ("digest_title", "zh-CN"): "{count} 起故障：{first}",
            ("digest_body", "zh-CN"): "{body}\n值班电话 0979-0000000",
            ("digest_short", "zh-CN"): "【文化云】{short}",
        }
    )
    message = write_digest_worded(draft_digest(LINES[:2], PAGES, language="zh-CN", public_url=URL), wording, "zh-CN")
    assert message.title == "6 起故障：【离线】第1阅览室 · 民和县"
    assert message.body.splitlines()[-2:] == ["值班电话 0979-0000000", "查看全部：https://m.example.cn/incidents"]
    assert message.short.startswith("【文化云】【6 条告警】区域中断 1，") and message.short.endswith(
        f" {URL}/incidents"
    )
    assert units(message.short) <= MOST_UNITS
