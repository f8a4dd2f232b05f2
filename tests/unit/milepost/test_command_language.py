"""The command line speaks the reader's language: help, what it refuses, and what a person must mend."""

import argparse
import ast
import re
from collections.abc import Iterator, Mapping

import pytest

from milepost.cli import COMMANDS, build_parser, run
from milepost.settings import TABLE
from milepost.settings.chinese import MEANINGS
from milepost.usage import UsageError
from tests.machine_words import ROOMS, sources

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ZH = {"LANG": "zh_CN.UTF-8"}


def parsers(language: str) -> Iterator[argparse.ArgumentParser]:
    whole = build_parser(language)
    yield whole
    for action in whole._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def test_all_help_is_in_the_language_that_was_asked_for() -> None:
    found = {language: list(parsers(language)) for language in ("en", "zh-CN")}
    assert len(found["zh-CN"]) == len(COMMANDS) + 1
    for english, chinese in zip(found["en"], found["zh-CN"], strict=True):
        assert not CHINESE.search(english.format_help())
        assert chinese.format_help().startswith("用法：")
        for action in chinese._actions:
            assert CHINESE.search(action.help or "参数"), f"{chinese.prog} {action.option_strings or action.dest}"
        assert CHINESE.search(chinese.description or "")
        assert not re.search("usage:|options:|positional|show this", chinese.format_help())


def test_every_setting_says_in_chinese_what_it_is_for_and_may_be() -> None:
    assert list(MEANINGS) == [setting.field for setting in TABLE]
    assert [name for name, said in MEANINGS.items() if not CHINESE.search(said)] == []
    english = re.compile(r"\b(a|or|and|one of|number|whole|letters)\b")
    assert [setting.field for setting in TABLE if english.search(setting.allowed_zh)] == []


REFUSED: Mapping[str, tuple[list[str], str]] = {
    "nothing": ([], "缺少参数：COMMAND"),
    "no such command": (["sing"], "的值 'sing' 无效，可用："),
    "no such option": (["up", "--sing"], "无法识别的参数：--sing"),
    "no number": (["up", "--stations", "many"], "参数 --stations 的值 'many' 无效"),
    "no value": (["up", "--stations"], "参数 --stations 缺少值"),
    "two are missing": (["import"], "缺少参数：what、file"),
    "half an option": (["simulate", "--se", "1"], "选项 --se 不明确，可能是 --seconds、--seed"),
    "a value too much": (["demo", "--keep=1"], "参数 --keep 不能带值 '1'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_command_line_is_refused_in_chinese(name: str) -> None:
    arguments, said = REFUSED[name]
    with pytest.raises(UsageError) as refused:
        build_parser("zh-CN").parse_args(arguments)
    assert said in refused.value.said.zh
    assert refused.value.said.zh.endswith("--help`）")
    assert not CHINESE.search(refused.value.said.en)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (ZH, "milepost: --floor 为 'x'，应为：0.1 至 3600 的数\n"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "milepost: --floor is 'x': it must be a number from 0.1 to 3600\n"),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LANG": "C"}, "milepost: --floor 为 'x'，应为：0.1 至 3600 的数\n"),
        ({}, "milepost: --floor is 'x': it must be a number from 0.1 to 3600\n"),
    ],
)
def test_what_a_person_must_mend_is_said_in_the_locale(
    environment: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["judge", "--floor", "x"], environment) == 2
    assert capsys.readouterr().err == said


# Where an error is made of another, which is in both languages already.
MADE_OF_OTHERS = {"registry/importing/importer.py"}


def test_every_error_that_a_person_can_mend_is_said_in_chinese() -> None:
    english_only = [
        f"{path}:{node.lineno}"
        for path, tree in sources(*ROOMS).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "RemedyError"
        and len(node.args) == 1
        and not isinstance(node.args[0], ast.Starred)
        and path not in MADE_OF_OTHERS
    ]
    assert english_only == [], "give the Chinese text as the second argument"
