"""What other programs on a terminal leave for its agent."""

import json
import time
from pathlib import Path

import pytest

from agents.collect import INVENTORY, Subject, collect
from agents.reports import AT_ONCE, MAX_FILE, Reports, read_resources
from agents.sampler import Sampler
from contract.messages import Record, Usage
from tests.unit.agents.test_agent_parts import config

COUNT = {"at": 1_780_000_000_000, "until": 1_780_003_600_000, "sessions": 7, "by": {"category": {"books": 5}}}


def leave(directory: Path, name: str, what: object) -> Path:
    path = directory / name
    path.write_text(what if isinstance(what, str) else json.dumps(what))
    return path


def test_usage_is_taken_once(tmp_path: Path) -> None:
    leave(tmp_path, "usage-2.json", COUNT | {"sessions": 2})
    leave(tmp_path, "usage-1.json", COUNT)
    leave(tmp_path, "usage-3.json.part", "{")
    reports = Reports(tmp_path)
    assert [each["sessions"] for each in reports.take_usage()] == [7, 2]
    assert list(reports.take_usage()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["usage-3.json.part"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"sessions": 1}',
        '{"at": 1, "sessions": -1}',
        '{"at": "now"}',
        '{"at": 1, "bytes": 1' + " " * MAX_FILE + "}",
    ],
)
def test_what_is_no_usage_is_set_aside_and_stops_nothing(tmp_path: Path, text: str) -> None:
    leave(tmp_path, "usage-1.json", text)
    leave(tmp_path, "usage-2.json", COUNT)
    assert [each["sessions"] for each in Reports(tmp_path).take_usage()] == [7]
    assert [path.name for path in tmp_path.iterdir()] == ["usage-1.json.bad"]


def test_a_heap_of_files_is_taken_in_portions(tmp_path: Path) -> None:
    for number in range(AT_ONCE + 5):
        leave(tmp_path, f"usage-{number:03d}.json", COUNT)
    reports = Reports(tmp_path)
    assert [len(list(reports.take_usage())) for _ in range(3)] == [AT_ONCE, 5, 0]


def test_a_directory_that_is_not_there_yet_is_no_trouble(tmp_path: Path) -> None:
    reports = Reports(tmp_path / "later")
    assert list(reports.take_usage()) == []
    assert not reports.resources_changed()
    assert read_resources(tmp_path / "later") is None


def test_resources_go_with_the_inventory(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    books = {"id": "books", "version": "3", "applied": 1_780_000_000_000, "lang": "bo", "bytes": 70}
    path = leave(tmp_path, "resources.json", [books | {"more": 1}])
    assert reports.resources_changed()
    assert not reports.resources_changed()
    assert collect(INVENTORY, Subject(reports=tmp_path))["resources"] == [books]
    path.write_text("[{}]")
    assert reports.resources_changed()
    assert "resources" not in collect(INVENTORY, Subject(reports=tmp_path))


def test_the_sampler_takes_what_was_left_at_its_own_time(tmp_path: Path) -> None:
    now = time.time_ns() // 1_000_000
    leave(tmp_path, "usage-1.json", COUNT | {"at": now - 3_600_000})
    sampler = Sampler(config(every=1, sample=1, reports=tmp_path))
    sampler._take_reports(time.monotonic())
    (sample,) = sampler.taken
    assert (sample.kind, sample.at, sample.values["sessions"]) == ("usage", now - 3_600_000, 7)
    assert time.monotonic() - sample.mono >= 3599
    assert isinstance(Usage(id=1, at=sample.at, **sample.values), Record)
