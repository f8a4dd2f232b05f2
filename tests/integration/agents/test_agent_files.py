"""The agent beside broken files: whatever its disk does, it says that it lives, and names what is wrong."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from contract import codec
from contract.messages import Event, Health, Usage
from tests.integration.agents.test_agent import STATION, Field
from tests.servers import IotCore, Mosquitto

COUNT = 200


@pytest.fixture
def field(mqtt_broker: Mosquitto | IotCore, tmp_path: Path) -> Iterator[Field]:
    opened = Field(mqtt_broker, tmp_path)
    yield opened
    opened.close()


MOUNT, UMOUNT = shutil.which("mount"), shutil.which("umount")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own, as a terminal's flash card is."""
    if os.geteuid() != 0 or MOUNT is None or UMOUNT is None:
        pytest.skip("a disk cannot be mounted: run as root, with mount")
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run([MOUNT, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True)
    if done.returncode:
        pytest.skip(f"a disk cannot be mounted: run where mount may ({done.stderr.decode().strip()})")
    yield place
    subprocess.run([UMOUNT, "-l", str(place)], check=True)


def make_read_only(disk: Path) -> None:
    subprocess.run([MOUNT or "", "-o", "remount,ro", str(disk)], check=True)


def event(field: Field, name: str, **detail: Any) -> Any:
    """The detail of an event that came or will come; what comes meanwhile is acknowledged."""
    while True:
        for times in field.server.sent().values():
            record = codec.decode_record(times[0])
            if isinstance(record, Event) and record.name == name and detail.items() <= dict(record.detail).items():  # type: ignore[call-overload]  # an object in ours
                return record.detail
        take(field)


def take(field: Field) -> None:
    data = field.server.data()
    field.server.ack(data.box, [codec.decode_record(raw).id for raw in data.records])


def beats_on(field: Field) -> None:
    numbers = [field.server.heartbeat().n for _ in range(3)]
    assert numbers == sorted(set(numbers))


def old_ids(field: Field) -> set[int]:
    return {number for box, number in field.server.sent() if box == "0ldb0x"}


def take_backlog(field: Field, count: int) -> None:
    """Acknowledge what comes until so many records of the earlier run came."""
    while len(old_ids(field)) < count:
        take(field)


@pytest.mark.parametrize("new", [b"\x00", b"\xff", b"y"], ids=["breaks the JSON", "breaks the text", "changes it"])
def test_one_flipped_byte_in_a_backlog_costs_its_own_record(field: Field, new: bytes) -> None:
    field.fill(COUNT)
    path = field.data / f"{STATION}-001.outbox"
    content = bytearray(path.read_bytes())
    content[content.index(b'"id":100,') + 60] = new[0]
    path.write_bytes(content)
    field.start(sample=3600, backlog_rate=100_000)
    assert event(field, "outbox_damaged")["records"] == 1
    take_backlog(field, COUNT - 1)
    assert old_ids(field) == set(range(1, COUNT + 1)) - {100}
    beats_on(field)


def test_an_outbox_with_a_broken_page_is_read_past_it(field: Field) -> None:
    field.fill(COUNT)
    path = field.data / f"{STATION}-001.outbox"
    with path.open("r+b") as file:
        file.write(bytes(8192))  # what names the tables, and the root of the records
    field.start(sample=3600, backlog_rate=100_000)
    detail = event(field, "outbox_corrupt")
    assert detail["recovered"] >= COUNT - 40
    take_backlog(field, detail["recovered"])
    assert (field.data / f"{STATION}-001.corrupt").exists()


@pytest.mark.parametrize("how", ["gone", "cut to nothing"])
def test_an_outbox_that_vanished_is_named(field: Field, how: str) -> None:
    first = field.start(sample=3600)
    field.server.heartbeat()
    first.end(signal.SIGKILL)
    path = field.data / f"{STATION}-001.outbox"
    path.unlink() if how == "gone" else os.truncate(path, 0)
    field.start(sample=3600)
    assert event(field, "outbox_lost")["how"] == how


def test_an_outbox_that_is_deleted_under_the_agent_is_written_anew(field: Field) -> None:
    field.fill(20)
    agent = field.start(sample=3600)
    field.server.heartbeat()
    (field.data / f"{STATION}-001.outbox").unlink()
    assert event(field, "outbox_lost")["how"] == "removed while in use"
    agent.end()
    assert (field.data / f"{STATION}-001.outbox").stat().st_size >= 4096


def test_a_directory_that_cannot_be_made_stops_no_heartbeat(field: Field) -> None:
    field.data = field.directory / "missing" / "data"
    agent = field.start(sample=1)
    assert "cannot be made" in event(field, "file_trouble", file="data directory")["error"]
    assert field.server.record(lambda record: isinstance(record, Health))
    beats_on(field)
    assert agent.process.poll() is None
    assert agent.end() == 0


def test_a_file_in_the_directorys_place_stops_no_heartbeat(field: Field) -> None:
    field.data.write_text("a file")
    field.start(sample=3600)
    for file in ("data directory", "lock", "run counter"):
        assert event(field, "file_trouble", file=file)["error"]
    beats_on(field)


@pytest.mark.parametrize("file", ["lock", "state", "outbox"])
def test_a_directory_in_a_files_place_stops_no_heartbeat(field: Field, file: str) -> None:
    field.data.mkdir()
    (field.data / f"{STATION}-001.{file}").mkdir()
    field.start(sample=3600)
    if file == "outbox":
        assert event(field, "outbox_trouble")["error"]
    else:
        assert event(field, "file_trouble", file={"lock": "lock", "state": "run counter"}[file])["error"]
    beats_on(field)


def test_a_run_counter_that_was_cut_is_named(field: Field) -> None:
    field.data.mkdir()
    (field.data / f"{STATION}-001.state").touch()
    field.start(sample=3600)
    assert field.server.heartbeat().run == 1
    assert "cannot be read" in event(field, "file_trouble", file="run counter")["error"]


def test_a_read_only_disk_stops_no_heartbeat(field: Field, disk: Path) -> None:
    field.data = disk / "data"
    make_read_only(disk)
    field.start(sample=1)
    assert "Read-only" in event(field, "file_trouble", file="data directory")["error"]
    assert event(field, "outbox_trouble")["error"]
    assert field.server.record(lambda record: isinstance(record, Health))
    beats_on(field)


def test_what_lies_on_a_disk_that_became_read_only_is_sent_once(field: Field, disk: Path) -> None:
    field.data = disk / "data"
    field.fill(40)
    make_read_only(disk)
    field.start(sample=3600, backlog_rate=100_000, resend_after=60, resend_at_most=60)
    take_backlog(field, 40)
    beats_on(field)
    beats_on(field)
    assert {len(times) for (box, _), times in field.server.sent().items() if box == "0ldb0x"} == {1}


def test_a_full_disk_is_named_and_left_again(field: Field, disk: Path) -> None:
    field.data = disk / "data"
    field.fill(40)
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    field.start(sample=1)
    event(field, "outbox_trouble")
    take_backlog(field, 40)
    beats_on(field)
    ballast.unlink()
    log = field.agents[0].log
    while "can be written again" not in log.read_text():
        field.server.heartbeat()


def test_reports_that_cannot_be_taken_away_stop_no_measuring(field: Field, disk: Path) -> None:
    (disk / "usage-1.json").write_text('{"at": 1780000000000, "sessions": 7}')
    (disk / "usage-2.json").write_text("{")
    make_read_only(disk)
    agent = field.start(sample=1, reports=disk)
    assert "cannot be taken away" in event(field, "file_trouble", file="reports")["error"]
    for _ in range(2):
        assert field.server.record(lambda record: isinstance(record, Health))
    found = [codec.decode_record(times[0]) for times in field.server.sent().values()]
    assert not [record for record in found if isinstance(record, Usage)], "it would be told again and again"
    assert "had died" not in agent.log.read_text()
