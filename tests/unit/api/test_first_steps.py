"""The steps that the board shows before anything was heard."""

import csv
from pathlib import Path

import pytest

from api.console.first_steps import STATION, first_steps
from api.console.pages import STATIC
from api.console.texts import LANGUAGES, Words
from api.read.schemas import VerdictCounts
from registry.importing.importer import read_rows
from registry.importing.rows import Kind

URL = "http://127.0.0.1:8000"

CASES = {
    "nothing is registered": (VerdictCounts(), [False, False, False]),
    "stations are registered, none was heard": (
        VerdictCounts(total=3, never_seen=2, suspended=1),
        [True, False, False],
    ),
    "one was heard": (VerdictCounts(total=2, never_seen=1, online=1), []),
    "one was heard, and is offline": (VerdictCounts(total=1, offline=1), []),
    "our own blindness proves that one was heard": (VerdictCounts(total=1, unknown=1), []),
}


@pytest.mark.parametrize("name", CASES)
def test_steps_until_something_was_heard(name: str) -> None:
    counts, done = CASES[name]
    assert [step.done for step in first_steps(counts, URL, "en")] == done


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_has_its_words_and_whole_commands(language: str) -> None:
    words = Words(language)
    for step in first_steps(VerdictCounts(), URL, language):
        assert words(f"start.{step.name}") and words(f"start_says.{step.name}")
        assert all(command == command.strip() and "\n" not in command for command in step.commands)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example_files_can_be_imported_and_hold_the_station_of_the_next_step(language: str) -> None:
    place: Path = STATIC / "examples" / language
    kinds: tuple[Kind, ...] = ("areas", "stations")
    for kind in kinds:
        rows = read_rows(place / f"{kind}.csv", kind)
        assert rows.good and not rows.bad, rows.bad
    with (place / "stations.csv").open(encoding="utf-8-sig", newline="") as file:
        assert STATION in {row[0] for row in csv.reader(file)}
