import json
import logging

import pytest

from milepost import logs


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


def entry(name: str, message: str, at: float, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.makeLogRecord({"name": name, "msg": message, "created": at, "levelno": level})


def test_what_kafka_repeats_is_said_once_in_a_while() -> None:
    def heard(name: str, message: str, at: float) -> bool:
        return bool(repetitions.filter(entry(name, message, at)))

    repetitions = logs.Repetitions()
    assert heard("aiokafka", "Unable to update metadata from %s", 100)
    assert heard("aiokafka", "Failed fetch messages from %s: %s", 100)
    assert not heard("aiokafka", "Unable to update metadata from %s", 109)
    assert heard("aiokafka", "Unable to update metadata from %s", 110)
    assert heard("aiokafka", "Unable to update metadata from %s", 50), "the clock was set back"
    assert heard("broker.bridge", "counters", 100)
    assert heard("broker.bridge", "counters", 100)


def test_a_flood_of_one_message_is_told_by_its_number() -> None:
    repetitions = logs.Repetitions()
    flood = [
        repetitions.filter(entry("alerting.liveness.service", "not an entry, passed over", 100.0)) for _ in range(5_000)
    ]
    assert sum(map(bool, flood)) == 20
    assert repetitions.filter(entry("alerting.liveness.service", "assigned", 100.0)), (
        "another message is not its neighbour's"
    )
    later = entry("alerting.liveness.service", "not an entry, passed over", 110.0)
    assert repetitions.filter(later)
    assert vars(later)["held_back"] == 4_980


def test_a_flood_of_different_messages_is_bounded_and_forgotten() -> None:
    repetitions = logs.Repetitions()
    flood = [repetitions.filter(entry("store", f"row {number} is bad", 100.0)) for number in range(50_000)]
    assert sum(map(bool, flood)) < 1_100
    assert not repetitions.filter(entry("store", "row 50000 is bad", 109.0))
    assert repetitions.filter(entry("store", "row 50001 is bad", 111.0))


def test_what_somebody_asked_to_see_is_shown() -> None:
    repetitions = logs.Repetitions()
    assert all(repetitions.filter(entry("broker", "refused", 100.0, logging.DEBUG)) for _ in range(50))
