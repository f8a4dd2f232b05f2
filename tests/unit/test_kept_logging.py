"""A command that ran in the process of the tests leaves no log handler with its closed stderr behind."""

import logging
from pathlib import Path

import pytest

from milepost import cli, logs
from tests.kept_logging import kept_logging

CAUGHT: list[logging.Handler] = []


def test_a_command_sends_the_log_to_its_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """The test below looks at what this one leaves."""
    before = logging.getLogger().handlers[:]
    assert cli.run(["verify", "/nowhere"], {"MILEPOST_LOG_LEVEL": "debug"}) != 0
    CAUGHT.extend(each for each in logging.getLogger().handlers if each not in before)
    assert CAUGHT and capsys.readouterr().err


def test_the_next_test_has_no_handler_of_the_command() -> None:
    assert not set(logging.getLogger().handlers) & set(CAUGHT)
    assert logging.getLogger().level == logging.WARNING


def test_handlers_and_levels_are_as_before(tmp_path: Path) -> None:
    root, own, quiet = (logging.getLogger(name) for name in (None, "milepost", "aiokafka"))
    before = [(logger.level, logger.handlers[:]) for logger in (root, own, quiet)]
    with kept_logging():
        logs.configure(level="debug", style="text")
        logs.add_file(tmp_path / "log")
        assert own.handlers and root.level == logging.DEBUG
    # pytest has handlers of its own at the root in each phase of a test: `configure` removes them.
    assert [(logger.level, logger.handlers[:]) for logger in (own, quiet)] == before[1:]
    assert root.level == before[0][0] and not [each for each in root.handlers if each not in before[0][1]]
