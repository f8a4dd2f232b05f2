"""`milepost up`: all of Milepost on this machine, until Ctrl-C."""

import argparse
import asyncio
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from agents.simulator.roster import MOST_STATIONS
from contract.errors import RemedyError
from milepost import datadir, logs, signin
from milepost.account import agent_command
from milepost.embedded import mqtt
from milepost.files import raise_file_limit
from milepost.numbers import require_between
from milepost.running import option
from milepost.settings import Settings
from milepost.signin import MINUTES
from milepost.stack import FLEET_TERMINALS, Say, Stack
from milepost.supervisor import GaveUpError


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Run the stack until `stop`; 1 when a part of it cannot be kept running. Raises RemedyError."""
    stations = arguments.stations
    require_between("--stations", stations, 0, MOST_STATIONS)
    if stations:
        # The servers inherit it: the MQTT broker needs a socket for each terminal too.
        raise_file_limit(int(FLEET_TERMINALS) * stations)
    with datadir.hold(settings.data) as directory:
        logs.add_file(datadir.subdirectory(directory, "logs") / "up.log")
        stack = Stack(settings, directory, say)
        say(f"Milepost starts in {directory}")
        return await _run_stack(stack, stop, stations)


async def _run_stack(stack: Stack, stop: asyncio.Event, stations: int) -> int:
    try:
        async with started(stack, stop, say) as up:
            if up:
                if stations:
                    await stack.start_fleet(stations)
                say(await summary(stack))
                say("ready")
                await until_stopped(stack, stop)
    except GaveUpError as exc:
        if exc.mendable:
            raise RemedyError(exc.said) from exc
        sys.stderr.write(f"milepost: {exc}\n")
        return 1
    except TimeoutError as exc:
        sys.stderr.write(f"milepost: {exc}\n")
        return 1
    return 0


@asynccontextmanager
async def started(stack: Stack, stop: asyncio.Event, say: Say) -> AsyncIterator[bool]:
    """The running stack, ended in order on leaving; false when `stop` came before it was up."""
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
        say("stopping …")
        killed = await stack.stop()
        say("stopped" + (f" ({', '.join(killed)} had to be killed)" if killed else ""))


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


async def summary(stack: Stack) -> str:
    """What a person wants to know once it runs."""
    settings = stack.settings
    return "\n".join(
        [
            "",
            f"  console      {await stack.signin_link()}",
            f"               signs one browser in, within {MINUTES} minutes; another link: {signin.command(settings)}",
            f"  API          {settings.console_url}/docs, token in {settings.admin_token_file}",
            f"  MQTT         {mqtt_address(settings)}",
            *terminals(stack),
            f"  commands     milepost import …, agent …, simulate … find it in {settings.data.parent};",
            f"               elsewhere with --data {shlex.quote(str(settings.data))}",
            f"  data, logs   {settings.data}, {settings.data}/logs",
            f"  alerts       {settings.alert_log}",
            "  stop         Ctrl-C",
            "",
        ]
    )


def mqtt_address(settings: Settings) -> str:
    """Where the MQTT broker listens, besides loopback; a broker of a person's own is where it is."""
    port, bind = settings.mqtt_port, settings.mqtt_bind
    own = settings.mqtt_url == f"mqtt://{mqtt.LOOPBACK}:{port}"
    return str(settings.mqtt_url) + (f", and {bind} port {port}" if own and bind != mqtt.LOOPBACK else "")


def terminals(stack: Stack) -> list[str]:
    """How terminals of other machines get in, if they do."""
    settings, servers = stack.settings, stack.servers
    if servers.mqtt is None:
        return []
    if mqtt.is_loopback(settings.mqtt_bind):
        return ["               for terminals on this machine; for others too: milepost up --mqtt-bind ADDRESS"]
    if not servers.accounts:
        return [
            "               every machine that reaches it can send for every station (MILEPOST_MQTT_ANONYMOUS is on)"
        ]
    where = option(settings.data)
    return [
        f"               terminals need an account: milepost account STATION{where}",
        f"               and then there: {agent_command(settings, 'STATION', 'STATION.password')}",
        "               without TLS: for a network that you trust, see docs/operations.md",
    ]


def say(line: str) -> None:
    """Tell the person at the terminal, at once; one who went away is no reason to end."""
    with suppress(OSError):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
