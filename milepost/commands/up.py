"""`milepost up`: all of Milepost on this machine, until Ctrl-C."""

import argparse
import asyncio
import shlex
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from agents.simulator.roster import MOST_STATIONS
from contract.errors import RemedyError
from contract.said import Said, said_by
from milepost import datadir, logs, signin
from milepost.commands.account import agent_command
from milepost.commands.history import days_of
from milepost.embedded import mqtt
from milepost.files import raise_file_limit
from milepost.language import of_here, padded, show
from milepost.numbers import require_between
from milepost.processes.supervisor import GaveUpError
from milepost.running import data_option
from milepost.settings import Settings
from milepost.signin import MINUTES
from milepost.stack.programs import FLEET_TERMINALS
from milepost.stack.servers import Servers
from milepost.stack.stack import MadeUpHistory, Say, Stack


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Run the stack until `stop`; 1 when a part of it cannot be kept running. Raises RemedyError."""
    stations = arguments.stations
    require_between("--stations", stations, 0, MOST_STATIONS)
    if stations:
        # The servers inherit the limit: the MQTT broker too needs a socket for each terminal.
        raise_file_limit(int(FLEET_TERMINALS) * stations)
    with datadir.hold(settings.data) as directory:
        logs.add_file(datadir.subdirectory(directory, "logs") / "up.log")
        stack = Stack(settings, directory, say, _history(arguments))
        say(Said(f"Milepost starts in {directory}", f"Milepost 正在 {directory} 中启动"))
        return await _run_stack(stack, stop, stations)


def _history(arguments: argparse.Namespace) -> MadeUpHistory | None:
    """What `--history` asks for. Raises RemedyError."""
    if arguments.history is None:
        return None
    if not arguments.stations:
        raise RemedyError(
            "--history is for simulated stations: give their number with --stations N",
            "--history 用于模拟的服务点：请用 --stations N 指定数量",
        )
    return MadeUpHistory(arguments.stations, days_of(arguments.history))


async def _run_stack(stack: Stack, stop: asyncio.Event, stations: int) -> int:
    try:
        async with started(stack, stop, say) as up:
            if up:
                if stations:
                    await stack.start_fleet(stations)
                say(await summary(stack))
                say(READY)
                await until_stopped(stack, stop)
    except GaveUpError as exc:
        if exc.mendable:
            raise RemedyError(exc.last_words, exc.last_words) from exc
        return _failed(exc)
    except TimeoutError as exc:
        return _failed(exc)
    return 0


def _failed(exc: Exception) -> int:
    sys.stderr.write(f"milepost: {said_by(exc).text(of_here())}\n")
    return 1


@asynccontextmanager
async def started(stack: Stack, stop: asyncio.Event, say: Say) -> AsyncIterator[bool]:
    """Start the stack, and end it in order after the block; false when `stop` came before it was ready."""
    starting = asyncio.create_task(stack.start(), name="start the stack")
    stopping = asyncio.create_task(stop.wait(), name="wait for the end")
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
        yield starting.done()
    finally:
        stopping.cancel()
        starting.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        say(Said("stopping …", "正在停止……"))
        killed = await stack.stop()
        en, zh = (
            (f" ({', '.join(killed)} had to be killed)", f"（强制结束：{'、'.join(killed)}）") if killed else ("", "")
        )
        say(Said(f"stopped{en}", f"已停止{zh}"))


async def until_stopped(stack: Stack, stop: asyncio.Event) -> None:
    """Wait for `stop`. Raises GaveUpError when a program cannot be kept running."""
    watching = asyncio.create_task(stack.watch(), name="watch the stack")
    stopping = asyncio.create_task(stop.wait(), name="wait for the end")
    try:
        await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
    finally:
        watching.cancel()
        stopping.cancel()
        await asyncio.gather(watching, stopping, return_exceptions=True)


READY: Final = Said("ready", "就绪")


async def summary(stack: Stack) -> Said:
    """What a person needs to know of the running stack: addresses, files, commands."""
    settings, link = stack.settings, await stack.signin_link()
    another = signin.command(settings)
    rows = [
        (Said("console", "控制台"), Said(link, link)),
        _more(
            f"signs one browser in, within {MINUTES} minutes; another link: {another}",
            f"可登录一个浏览器，{MINUTES} 分钟内有效；再取链接：{another}",
        ),
        (
            Said("API", "接口"),
            Said(
                f"{settings.console_url}/docs, token in {settings.admin_token_file}",
                f"{settings.console_url}/docs，令牌在 {settings.admin_token_file}",
            ),
        ),
        (Said("MQTT", "MQTT"), mqtt_address(settings)),
        *terminals(settings, stack.servers),
        *commands(settings.data),
        (
            Said("data, logs", "数据、日志"),
            Said(f"{settings.data}, {settings.data}/logs", f"{settings.data}、{settings.data}/logs"),
        ),
        (Said("alerts", "告警"), Said(str(settings.alert_log), str(settings.alert_log))),
        (Said("stop", "停止"), Said("Ctrl-C", "Ctrl-C")),
    ]
    return Said(_listed(rows, "en"), _listed(rows, "zh-CN"))


Row = tuple[Said, Said]


def _more(en: str, zh: str) -> Row:
    """A line that continues the line above."""
    return Said("", ""), Said(en, zh)


def _listed(rows: Iterable[Row], language: str) -> str:
    lines = [f"  {padded(label.text(language), 12)} {said.text(language)}" for label, said in rows]
    return "\n".join(["", *lines, ""])


def mqtt_address(settings: Settings) -> Said:
    """The address of the MQTT broker on loopback and beyond, or the URL of a broker that a setting names."""
    port, bind, url = settings.mqtt_port, settings.mqtt_bind, str(settings.mqtt_url)
    if url != f"mqtt://{mqtt.LOOPBACK}:{port}" or bind == mqtt.LOOPBACK:
        return Said(url, url)
    return Said(f"{url}, and {bind} port {port}", f"{url}，以及 {bind} 端口 {port}")


def commands(directory: Path) -> list[Row]:
    """How other commands find the running stack."""
    label = Said("commands", "命令")
    named = f"--data {shlex.quote(str(directory))}"
    if directory.name != Settings().data.name:
        said = Said(
            f"milepost import …, agent …, simulate … find it with {named}",
            f"milepost import …、agent …、simulate … 等命令请加 {named}",
        )
        return [(label, said)]
    here = Said(
        f"milepost import …, agent …, simulate … find it in {directory.parent};",
        f"在 {directory.parent} 中可直接运行 milepost import …、agent …、simulate …；",
    )
    return [(label, here), _more(f"elsewhere with {named}", f"在其他目录请加 {named}")]


def terminals(settings: Settings, servers: Servers) -> list[Row]:
    """Which terminals the embedded MQTT broker accepts, and how they connect."""
    if servers.mqtt is None:
        return []
    if mqtt.is_loopback(settings.mqtt_bind):
        only = _more(
            "for terminals on this machine; for others too: milepost up --mqtt-bind ADDRESS",
            "供本机的终端使用；其他机器的终端也要用时：milepost up --mqtt-bind ADDRESS",
        )
        return [only, _account(settings)] if servers.accounts else [only]
    if not servers.accounts:
        return [
            _more(
                "every machine that reaches it can send for every station (MILEPOST_MQTT_ANONYMOUS is on)",
                "任何能连上的机器都可以代任何服务点发送（MILEPOST_MQTT_ANONYMOUS 已开启）",
            )
        ]
    there = agent_command(settings, "STATION", "STATION.password")
    return [
        _account(settings),
        _more(f"and then there: {there}", f"然后在终端上运行：{there}"),
        _more(
            "without TLS: for a network that you trust, see docs/operations.md",
            "未加密：仅用于可信的网络，见 docs/operations.md",
        ),
    ]


def _account(settings: Settings) -> Row:
    command = f"milepost account STATION{data_option(settings.data)}"
    return _more(f"terminals need an account: {command}", f"终端须有账户：{command}")


def say(line: Said | str) -> None:
    """Print a line; ignore a terminal that was closed."""
    with suppress(OSError):
        show(line)
