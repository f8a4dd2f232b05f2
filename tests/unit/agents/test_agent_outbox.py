"""The outbox on a real disk: bounded, exact, and never in the way."""

import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.outbox.queue import SPARE_ROWS, Outbox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "terminal.outbox"


def open_outbox(path: Path, rows: int = 1000, size: int = 1_000_000) -> Outbox:
    return Outbox(path, rows=rows, size=size)


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    opened = open_outbox(path)
    yield opened
    opened.close()


def bodies(outbox: Outbox, limit: int) -> list[bytes]:
    return list(outbox.read(outbox.newest(limit)).values())


def mend(outbox: Outbox) -> None:
    """All that is to be done about the files."""
    outbox.mend()
    while outbox._file.salvage:
        outbox.mend()


def findings(outbox: Outbox) -> list[str]:
    return [finding.name for finding in outbox.findings]


def keys(outbox: Outbox) -> list[tuple[str, int]]:
    return [row.key for row in outbox.newest(10_000)]


def test_the_last_written_comes_first(outbox: Outbox) -> None:
    for number in (1, 2, 3):
        outbox.append("a", number, b"%d" % number)
    newest = outbox.newest(2)
    assert [row.key for row in newest] == [("a", 3), ("a", 2)]
    assert list(outbox.read(newest).values()) == [b"3", b"2"]
    assert len(outbox) == 3


def test_exactly_the_named_ones_are_deleted(outbox: Outbox) -> None:
    for box in ("a", "b"):
        for number in (1, 2, 3):
            outbox.append(box, number, b"x")
    outbox.delete([("a", 2), ("b", 3), ("c", 1)])
    assert sorted(keys(outbox)) == [("a", 1), ("a", 3), ("b", 1), ("b", 2)]
    assert len(outbox) == 4


def test_records_outlive_the_agent(path: Path) -> None:
    first = open_outbox(path)
    first.append("a", 1, b"one")
    first.append("a", 2, b"two")
    first.close()
    second = open_outbox(path)
    second.append("b", 1, b"three")
    assert keys(second) == [("b", 1), ("a", 2), ("a", 1)]
    second.close()


def test_records_outlive_kill_9(path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from agents.outbox.queue import Outbox\n"
        "box = Outbox(Path(sys.argv[1]), rows=100, size=10000)\n"
        "[box.append('a', n, b'x') for n in range(50)]\n"
        "box.append('a', 50, b'open', held=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)
    assert done.returncode == -9
    outbox = open_outbox(path)
    assert len(keys(outbox)) == 51
    assert outbox.newest(1)[0].key == ("a", 50), "what was held by a run that is over may be sent"
    outbox.close()


def test_a_held_record_is_rewritten_and_not_sent(outbox: Outbox) -> None:
    outbox.append("a", 1, b"until ten", held=True)
    outbox.append("a", 2, b"other")
    outbox.append("a", 1, b"until eleven", held=True)
    assert keys(outbox) == [("a", 2)]
    outbox.append("a", 1, b"until twelve")
    assert keys(outbox) == [("a", 1), ("a", 2)]
    assert bodies(outbox, 1) == [b"until twelve"]
    assert len(outbox) == 2


@pytest.mark.parametrize(("rows", "size"), [(5, 10_000), (1000, 500)], ids=["rows", "bytes"])
def test_a_full_outbox_drops_the_oldest_and_says_how_many(path: Path, rows: int, size: int) -> None:
    outbox = open_outbox(path, rows=rows, size=size)
    dropped = [key for number in range(12) for key in outbox.append("a", number, b"x" * 100)]
    assert dropped == [("a", number) for number in range(7)]
    assert keys(outbox) == [("a", number) for number in range(11, 6, -1)]
    assert outbox.dropped == 7
    outbox.close()
    again = open_outbox(path, rows=rows, size=size)
    assert again.dropped == 7, "a restart forgets no loss"
    again.mark_dropped_reported()
    assert again.dropped == 0
    again.close()


def test_the_file_stays_small(path: Path) -> None:
    outbox = open_outbox(path, rows=100_000, size=16_000)
    for number in range(500):
        outbox.append("a", number, b"x" * 800)
    assert sum(file.stat().st_size for file in path.parent.iterdir()) < 400_000 <= 500 * 800
    outbox.close()


@pytest.mark.parametrize(
    "content",
    [b"this was never a database, however long it may be" * 100, b"SQLite format 3\0" + bytes(4080)],
    ids=["no database", "a header and zeros"],
)
def test_a_corrupt_file_is_set_aside(path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(content)
    outbox = open_outbox(path)
    assert outbox.append("a", 1, b"x") == []
    mend(outbox)
    assert findings(outbox) == ["outbox_corrupt"]
    assert outbox.trouble is None
    assert path.with_suffix(".corrupt").read_bytes() == content
    assert [record.levelno for record in caplog.records if record.levelno >= logging.ERROR] == [logging.ERROR]
    assert str(path) in caplog.text
    outbox.close()
    again = open_outbox(path)
    assert keys(again) == [("a", 1)]
    assert not again.findings
    again.close()


def test_a_file_that_rots_under_the_agent_is_set_aside(path: Path) -> None:
    outbox = open_outbox(path)
    for number in range(300):
        outbox.append("a", number, b"x" * 500)
    outbox.close()
    rotten = bytearray(path.read_bytes())
    rotten[4096:] = os.urandom(len(rotten) - 4096)
    path.write_bytes(rotten)
    again = open_outbox(path)
    again.append("b", 1, b"y")
    mend(again)
    assert findings(again) == ["outbox_corrupt"]
    assert keys(again) == [("b", 1)]
    again.close()


class TestFullDisk:
    """The pages that SQLite may have are limited: it answers as it does on a full disk."""

    @pytest.fixture
    def full(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
        outbox = open_outbox(path)
        for number in range(3):
            outbox.append("a", number, b"x" * 1000)
        self.limit(outbox, 1)
        yield outbox
        outbox.close()

    @staticmethod
    def limit(outbox: Outbox, pages: int) -> None:
        assert outbox._file.table
        outbox._file.table._db.execute(f"PRAGMA max_page_count = {pages}")

    def test_records_wait_in_memory(self, full: Outbox, caplog: pytest.LogCaptureFixture) -> None:
        for number in range(3, 10):
            assert full.append("a", number, b"y" * 5000) == []
        assert full.trouble is not None
        assert "full" in full.trouble
        assert keys(full) == [("a", number) for number in range(9, -1, -1)]
        assert bodies(full, 1) == [b"y" * 5000]
        assert len([record for record in caplog.records if "memory" in record.message]) == 1, "said once"

    def test_memory_is_bounded_and_says_what_it_dropped(self, full: Outbox) -> None:
        for number in range(3, 3 + SPARE_ROWS + 20):
            full.append("a", number, b"y" * 1600)
        assert len(full) <= SPARE_ROWS + 3
        assert full.dropped >= 20

    def test_records_are_deleted_wherever_they_lie(self, full: Outbox) -> None:
        full.append("a", 3, b"y" * 5000)
        full.delete([("a", 3), ("a", 0)])
        assert keys(full) == [("a", 2), ("a", 1)]

    def test_they_go_to_the_disk_when_it_has_room_again(self, full: Outbox, path: Path) -> None:
        for number in range(3, 6):
            full.append("a", number, b"y" * 5000)
        self.limit(full, 10_000)
        full.append("a", 6, b"z")
        assert full.trouble is None
        full.close()
        again = open_outbox(path)
        assert sorted(keys(again)) == [("a", number) for number in range(7)]
        again.close()


def test_a_directory_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    outbox = open_outbox(tmp_path / "missing" / "terminal.outbox")
    outbox.append("a", 1, b"x")
    assert outbox.trouble is not None
    assert keys(outbox) == [("a", 1)]
    (tmp_path / "missing").mkdir()
    outbox.append("a", 2, b"y")
    assert outbox.trouble is None
    assert sorted(keys(outbox)) == [("a", 1), ("a", 2)]
    outbox.close()


def test_an_outbox_that_appears_late_keeps_its_order(path: Path) -> None:
    first = open_outbox(path)
    for number in range(5):
        first.append("a", number, b"x")
    first.close()
    hidden = path.rename(path.with_name("hidden"))
    path.mkdir()
    outbox = open_outbox(path)
    outbox.append("b", 1, b"y")
    assert outbox.trouble is not None
    path.rmdir()
    hidden.rename(path)
    outbox.append("b", 2, b"z")
    assert outbox.trouble is None
    assert sorted(keys(outbox)) == [*[("a", number) for number in range(5)], ("b", 1), ("b", 2)]
    outbox.close()


def test_closing_leaves_one_file(path: Path) -> None:
    outbox = open_outbox(path)
    outbox.append("a", 1, b"x")
    outbox.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 60), st.booleans()),
        st.tuples(st.just("delete"), st.lists(st.integers(1, 40), max_size=5)),
        st.tuples(st.just("reopen")),
    ),
    max_size=25,
)


@given(OPERATIONS)
@settings(max_examples=40)
def test_it_holds_what_a_list_would_hold(operations: list[tuple[Any, ...]]) -> None:
    """Against a model: the last `rows` records written, without what was deleted, the held ones hidden."""
    with tempfile.TemporaryDirectory() as directory:
        path, rows, size = Path(directory) / "outbox", 8, 300
        outbox = open_outbox(path, rows=rows, size=size)
        model: list[tuple[int, int, bool]] = []
        for number, operation in enumerate(operations, start=1):
            match operation:
                case ("append", length, held):
                    while model and (len(model) >= rows or sum(item[1] for item in model) + length > size):
                        model.remove(min(model, key=lambda item: (item[2], item[0])))
                    outbox.append("a", number, b"x" * length, held=held)
                    model.append((number, length, held))
                case ("delete", numbers):
                    outbox.delete([("a", gone) for gone in numbers])
                    model = [item for item in model if item[0] not in numbers]
                case ("reopen",):
                    outbox.close()
                    outbox = open_outbox(path, rows=rows, size=size)
                    model = [(written, length, False) for written, length, _ in model]
            assert [row.id for row in outbox.newest(100)] == [item[0] for item in reversed(model) if not item[2]]
            assert len(outbox) == len(model)
        outbox.close()
