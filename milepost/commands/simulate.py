"""`milepost simulate`: a fleet of simulated terminals for any Milepost, and a check of what Milepost made of it."""

import argparse
import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import BinaryIO, Final

from agents.config import Broker, parse_broker
from agents.simulator import journal, roster, timetable
from agents.simulator.checker import check
from agents.simulator.fleet import Fleet
from agents.simulator.journal import BrokenJournalError
from agents.simulator.lives import history
from agents.simulator.machine.actions import TerminalProfile
from agents.simulator.seen import Disagreement
from agents.simulator.timetable import BrokenLineError, TimedDeed
from contract.errors import RemedyError
from contract.said import Said, said_by
from milepost.commands import check_api
from milepost.commands.up import say
from milepost.files import raise_file_limit
from milepost.numbers import require_between
from milepost.settings import Settings, require, secret_in

REPORT_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 5.0
MOST_TERMINALS: Final = 9


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Run the fleet, then compare with the API if `--check` is given; 1 when they differ. Raises RemedyError."""
    _require_sense(arguments)
    if arguments.stations:
        await _run_fleet(settings, stop, arguments)
    if arguments.check is None:
        return 0
    if arguments.stations and not stop.is_set():
        # The records that were acknowledged last may not be in the database yet.
        await asyncio.sleep(SETTLE_SECONDS)
    return await _check(arguments)


def _require_sense(arguments: argparse.Namespace) -> None:
    """Raise RemedyError for options that contradict each other or cannot work."""
    require_between("--stations", arguments.stations, 0, roster.MOST_STATIONS)
    require_between("--terminals", arguments.terminals, 1, MOST_TERMINALS)
    require_between("--every", arguments.every, 1, 3600)
    if arguments.sample is not None:
        require_between("--sample", arguments.sample, 1, timetable.MOST_SECONDS)
    if arguments.seconds is not None:
        require_between("--seconds", arguments.seconds, 0.1, timetable.MOST_SECONDS)
    if arguments.check is not None and (arguments.journal is None or arguments.token_file is None):
        raise RemedyError(
            "--check compares a journal with what the API says: give --journal FILE and --token-file FILE",
            "--check 将日志与 API 核对：请给出 --journal FILE 和 --token-file FILE",
        )
    if not arguments.stations and arguments.check is None:
        raise RemedyError(
            "--stations 0 simulates nobody: give more, or --check URL to check a journal",
            "--stations 0 不模拟任何服务点：请给出更多，或用 --check URL 核对日志",
        )


# -- the fleet -------------------------------------------------------------------------------------------------


async def _run_fleet(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> None:
    broker = _broker(settings, arguments)
    sample = arguments.sample or 5 * arguments.every
    profiles = roster.profiles(arguments.stations, terminals=arguments.terminals, every=arguments.every, sample=sample)
    deeds = read_script(arguments.script, profiles, arguments.seed)
    bridge = _bridge(arguments.bridge_pid, deeds)
    raise_file_limit(len(profiles))
    ca = None if settings.mqtt_ca_file is None else str(settings.mqtt_ca_file)
    with open_journal(arguments.journal) as write:
        async with running(Fleet(profiles, broker, write=write, seed=arguments.seed, ca=ca, bridge=bridge)) as fleet:
            await _until_over(fleet, deeds, stop, arguments.seconds)
            say(_line(fleet))


@asynccontextmanager
async def running(fleet: Fleet) -> AsyncIterator[Fleet]:
    """The running fleet; at the end of the block all terminals say goodbye and disconnect."""
    fleet.start()
    try:
        yield fleet
    finally:
        await fleet.stop()


async def _until_over(fleet: Fleet, deeds: list[TimedDeed], stop: asyncio.Event, seconds: float | None) -> None:
    """Follow the script and print reports, until `stop` or until the given seconds have passed."""
    tasks = [
        asyncio.create_task(fleet.run_timetable(deeds), name="follow the script"),
        asyncio.create_task(_report(fleet), name="report"),
    ]
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _report(fleet: Fleet) -> None:
    while True:
        await asyncio.sleep(REPORT_SECONDS)
        say(_line(fleet))


def _line(fleet: Fleet) -> Said:
    counts, members = fleet.counts, len(fleet.members)
    return Said(
        f"{fleet.now:7.0f} s  {counts.connected} of {members} connected ({counts.connects} connects), "
        f"{counts.beats} heartbeats, {counts.acked} of {counts.made} records acknowledged, {counts.garbage} broken",
        f"{fleet.now:7.0f} 秒  已连接 {counts.connected}/{members}（连接 {counts.connects} 次），"
        f"心跳 {counts.beats} 次，"
        f"记录已确认 {counts.acked}/{counts.made} 条，无法识别 {counts.garbage} 条",
    )


def _broker(settings: Settings, arguments: argparse.Namespace) -> Broker:
    url = arguments.broker or require(settings.mqtt_url, "MILEPOST_MQTT_URL", "mqtt://host:port (or --broker)")
    broker = parse_broker(url)
    password = secret_in(settings.mqtt_password_file, "MILEPOST_MQTT_PASSWORD_FILE")
    return broker._replace(password=password or broker.password)


def read_script(path: Path | None, profiles: list[TerminalProfile], seed: int) -> list[TimedDeed]:
    """The timed deeds of a fault script. Raises RemedyError that names the line."""
    if path is None:
        return []
    try:
        lines = timetable.read(path.read_text(encoding="utf-8"))
        named = [timetable.NamedTerminal(one.station, one.terminal, one.area) for one in profiles]
        return timetable.plan(lines, named, Random(seed))  # noqa: S311  # seeded, so that a run can be had again
    except (OSError, UnicodeDecodeError) as exc:
        raise RemedyError(
            f"the script {path} cannot be read ({exc}): correct --script",
            f"脚本 {path} 无法读取（{exc}）：请改正 --script",
        ) from exc
    except BrokenLineError as exc:
        raise RemedyError(f"{path}: {exc}", f"{path}：{said_by(exc).zh}") from exc


def _bridge(pid: int | None, deeds: list[TimedDeed]) -> int | None:
    """The process that the script lets stand still. Raises RemedyError when there is none that we may stop."""
    if not any(deed.deed in timetable.OF_BRIDGE for deed in deeds):
        return None
    try:
        if pid is None or pid <= 1:
            raise ProcessLookupError
        os.kill(pid, 0)
    except OSError:
        raise RemedyError(
            f"--bridge-pid is {pid}: give the process id of the bridge that the script stalls",
            f"--bridge-pid 为 {pid}：请给出脚本要停住的桥接进程号",
        ) from None
    return pid


@contextmanager
def open_journal(path: Path | None) -> Iterator[Callable[[journal.Entry], None]]:
    """A function that writes entries of the journal. Raises RemedyError when the file cannot be created."""
    if path is None:
        yield lambda _: None
        return
    try:
        file = path.open("wb")
    except OSError as exc:
        raise RemedyError(
            f"the journal {path} cannot be written ({exc.strerror}): correct --journal",
            f"日志 {path} 无法写入（{exc.strerror}）：请改正 --journal",
        ) from exc
    with file:
        yield lambda entry: _write(file, entry)


def _write(file: BinaryIO, entry: journal.Entry) -> None:
    file.write(journal.line(entry))


# -- the check -------------------------------------------------------------------------------------------------


async def _check(arguments: argparse.Namespace) -> int:
    try:
        with arguments.journal.open("rb") as file:
            found = history(journal.read(file))
        token = arguments.token_file.read_text(encoding="utf-8").strip()
    except OSError as exc:
        raise RemedyError(
            f"{exc.filename} cannot be read ({exc.strerror}): correct --journal or --token-file",
            f"{exc.filename} 无法读取（{exc.strerror}）：请改正 --journal 或 --token-file",
        ) from exc
    except BrokenJournalError as exc:
        raise RemedyError(
            f"{arguments.journal}: {exc}: give the journal of `milepost simulate`",
            f"{arguments.journal}：{exc}：请给出 `milepost simulate` 写的日志",
        ) from exc
    if not found.stations:
        raise RemedyError(
            f"{arguments.journal} knows no heartbeat, so it proves nothing: did the fleet connect?",
            f"{arguments.journal} 中没有心跳，无法证明什么：模拟的终端是否连接成功？",
        )
    seen = await check_api.stations(arguments.check, token, found)
    platform = await check_api.platform(arguments.check, token, found)
    findings = check(found, seen, platform=platform)
    for finding in findings:
        say(str(finding))
    say(_outcome(len(found.stations), findings))
    return 1 if findings else 0


def _outcome(stations: int, findings: list[Disagreement]) -> Said:
    if findings:
        places = len({one.station for one in findings if one.station is not None})
        return Said(
            f"{len(findings)} findings at {places} of {stations} stations",
            f"{stations} 个服务点中 {places} 个有 {len(findings)} 处不符",
        )
    return Said(
        f"{stations} stations: no false offline, none missed, every acknowledged record stored once",
        f"{stations} 个服务点：无误报、无漏报，每条已确认的记录各存一份",
    )
