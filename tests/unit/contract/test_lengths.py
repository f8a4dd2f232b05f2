"""Lengths of time as people read them."""

import pytest

from contract.lengths import in_two_units


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (-3, "0 s", "0 秒"),
        (0, "0 s", "0 秒"),
        (61, "1 min 1 s", "1 分钟 1 秒"),
        (3_605, "1 h", "1 小时"),
        (90_061, "1 d 1 h", "1 天 1 小时"),
        (86_460, "1 d", "1 天"),
    ],
)
def test_the_two_largest_units(seconds: int, english: str, chinese: str) -> None:
    assert (in_two_units(seconds, "en"), in_two_units(seconds, "zh-CN")) == (english, chinese)


def test_without_spaces() -> None:
    assert in_two_units(3_725, "zh-CN", apart="") == "1小时2分钟"
