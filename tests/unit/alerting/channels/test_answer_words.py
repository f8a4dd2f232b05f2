"""Every sentence about an attempt has Chinese words."""

import ast
import re

import pytest

from alerting.channels.answer_words import answer_in
from tests.machine_words import ROOT

CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Told to nobody: the first is replaced before it is stored, the second is printed with the time, the third ends.
UNTOLD = {"the attempt was cut off", "not sent", "the last attempt has not come back yet"}


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("no answer within 15 s", "15 秒内无应答"),
        ("refused with code 93000", "被拒绝，代码 93000"),
        ("refused with code 93000: invalid webhook url: x", "被拒绝，代码 93000：invalid webhook url: x"),
        ("answered with HTTP status 302, and redirects are not followed", "应答 HTTP 状态码 302"),
        ("answered with code 550: 5.1.1 <…>: no such user", "应答代码 550：5.1.1 <…>: no such user"),
        ("answered with errno E17", "应答 errno 为 E17"),
        ("MILEPOST_SMS_GATEWAY is not set", "未设置 MILEPOST_SMS_GATEWAY"),
        ("of a later version", "of a later version"),
    ],
)
def test_an_answer_in_chinese(text: str, chinese: str) -> None:
    assert answer_in(text, "zh-CN") == chinese
    assert answer_in(text, "en") == text


def sentences() -> set[str]:
    """The sentences in the code of the senders, with 7 in the place of each value."""
    found = set()
    for path in [*(ROOT / "alerting/delivery/senders").glob("*.py"), ROOT / "alerting/delivery/apprise_target.py"]:
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            named = call.func.id if isinstance(call.func, ast.Name) else ""
            texts = [word.value for word in call.keywords if word.arg == "why"]
            texts += call.args[:1] if named in {"SendError", "_failed", "answer_text"} else []
            found |= {text for node in texts if (text := _text(node))}
    return found


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)  # type: ignore[misc]
    return None


def test_each_sentence_of_the_code_has_chinese_words() -> None:
    found = sentences()
    assert len(found) > 12
    without = {
        text
        for text in found - UNTOLD
        if not CHINESE.search(answer_in(text.replace("7 is not", "MILEPOST_X is not"), "zh-CN"))
    }
    assert without == set()
