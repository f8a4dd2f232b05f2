"""Work with a disk that does not answer: nobody waits for it for ever, and no record leaves memory before its time."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from agents.outbox.queue import SPARE_ROWS, Outbox
from agents.worker import HangsError, Worker

T = TypeVar("T")
LONG = 60.0


class TestWorker:
    @pytest.fixture
    def worker(self) -> Worker:
        worker = Worker("test")
        worker.be_patient(LONG)
        return worker

    def test_it_gives_what_the_work_gives(self, worker: Worker) -> None:
        assert worker.do(lambda: 7) == 7
        assert worker.busy_for == 0

    def test_it_raises_what_the_work_raises(self, worker: Worker) -> None:
        with pytest.raises(ZeroDivisionError):
            worker.do(lambda: 1 // 0)
        assert worker.do(lambda: 7) == 7, "and goes on"

    def test_what_hangs_is_not_waited_for_and_nothing_gathers_behind_it(self, worker: Worker) -> None:
        answer, done = threading.Event(), []
        leave_hanging(worker, lambda: done.append("first") if answer.wait(LONG) else None)
        worker.be_patient(LONG)
        with pytest.raises(HangsError):
            worker.do(lambda: done.append("second"))
        assert worker.busy_for > 0
        answer.set()
        retry(worker, lambda: done.append("third"))
        assert done == ["first", "third"]

    def test_nothing_is_begun_without_patience(self, worker: Worker) -> None:
        done: list[str] = []
        worker.be_patient(0)
        with pytest.raises(HangsError):
            worker.do(lambda: done.append("first"))
        worker.be_patient(LONG)
        worker.do(lambda: done.append("second"))
        assert done == ["second"]


def leave_hanging(worker: Worker, work: Callable[[], object]) -> None:
    """Begin work that does not end. Where this thread had to wait, no patience was left to begin it: try again."""
    while not worker.busy_for:
        worker.be_patient(0.01)
        with pytest.raises(HangsError):
            worker.do(work)


def retry(worker: Worker, work: Callable[[], T]) -> T:
    """Do it as soon as the earlier work is done."""
    while True:
        try:
            return worker.do(work)
        except HangsError:
            worker.be_patient(LONG)


class Disk:
    """An outbox whose disk stops answering, and answers again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._answer = threading.Event()
        self._worker = Worker("test")
        self._worker.be_patient(LONG)
        self.outbox = Outbox(path, rows=1000, size=1_000_000, worker=self._worker)

    def hang(self) -> None:
        leave_hanging(self._worker, lambda: self._answer.wait(LONG))
        self._worker.be_patient(LONG)

    def answer(self) -> None:
        self._answer.set()
        retry(self._worker, lambda: None)
        self._answer.clear()

    def write(self, *numbers: int, body: bytes = b"x") -> None:
        for number in numbers:
            assert self.outbox.append("a", number, body) == []

    def numbers(self) -> list[int]:
        """What may be sent, the last written first."""
        return [number for _, number in (row.key for row in self.outbox.newest(10_000))]

    def left(self) -> dict[int, bytes]:
        """What a later start finds."""
        self.answer()
        self.outbox.close()
        later = Outbox(self.path, rows=1000, size=1_000_000)
        found = later.read(later.newest(10_000))
        later.close()
        return {row.id: body for row, body in found.items()}


class TestOutbox:
    @pytest.fixture
    def disk(self, tmp_path: Path) -> Disk:
        return Disk(tmp_path / "terminal.outbox")

    def test_what_is_written_meanwhile_can_be_sent_and_goes_to_the_disk(self, disk: Disk) -> None:
        disk.write(1)
        disk.hang()
        disk.write(2, 3)
        assert disk.numbers() == [3, 2], "the disk gives nothing out"
        disk.answer()
        disk.outbox.mend()
        assert sorted(disk.numbers()) == [1, 2, 3]
        assert sorted(disk.left()) == [1, 2, 3]

    def test_what_is_acknowledged_meanwhile_is_not_sent_again(self, disk: Disk) -> None:
        disk.write(1, 2)
        disk.hang()
        disk.write(3, 4)
        disk.outbox.delete([("a", 1), ("a", 3)])
        disk.answer()
        assert sorted(disk.numbers()) == [2, 4]
        assert sorted(disk.left()) == [2, 4]

    def test_what_is_written_again_meanwhile_stays_as_it_was_written_last(self, disk: Disk) -> None:
        disk.write(1, body=b"old")
        disk.hang()
        disk.write(1, body=b"new")
        assert list(disk.outbox.read(disk.outbox.newest(5)).values()) == [b"new"]
        disk.answer()
        assert disk.left() == {1: b"new"}

    def test_memory_is_bounded_meanwhile_and_says_what_it_dropped(self, disk: Disk) -> None:
        disk.hang()
        for number in range(SPARE_ROWS + 5):
            disk.outbox.append("a", number, b"x")
        assert (len(disk.outbox), disk.outbox.dropped) == (SPARE_ROWS, 5)
        assert len(disk.left()) == SPARE_ROWS

    def test_an_outbox_on_a_disk_that_hung_at_the_start_finds_its_records(self, disk: Disk) -> None:
        disk.write(1, 2)
        disk.outbox.close()
        late = Disk.__new__(Disk)
        late.path, late._answer, late._worker = disk.path, threading.Event(), Worker("late")
        late.hang()
        late.outbox = Outbox(disk.path, rows=1000, size=1_000_000, worker=late._worker)
        late.write(3)
        assert late.numbers() == [3]
        late.answer()
        late.outbox.mend()
        assert sorted(late.numbers()) == [1, 2, 3]
        assert sorted(late.left()) == [1, 2, 3]
