"""`milepost demo`: runs everything on this machine, and proves by a story how outages and faults are judged."""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from contract.said import Said, said_by
from milepost import datadir, logs
from milepost.commands.up import say, started, summary, until_stopped
from milepost.demo.fleet import STATIONS
from milepost.demo.past import DAYS
from milepost.demo.story import StoryStep, StoryText, run_story
from milepost.demo.timetable import OVER, PAST, STABLE, STORY
from milepost.demo.world import DemoWorld
from milepost.language import of_here
from milepost.processes.supervisor import GaveUpError
from milepost.settings import Settings
from milepost.stack.stack import MadeUpHistory, Stack

_ALL_SEEN = StoryText("every step was seen", "每一步都已亲眼看到")
_BROKEN = StoryText("demo: a step was not seen: {what}", "演示：有一步没有看到：{what}")
_LOGS = StoryText("demo: the logs are in {place}", "演示：日志在 {place}")
_INTERRUPTED = StoryText("it was interrupted", "被中断")
_RUNS_ON = StoryText("it all keeps running until Ctrl-C", "系统继续运行，按 Ctrl-C 结束")


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Run the story; 0 when every step was seen. Without ``--exit`` everything runs on until `stop`."""
    settings = _in_language(settings, arguments)
    settings = _free_ports(_on_loopback(_in_short(settings, arguments)), arguments)
    with _place(settings, arguments) as (place, keep), datadir.hold(place) as directory:
        logs.add_file(datadir.subdirectory(directory, "logs") / "demo.log")
        past = MadeUpHistory(STATIONS, DAYS) if arguments.history else None
        stack = Stack(settings, directory, say, past)
        try:
            wrong = await _tell_and_stay(stack, stop, (*STORY, *PAST) if past else STORY, ends=arguments.exit)
        except (GaveUpError, TimeoutError) as exc:
            wrong = said_by(exc).text(settings.language)
        if wrong:
            keep.append(directory)
            say(_LOGS.fill(settings.language, place=directory / "logs"))
        if wrong or arguments.exit:
            say(_verdict(wrong, settings.language))
        return 1 if wrong else 0


def _verdict(wrong: str | None, language: str) -> str:
    return _ALL_SEEN.fill(language) if wrong is None else _BROKEN.fill(language, what=wrong)


Steps = tuple[StoryStep[DemoWorld], ...]


async def _tell_and_stay(stack: Stack, stop: asyncio.Event, story: Steps, *, ends: bool) -> str | None:
    """What is wrong; None: nothing. An interruption is wrong only for a demo that `ends` by itself."""
    interrupted = _INTERRUPTED.fill(stack.settings.language) if ends else None
    async with started(stack, stop, say) as is_up:
        if not is_up:
            return interrupted
        say(await summary(stack))
        world = DemoWorld(stack)
        try:
            wrong = await _unless_stopped(stack, stop, world, story)
            if stop.is_set():
                return interrupted
            if not ends:
                say(_verdict(wrong, stack.settings.language))
                say(f"{_RUNS_ON.fill(stack.settings.language)}: {stack.settings.console_url}")
                await until_stopped(stack, stop)
        finally:
            await world.stop()
    return wrong


async def _unless_stopped(stack: Stack, stop: asyncio.Event, world: DemoWorld, story: Steps) -> str | None:
    """What is wrong with the story; it ends early at `stop`, and raises GaveUpError for a program that is given up."""
    telling = asyncio.create_task(run_story(story, world, language=stack.settings.language, say=say), name="story")
    watching = asyncio.create_task(until_stopped(stack, stop), name="watch the stack")
    try:
        await asyncio.wait({telling, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not telling.done():
            await watching
            return None
        return telling.result()
    finally:
        telling.cancel()
        watching.cancel()
        await asyncio.gather(telling, watching, return_exceptions=True)


def _in_short(settings: Settings, arguments: argparse.Namespace) -> Settings:
    """Terminals of the demo send every two seconds, not every minute, so an outage may close sooner too, and a repair
    be verified sooner."""
    if settings.repair_stable == Settings().repair_stable:
        settings = replace(settings, repair_stable=STABLE)
    if getattr(arguments, "setting:cause_hold", None) is None and settings.cause_hold == Settings().cause_hold:
        return replace(settings, cause_hold=OVER)
    return settings


def _on_loopback(settings: Settings) -> Settings:
    """All terminals of the demo are on this machine."""
    return replace(settings, mqtt_bind=Settings().mqtt_bind, mqtt_anonymous=None)


def _free_ports(settings: Settings, arguments: argparse.Namespace) -> Settings:
    """Other ports in place of default ones that are in use; ports that a person gave stay."""
    taken: dict[str, Any] = {}
    for field, host in (("http_port", settings.http_host), ("mqtt_port", "127.0.0.1")):
        port = getattr(settings, field)
        is_usual = port == getattr(Settings(), field) and getattr(arguments, f"setting:{field}", None) is None
        if is_usual and not datadir.is_free(port, host):
            taken[field] = datadir.pick_port(set(taken.values()))
            new = taken[field]
            say(Said(f"port {port} is in use: the demo takes {new}", f"端口 {port} 已被占用：演示改用 {new}"))
    return replace(settings, **taken)


def _in_language(settings: Settings, arguments: argparse.Namespace) -> Settings:
    """The story and its alerts are in the language of the locale, unless a person gave another."""
    asked = getattr(arguments, "setting:language", None) or os.environ.get("MILEPOST_LANGUAGE", "").strip()
    return settings if asked else replace(settings, language=of_here())


@contextmanager
def _place(settings: Settings, arguments: argparse.Namespace) -> Iterator[tuple[Path, list[Path]]]:
    """The data directory that a person gave, else a new one, which is removed unless the list gets an entry."""
    keep: list[Path] = []
    if settings.data != Settings().data or getattr(arguments, "setting:data", None) is not None:
        yield settings.data, keep
        return
    parent = Path(tempfile.mkdtemp(prefix="milepost-demo-"))
    if os.geteuid() == 0:
        parent.chmod(0o711)  # the users of the servers must be able to enter
    try:
        yield parent / "data", keep
    finally:
        if keep or arguments.keep:
            sys.stdout.flush()
        else:
            shutil.rmtree(parent, ignore_errors=True)
