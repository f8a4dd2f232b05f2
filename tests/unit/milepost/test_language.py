"""The language of the command line follows the locale."""

import pytest

from milepost.language import language_of, padded


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "zh"}, "zh-CN"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh-CN"),
    ],
)
def test_language(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        pytest.param("API", "API   |", id="Latin"),
        pytest.param("接口", "接口  |", id="Chinese is twice as wide"),
        pytest.param("日志 a", "日志 a|", id="both, and full"),
        pytest.param("各项服务", "各项服务|", id="too long is not cut"),
    ],
)
def test_columns_of_a_terminal(text: str, filled: str) -> None:
    assert padded(text, 6) + "|" == filled
