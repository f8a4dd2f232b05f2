"""The supervisor with real child processes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from milepost.processes import children
from milepost.processes.restarts import RestartPolicy
from milepost.processes.supervisor import GaveUpError, Program, Supervisor

QUICK = RestartPolicy(first=0.01, longest=0.05)
SLEEPER = [sys.executable, "-S", "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-S",
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(tmp_path, policy=QUICK)
    yield supervisor
    await supervisor.stop([])


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in other processes
            await asyncio.sleep(0.01)


def program(name: str, command: list[str], **more: object) -> Program:
    return Program(name=name, command=lambda: command, **more)  # type: ignore[arg-type]


async def run_to_the_end(supervisor: Supervisor, one: Program) -> None:
    await supervisor.start(one)
    async with asyncio.timeout(30):
        await supervisor.failed()


async def test_what_is_killed_starts_again(supervisor: Supervisor) -> None:
    await supervisor.start(program("sleeper", SLEEPER))
    first = supervisor.pid("sleeper")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: supervisor.pid("sleeper") not in (None, first))
    assert supervisor.starts("sleeper") == 2


async def test_the_hook_runs_after_each_start_and_gets_a_new_command(supervisor: Supervisor) -> None:
    events: list[str] = []

    def command() -> list[str]:
        events.append("command")
        return SLEEPER

    async def hook() -> None:
        events.append("hook")

    await supervisor.start(Program(name="sleeper", command=command, after_start=hook))
    os.kill(supervisor.pid("sleeper") or 0, signal.SIGKILL)
    await until(lambda: len(events) == 4)
    assert events == ["command", "hook"] * 2


async def test_a_failing_hook_ends_the_program_and_starts_it_again(supervisor: Supervisor) -> None:
    attempts: list[int | None] = []

    async def hook() -> None:
        attempts.append(supervisor.pid("stubborn"))
        if len(attempts) == 1:
            raise TimeoutError("it does not listen")

    await supervisor.start(program("stubborn", STUBBORN, after_start=hook, stop_time=0.2))
    assert len(attempts) == 2
    assert not psutil.pid_exists(attempts[0] or 0)


async def test_it_gives_up_loudly_with_the_last_words(supervisor: Supervisor, tmp_path: Path) -> None:
    last_words = "import sys; sys.stderr.write('milepost: no more paper\\n'); sys.exit(1)"
    with pytest.raises(GaveUpError, match="printer is given up, it ended 10 times in a row: no more paper") as caught:
        await run_to_the_end(supervisor, program("printer", [sys.executable, "-S", "-c", last_words]))
    assert not caught.value.mendable
    assert str(tmp_path / "printer.log") in str(caught.value)
    assert supervisor.starts("printer") == 10


async def test_what_a_person_must_mend_is_said_at_once(supervisor: Supervisor) -> None:
    command = [sys.executable, "-S", "-c", "import sys; sys.stderr.write('milepost: mend it\\n'); sys.exit(2)"]
    with pytest.raises(GaveUpError) as caught:
        await run_to_the_end(supervisor, program("wrong", command))
    assert (caught.value.mendable, caught.value.last_words) == (True, "mend it")
    assert supervisor.starts("wrong") == 1


async def test_the_others_go_on_without_a_program_that_is_not_vital(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    command = [sys.executable, "-S", "-c", "import sys; sys.stderr.write('milepost: it is forked\\n'); sys.exit(2)"]
    await supervisor.start(program("sleeper", SLEEPER))
    await supervisor.start(program("ledger", command, vital=False))
    await until(lambda: any("the others go on" in record.message for record in caplog.records))
    assert "it is forked" in next(str(vars(r)["error"]) for r in caplog.records if "the others go on" in r.message)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(supervisor.failed(), 0.1)
    assert supervisor.pid("sleeper") is not None


async def test_what_cannot_be_started_says_why(supervisor: Supervisor) -> None:
    with pytest.raises(GaveUpError, match=r"it cannot be started: .*No such file"):
        await supervisor.start(program("nothing", ["/nowhere/nothing"], after_start=lambda: asyncio.sleep(60)))


async def test_the_stages_end_one_after_the_other(supervisor: Supervisor, tmp_path: Path) -> None:
    for name in ("first", "second"):
        write = f"open({str(tmp_path / 'order')!r}, 'a').write({name!r} + ' ')"
        code = (
            "import signal, sys, time\n"
            f"def end(*_):\n    {write}\n    sys.exit()\n"
            "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(60)"
        )
        await supervisor.start(program(name, [sys.executable, "-S", "-c", code]))
        await until(lambda name=name: "up" in (tmp_path / f"{name}.log").read_text())  # type: ignore[misc]
    assert await supervisor.stop([["first"], ["second"]]) == []
    assert (tmp_path / "order").read_text() == "first second "


async def test_what_does_not_end_is_killed_in_time(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(program("stubborn", STUBBORN, stop_time=0.3))
    await until(lambda: "up" in (tmp_path / "stubborn.log").read_text())
    pid = supervisor.pid("stubborn")
    async with asyncio.timeout(10):
        assert await supervisor.stop([["stubborn"]]) == ["stubborn"]
    assert not psutil.pid_exists(pid or 0)


async def test_what_is_frozen_is_ended_too(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(program("frozen", STUBBORN, stop_time=0.3))
    await until(lambda: "up" in (tmp_path / "frozen.log").read_text())
    os.kill(supervisor.pid("frozen") or 0, signal.SIGSTOP)
    async with asyncio.timeout(10):
        assert await supervisor.stop([["frozen"]]) == ["frozen"]


def test_children_follow_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    script = f"""
import asyncio, sys
from pathlib import Path
from milepost.processes.supervisor import Program, Supervisor
async def main():
    supervisor = Supervisor(Path({str(tmp_path)!r}))
    await supervisor.start(Program(name="stubborn", command=lambda: {STUBBORN!r}))
    print(supervisor.pid("stubborn"), flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    assert child.wait(timeout=10) is None or not child.is_running()


def test_a_log_is_rotated_by_size_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with log.open("ab") as writer:
        for number in range(5):
            writer.write(b"%d" % number * 100)
            writer.flush()
            assert children.rotate(log, limit=50, keep=3)
        assert log.stat().st_size == 0
        writer.write(b"last\n")
        writer.flush()
        assert not children.rotate(log, limit=50)
    assert log.read_bytes() == b"last\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.log", "x.log.1", "x.log.2", "x.log.3"]
    assert (tmp_path / "x.log.1").read_bytes() == b"4" * 100


def test_the_last_words_are_those_of_this_life(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("milepost: an older life\n")
    offset = log.stat().st_size
    assert children.complaint(log, offset=offset) == ""
    with log.open("a") as file:
        file.write("milepost: mend it\n2026 INFO chatter\n")
    assert children.complaint(log, offset=offset) == "mend it"
    assert children.complaint(tmp_path / "none.log") == ""
