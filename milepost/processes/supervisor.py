"""Keeps programs running: starts them, restarts them when they end, and ends all of them in order."""

import asyncio
import logging
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from contract.said import Said
from milepost.processes import children
from milepost.processes.restarts import NoRestart, RestartAfter, RestartHistory, RestartPolicy

log = logging.getLogger(__name__)


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """One program to keep running."""

    name: str
    #: Returns the command line; called before each start.
    command: Callable[[], list[str]]
    environ: Mapping[str, str] | None = None
    #: The user to run as; None: that of this process.
    run_as: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    #: The signal that the program gets from the kernel when this process is killed.
    orphan_signal: signal.Signals = signal.SIGKILL
    #: Seconds between the stop signal and SIGKILL.
    stop_time: float = 4.0
    #: Whether everything ends when this program is given up. The others go on without one that is not vital.
    vital: bool = True
    #: Runs after each start; the program counts as started when it returns, and is restarted when it raises.
    after_start: Callable[[], Awaitable[None]] | None = None


class GaveUpError(Exception):
    """A program cannot be kept running. `last_words`: its last message; `mendable`: a person must mend something."""

    def __init__(self, name: str, *, status: int, reason: Said, last_words: str, log: Path) -> None:
        self.said = Said(
            f"{name} is given up, {reason.en}: {last_words or 'it said nothing'} (see {log})",
            f"{name} 不再重新启动，{reason.zh}：{last_words or '没有输出'}（参见 {log}）",
        )
        super().__init__(self.said.en)
        self.last_words = last_words
        self.mendable = status == 2


class _Running:
    """One program and its present process."""

    def __init__(self, program: Program, log: Path, policy: RestartPolicy) -> None:
        self.program = program
        self.log = log
        self.restarts = RestartHistory(policy)
        self.started = asyncio.Event()
        self.process: asyncio.subprocess.Process | None = None
        self.starts = 0
        self.offset = 0
        self.status = 0
        self.task: asyncio.Task[None] | None = None


class Supervisor:
    """Programs by name, with their output in `logs`/NAME.log."""

    def __init__(self, logs: Path, *, policy: RestartPolicy | None = None) -> None:
        self._logs = logs
        self._policy = policy or RestartPolicy()
        self._programs: dict[str, _Running] = {}
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._housekeeping = asyncio.create_task(self._rotate(), name="rotate logs")

    def pid(self, name: str) -> int | None:
        """The process id of a program that runs, else None."""
        process = self._programs[name].process if name in self._programs else None
        return None if process is None or process.returncode is not None else process.pid

    def memory(self, name: str) -> int:
        """Bytes of memory that a program uses; 0 while it does not run."""
        pid = self.pid(name)
        try:
            return 0 if pid is None else int(psutil.Process(pid).memory_info().rss)
        except psutil.Error:
            return 0

    def processor(self, name: str) -> float:
        """Seconds of processor time that a program has used since its start; 0 while it does not run."""
        pid = self.pid(name)
        try:
            return 0.0 if pid is None else sum(psutil.Process(pid).cpu_times()[:2])
        except psutil.Error:
            return 0.0

    def starts(self, name: str) -> int:
        """How many times a program was started."""
        return self._programs[name].starts

    async def start(self, program: Program) -> None:
        """Start a program and return once it counts as started. Raises GaveUpError when some program is given up."""
        running = _Running(program, self._logs / f"{program.name}.log", self._policy)
        self._programs[program.name] = running
        running.task = asyncio.create_task(self._keep(running), name=f"keep {program.name}")
        started = asyncio.create_task(running.started.wait(), name=f"start {program.name}")
        waits: set[asyncio.Future[Any]] = {started, self._failed}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            started.cancel()
        if not running.started.is_set():
            await self._failed

    async def end(self, name: str) -> None:
        """End one program, if there is one of this name, and do not restart it."""
        if name in self._programs:
            running = self._programs[name]
            await self._stop_stage([running], running.program.stop_time)
            self._programs.pop(name, None)

    def note_working(self) -> None:
        """All programs have worked: from now on they get much more time to recover before they are given up."""
        for running in self._programs.values():
            running.restarts.note_working()

    async def failed(self) -> None:
        """Wait until a program cannot be kept running, then raise its GaveUpError."""
        await asyncio.shield(self._failed)

    async def stop(self, stages: Iterable[Iterable[str]], *, within: float = 18.0) -> list[str]:
        """End the programs stage by stage, then those of no stage; the names of those that had to be killed.

        It takes at most `within` seconds, if the stop times of the programs allow it.
        """
        self._housekeeping.cancel()
        if not self._failed.cancel() and not self._failed.cancelled():
            self._failed.exception()  # read it, or asyncio warns of an exception that was never retrieved
        deadline = time.monotonic() + within
        killed: list[str] = []
        rest = dict(self._programs)
        plan = [[rest.pop(name) for name in stage if name in rest] for stage in stages] + [list(rest.values())]
        for number, stage in enumerate(plan):
            # The later stages need time too.
            reserved = sum(_slowest(later) for later in plan[number + 1 :])
            limit = max(0.5, min(_slowest(stage), deadline - time.monotonic() - reserved))
            killed += await self._stop_stage(stage, limit)
        return killed

    async def _stop_stage(self, stage: list[_Running], limit: float) -> list[str]:
        for running in stage:
            if running.task is not None:
                running.task.cancel()
                await asyncio.gather(running.task, return_exceptions=True)
        alive = {r.program.name: r.process for r in stage if r.process is not None and r.process.returncode is None}
        for running in stage:
            if running.program.name in alive:
                children.send(alive[running.program.name], running.program.stop_signal)
        waits = {name: asyncio.create_task(process.wait(), name=f"end {name}") for name, process in alive.items()}
        if not waits:
            return []
        _, late = await asyncio.wait(waits.values(), timeout=limit)
        killed = [name for name, wait in waits.items() if wait in late]
        for name in killed:
            log.warning("killed: it did not end in time", extra={"program": name, "seconds": round(limit, 1)})
            children.send(alive[name], signal.SIGKILL)
        await asyncio.gather(*waits.values())
        return killed

    async def _keep(self, running: _Running) -> None:
        try:
            while True:
                decision = await self._live_once(running)
                if isinstance(decision, NoRestart):
                    self._give_up(running, decision)
                    return
                await asyncio.sleep(decision.delay)
        except Exception as exc:  # an error of this module must end everything, not leave a program unsupervised
            self._fail(exc)

    def _give_up(self, running: _Running, decision: NoRestart) -> None:
        error = _given_up(running, decision)
        if running.program.vital:
            self._fail(error)
            return
        log.error("gave up one program; the others go on", extra={"error": str(error)})
        running.started.set()

    def _fail(self, exc: Exception) -> None:
        log.error("gave up", extra={"error": str(exc)})
        if not self._failed.done():
            self._failed.set_exception(exc)

    async def _live_once(self, running: _Running) -> RestartAfter | NoRestart:
        """Run the program until it ends, and decide whether to restart it."""
        began, running.offset = time.monotonic(), _size(running.log)
        running.status = await self._run_once(running)
        now = time.monotonic()
        decision = running.restarts.ended(status=running.status, lived=now - began, now=now)
        extra = {"program": running.program.name, "status": running.status, "lived": round(now - began, 1)}
        log.warning("ended", extra={**extra, "said": children.complaint(running.log, offset=running.offset)})
        return decision

    async def _run_once(self, running: _Running) -> int:
        """Start the program and wait for its end; its exit status, negative for a signal."""
        program = running.program
        try:
            running.process = await children.spawn(
                program.command(),
                log=running.log,
                environ=program.environ,
                run_as=program.run_as,
                orphan_signal=program.orphan_signal,
            )
        except (OSError, subprocess.SubprocessError) as exc:
            with running.log.open("a", encoding="utf-8") as output:
                output.write(f"milepost: it cannot be started: {exc}\n")
            return 127
        running.starts += 1
        log.info("started", extra={"program": program.name, "pid": running.process.pid})
        ended = asyncio.create_task(running.process.wait(), name=f"wait {program.name}")
        try:
            if await self._after_start(running, ended):
                running.started.set()
            return await ended
        finally:
            ended.cancel()

    async def _after_start(self, running: _Running, ended: asyncio.Task[int]) -> bool:
        """Run the program's `after_start`; false when the program ended meanwhile or the hook failed."""
        hook = running.program.after_start
        if hook is None:
            return True
        hooked = asyncio.ensure_future(hook())
        try:
            await asyncio.wait({hooked, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not hooked.done():
                return False
            hooked.result()
        except Exception as exc:  # the remedy for any error of the hook is a restart
            log.warning("not usable after its start", extra={"program": running.program.name, "error": str(exc)})
            await self._end(running, ended)
            return False
        finally:
            hooked.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await hooked
        return True

    async def _end(self, running: _Running, ended: asyncio.Task[int]) -> None:
        if running.process is not None:
            children.send(running.process, running.program.stop_signal)
            done, _ = await asyncio.wait({ended}, timeout=running.program.stop_time)
            if not done:
                children.send(running.process, signal.SIGKILL)

    async def _rotate(self) -> None:
        while True:
            await asyncio.sleep(5)
            for running in self._programs.values():
                if children.rotate(running.log):
                    log.info("rotated its log", extra={"program": running.program.name})


def _given_up(running: _Running, decision: NoRestart) -> GaveUpError:
    return GaveUpError(
        running.program.name,
        status=running.status,
        reason=decision.reason,
        last_words=children.complaint(running.log, offset=running.offset),
        log=running.log,
    )


def _slowest(stage: list[_Running]) -> float:
    return max((running.program.stop_time for running in stage), default=0.0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
