import json
import logging
from collections.abc import Iterator

import pytest

from milepost import logs


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    yield
    root.level, root.handlers[:] = before
    logging.captureWarnings(False)


def speak(style: str, capsys: pytest.CaptureFixture[str]) -> str:
    logs.configure(level="info", style=style)
    log = logging.getLogger("broker.test")
    log.debug("unheard")
    log.info("carried", extra={"shard": "main", "said": 'two "words"'})
    logging.getLogger("aiokafka").info("chatter")
    logging.getLogger("aiokafka").error('Unable connect to "%s:%s": %s', "h", 1, "x")
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_text_is_one_line_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = speak("text", capsys).splitlines()
    at, rest = line.split(" ", 1)
    assert at.endswith("Z")
    assert rest == "INFO broker.test carried shard=main said='two \"words\"'"


def test_json_is_one_object_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = speak("json", capsys).splitlines()
    entry = json.loads(line)
    assert entry.pop("at").endswith("Z")
    assert entry == {
        "level": "INFO",
        "logger": "broker.test",
        "message": "carried",
        "shard": "main",
        "said": 'two "words"',
    }


def test_an_error_brings_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(level="info", style="text")
    try:
        int("why")
    except ValueError:
        logging.getLogger("broker.test").exception("failed")
    assert "ValueError: invalid literal" in capsys.readouterr().err


def test_what_kafka_repeats_is_said_once_in_a_while() -> None:
    def heard(name: str, message: str, at: float) -> bool:
        record = logging.makeLogRecord({"name": name, "msg": message, "created": at})
        return bool(repetitions.filter(record))

    repetitions = logs.Repetitions()
    assert heard("aiokafka", "Unable to update metadata from %s", 100)
    assert heard("aiokafka", "Failed fetch messages from %s: %s", 100)
    assert not heard("aiokafka", "Unable to update metadata from %s", 109)
    assert heard("aiokafka", "Unable to update metadata from %s", 110)
    assert heard("aiokafka", "Unable to update metadata from %s", 50), "the clock was set back"
    assert heard("broker.bridge", "counters", 100)
    assert heard("broker.bridge", "counters", 100)
