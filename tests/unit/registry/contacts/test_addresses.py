"""What people write into a cell of channels, and the addresses that Milepost makes of it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.said import SaidError
from registry.contacts.addresses import (
    MOST_ADDRESS,
    MOST_CHANNELS,
    HookAddress,
    bot_of,
    hook_of,
    parse_address,
    parse_channels,
    require_different,
)
from registry.contacts.bot_address import Bot
from registry.contacts.model import Address, Channel, ChannelKind

KEY = bytes(range(32))
WHSEC = "whsec_" + base64.b64encode(KEY).decode()
OTHER_WHSEC = "whsec_" + base64.b64encode(KEY[::-1]).decode()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("sms:+8613800138000", "sms +8613800138000", id="a phone"),
        pytest.param("sms:13800138000", "sms +8613800138000", id="a Chinese phone without its country"),
        pytest.param("13800138000", "sms +8613800138000", id="as a spreadsheet has it"),
        pytest.param("手机：138-0013-8000", "sms +8613800138000", id="in Chinese, with dashes"),
        pytest.param("sms:008613800138000", "sms +8613800138000", id="with 00"),
        pytest.param("SMS:+442071838750", "sms +442071838750", id="of another country"),
        pytest.param("mail:Li.Wei@Example.CN", "mail Li.Wei@example.cn", id="mail: the domain has no case"),
        pytest.param("邮箱:li@a.gov.cn", "mail li@a.gov.cn", id="mail in Chinese"),
        pytest.param("li@a.gov.cn", "mail li@a.gov.cn", id="a mail address alone"),
        pytest.param("mailto:li@a.gov.cn", "mail li@a.gov.cn", id="a link of a browser"),
        pytest.param("wecom://693a-Key_B", "wecom wecom://693a-Key_B", id="WeCom"),
        pytest.param("wecombot://693a-Key_B", "wecom wecom://693a-Key_B", id="WeCom as apprise calls it"),
        pytest.param(
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a-B",
            "wecom wecom://693a-B",
            id="as WeCom shows it",
        ),
        pytest.param("dingtalk://aBc1?secret=SEC1", "dingtalk dingtalk://aBc1?secret=SEC1", id="DingTalk, signed"),
        pytest.param("dingtalk://SEC1@aBc1", "dingtalk dingtalk://aBc1?secret=SEC1", id="DingTalk as apprise has it"),
        pytest.param(
            "https://oapi.dingtalk.com/robot/send?access_token=aBc1&secret=SEC1",
            "dingtalk dingtalk://aBc1?secret=SEC1",
            id="as DingTalk shows it",
        ),
        pytest.param(
            "dingtalk://aBc1/13800000000/13900000000?secret=S",
            "dingtalk dingtalk://aBc1?secret=S&to=13800000000,13900000000",
            id="DingTalk with people to mention",
        ),
        pytest.param("feishu://a1-B2?secret=s3", "feishu feishu://a1-B2?secret=s3", id="Feishu, signed"),
        pytest.param(
            "https://open.feishu.cn/open-apis/bot/v2/hook/a1-B2", "feishu feishu://a1-B2", id="as Feishu shows it"
        ),
        pytest.param("HTTPS://Hook.Example.org/In?a=B", "webhook https://hook.example.org/In?a=B", id="a webhook"),
        pytest.param(f"https://h.cn/in#{WHSEC}", f"webhook https://h.cn/in#{WHSEC}", id="a signed webhook"),
        pytest.param("http://127.0.0.1:8080/in", "webhook http://127.0.0.1:8080/in", id="a webhook of this machine"),
        pytest.param("tgram://123:abc/42", "apprise tgram://123:abc/42", id="anything else of apprise"),
        pytest.param("mailtos://u:p@h.cn?to=a,b", "apprise mailtos://u:p@h.cn?to=a,b", id="a mail server of apprise"),
    ],
)
def test_an_address_has_one_form(text: str, address: str) -> None:
    kind, _, normal = address.partition(" ")
    assert parse_address(text) == Address(ChannelKind(kind), normal)


def test_the_normal_form_is_read_again() -> None:
    for text in (
        "dingtalk://aBc1/13800000000?secret=SEC1",
        "feishu://s3@a1",
        "sms:13800138000",
        f"https://h.cn/#{WHSEC}",
    ):
        address = parse_address(text)
        prefix = "sms:" if address.kind == ChannelKind.SMS else ""
        assert parse_address(prefix + address.text) == address


def test_senders_get_the_parts_of_an_address() -> None:
    assert bot_of(parse_address("dingtalk://aBc1/13800000000?secret=S")) == Bot(
        kind="dingtalk", token="aBc1", secret="S", phones=("13800000000",)
    )
    assert bot_of(parse_address("wecom://K")) == Bot(kind="wecombot", token="K")
    assert hook_of(parse_address(f"https://h.cn/in?a=1#{WHSEC}")) == HookAddress(
        url="https://h.cn/in?a=1", secrets=(KEY,)
    )
    assert hook_of(parse_address("https://h.cn/in")) == HookAddress(url="https://h.cn/in")
    rotated = parse_address(f"https://h.cn/in#{WHSEC},{OTHER_WHSEC}")
    assert hook_of(rotated).secrets == (KEY, KEY[::-1])


@pytest.mark.parametrize(
    ("cell", "kinds"),
    [
        ("", ""),
        ("  \n", ""),
        ("sms:+8613800138000 mail:a@b.cn", "sms mail"),
        ("sms:+8613800138000;mail:a@b.cn；wecom://K、feishu://T", "sms mail wecom feishu"),
        ("wecom://K\nsms:13800138000", "wecom sms"),
    ],
)
def test_a_cell_has_channels_in_their_order(cell: str, kinds: str) -> None:
    assert " ".join(address.kind for address in parse_channels(cell)) == kinds


@pytest.mark.parametrize(
    ("cell", "en", "zh"),
    [
        ("wecom://K sms:geheim1", "channel 2 (sms): is no number", "第 2 个渠道（短信）：不是手机号码"),
        ("sms:1380013800", "channel 1 (sms): is no number", "第 1 个渠道（短信）"),
        ("+86geheim", "channel 1: is no address", "第 1 个渠道：不是地址"),
        ("sms:+861380013800", "channel 1 (sms): is no number", "第 1 个渠道"),
        ("mail:geheim", "channel 1 (mail): is no mail address", "不是电子邮箱地址"),
        ("mail:geheim@@b.cn", "channel 1 (mail): is no mail address", "不是电子邮箱地址"),
        ("mail:geheim@b", "channel 1 (mail): is no mail address", "不是电子邮箱地址"),
        ("wecom://geheim/x", "channel 1 (wecom): a wecombot address ends with its token", "令牌之后不应有"),
        ("dingtalk://geh!eim", "channel 1 (dingtalk): the token", "令牌只能包含"),
        ("dingtalk://T?secret=geh!eim", "channel 1 (dingtalk): the secret", "签名密钥只能包含"),
        ("feishu://[geheim", "channel 1 (feishu): it is no address", "不是有效的地址"),
        ("http://geheim.cn/x", "channel 1 (webhook): goes over the network without encryption", "请改用 https"),
        ("https://[geheim", "channel 1 (webhook): it is no address", "不是有效的地址"),
        ("https://geheim.cn:99999/", "channel 1 (webhook): is no URL", "不是网址"),
        ("https:///geheim", "channel 1 (webhook): is no URL", "不是网址"),
        ("https://h.cn/#geheim", "channel 1 (webhook): what follows # is no signing secret", "不是签名密钥"),
        (f"https://h.cn/#{','.join([WHSEC] * 5)}", "channel 1 (webhook): has 5 signing secrets", "5 个签名密钥"),
        ("https://h.cn/#whsec_geheim", "channel 1 (webhook): what follows #", "24 至 64 个随机字节"),
        ("https://h.cn/geheim钥", "channel 1 (webhook): has characters", "含有网址中不允许的字符"),
        ("syslog://geheim", "channel 1: reaches nobody", "发不到任何人"),
        ("geheim", "channel 1: is no address", "请填写手机号码、电子邮箱"),
        (
            "sms:13800138000 138-0013-8000",
            "channel 2 (sms) has the same receiver as channel 1",
            "与第 1 个的接收方相同",
        ),
        ("dingtalk://geheim dingtalk://geheim?secret=S", "channel 2 (dingtalk) has the same receiver", "接收方相同"),
        (f"https://geheim.cn https://geheim.cn#{WHSEC}", "channel 2 (webhook) has the same receiver", "接收方相同"),
        ("https://h.cn/" + "geheim" * 400, "has 2413 characters", "最多 2000 个"),
        (" ".join(f"wecom://geheim{n}" for n in range(9)), "has 9 channels, allowed are 8", "最多 8 个"),
    ],
)
def test_what_is_wrong_is_named_by_its_place_and_never_shown(cell: str, en: str, zh: str) -> None:
    with pytest.raises(SaidError) as wrong:
        parse_channels(cell)
    assert en in wrong.value.said.en
    assert zh in wrong.value.said.zh
    shown = f"{wrong.value!r} {wrong.value.said} {wrong.value.__cause__!r}"
    assert "geh" not in shown
    assert "138" not in shown


def test_nothing_secret_is_in_what_is_printed() -> None:
    address = parse_address(f"https://geheim.cn/#{WHSEC}")
    assert "geheim" not in f"{address!r} {address} {hook_of(address)!r}"
    assert "geheim" not in f"{bot_of(parse_address('wecom://geheim'))!r}"


def test_a_channel_says_which_receiver_it_is() -> None:
    plain, signed = (Channel(ChannelKind.DINGTALK, text) for text in ("9f86d081884c7d65", "9f86d081884c7d65-0a1b2c3d"))
    assert plain.receiver == signed.receiver == "9f86d081884c7d65"


def test_addresses_that_came_one_by_one_are_compared_too() -> None:
    with pytest.raises(SaidError, match="channel 2"):
        require_different([parse_address("sms:13800138000"), parse_address("13800138000")])


@given(st.text(max_size=60) | st.from_regex(r"[a-z]{2,8}://\S{1,40}", fullmatch=True))
def test_any_text_is_read_or_refused_and_a_form_is_read_as_itself(text: str) -> None:
    try:
        found = parse_channels(text)
    except SaidError as exc:
        words = [word for word in text.split() if len(word) > 20]
        assert not any(word in str(exc) for word in words)
        return
    assert len(found) <= MOST_CHANNELS
    for address in found:
        assert len(address.text) <= MOST_ADDRESS
        prefix = f"{address.kind}:" if address.kind in (ChannelKind.SMS, ChannelKind.MAIL) else ""
        assert parse_address(prefix + address.text) == address
