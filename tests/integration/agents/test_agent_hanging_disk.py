"""The agent on a disk that does not answer: opening a named pipe that nobody writes to blocks as such a disk does."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.messages import Health
from tests.integration.agents.test_agent import STATION, Field
from tests.integration.agents.test_agent_files import beats_on, event
from tests.servers import IotCore, Mosquitto


@pytest.fixture
def field(mqtt_broker: Mosquitto | IotCore, tmp_path: Path) -> Iterator[Field]:
    opened = Field(mqtt_broker, tmp_path)
    yield opened
    opened.close()


class HangingFile:
    """A file whose opening blocks until `answer`, which puts `whole` in its place."""

    def __init__(self, path: Path) -> None:
        self._path, self._pipe = path, path.with_name("pipe")
        self._whole = path.with_name("whole")
        os.mkfifo(self._pipe)
        if path.exists():
            os.link(path, self._whole)
        os.link(self._pipe, path.with_name("hanging"))
        path.with_name("hanging").replace(path)

    def answer(self) -> None:
        if self._whole.exists():
            self._whole.replace(self._path)
        else:
            self._path.unlink()
        # Both ends: whoever waits, be it to read or to write, goes on, and finds the end of the file.
        os.close(os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK))


def named(field: Field) -> object:
    return event(field, "file_trouble", file="data directory")["error"]


def health_after(field: Field, number: int) -> Health:
    found = field.server.record(lambda record: isinstance(record, Health) and record.id > number)
    assert isinstance(found, Health)
    return found


def test_a_disk_that_stops_answering_stops_no_heartbeat_and_loses_no_record(field: Field) -> None:
    agent = field.start(sample=1)
    before = field.server.record(lambda record: isinstance(record, Health) and record.id > 3, ack=False)
    field.server.seen.clear()
    disk = HangingFile(field.data / f"{STATION}-001.outbox")
    assert named(field) == "the disk does not answer"
    beats_on(field)
    during = health_after(field, before.id + 5)
    disk.answer()
    last = health_after(field, during.id + 2)
    while {number for _, number in field.server.sent()} < set(range(1, last.id)):
        health_after(field, 0)
    assert agent.end() == 0


@pytest.mark.parametrize("file", ["lock", "state", "outbox"])
def test_a_disk_that_does_not_answer_at_the_start_stops_no_heartbeat(field: Field, file: str) -> None:
    field.data.mkdir()
    disk = HangingFile(field.data / f"{STATION}-001.{file}")
    agent = field.start(sample=1)
    assert field.server.heartbeat().run == 1
    assert named(field) == "the disk does not answer"
    beats_on(field)
    late = health_after(field, 3)
    disk.answer()
    health_after(field, late.id + 3)
    assert agent.end() == 0
    assert field.server.status().state in ("online", "away")
    counted = json.loads((field.data / f"{STATION}-001.state").read_text())
    assert counted["run"] == 1


def test_a_hanging_disk_does_not_keep_the_agent_from_ending(field: Field) -> None:
    field.data.mkdir()
    HangingFile(field.data / f"{STATION}-001.outbox")
    agent = field.start(sample=3600)
    beats_on(field)
    assert agent.end() == 0
    status = field.server.status()
    while status.state != "away":
        status = field.server.status()


def test_what_waited_in_memory_is_on_disk_after_a_hang(field: Field) -> None:
    """A second start sends what the first recorded while the disk hung and nothing was acknowledged."""
    field.data.mkdir()
    disk = HangingFile(field.data / f"{STATION}-001.outbox")
    agent = field.start(sample=1)
    field.server.record(lambda record: isinstance(record, Health) and record.id > 3, ack=False)
    disk.answer()
    while not (field.data / f"{STATION}-001.outbox").exists():
        field.server.heartbeat()
    beats_on(field)
    assert agent.end() == 0
    recorded = set(field.server.sent())
    field.server.seen.clear()
    field.start(sample=3600, backlog_rate=100_000)
    while not recorded <= set(field.server.sent()):
        field.server.data()
