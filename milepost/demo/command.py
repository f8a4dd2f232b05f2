"""`milepost demo`: everything runs on this machine, and a story proves it: others' outages, our own, and impostors."""

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
from milepost.demo.fleet import CLONED, STATIONS, TERMINALS
from milepost.demo.story import BrokenStepError, Step, Words, tell
from milepost.demo.world import World
from milepost.language import of_here
from milepost.processes.supervisor import GaveUpError
from milepost.settings import Settings
from milepost.stack.stack import Stack

# What the story itself promises; it reads none of these from the system it is about.
EVERY = 2.0
MISSED = 3
DEADLINE = EVERY * MISSED
GRACE = 2 * EVERY + 10.0
OUTAGE = 30.0
EARLY, LATE = 0.5, 3.0
# For so long nothing may happen until an outage is told to be over.
OVER = 10.0

STORY: tuple[Step[World], ...] = (
    Step(
        name="terminal online",
        announced=Words(
            f"{STATIONS} stations of Haidong start, {TERMINALS} terminals each, and the agent of this machine",
            f"海东市 {STATIONS} 个服务点启动，每点 {TERMINALS} 台终端；本机终端程序同时启动",
        ),
        act=World.start_all,
        see=lambda world: world.verdict_is("online"),
        limit=20,
        told=Words("station {station}, terminal 001: ONLINE", "服务点 {station}，终端 001：在线"),
    ),
    Step(
        name="all online",
        see=lambda world: world.fleet.all_online(),
        limit=20,
        told=Words("{online} of {total} stations of Haidong: ONLINE", "海东市 {total} 个服务点中 {online} 个在线"),
    ),
    Step(
        name="health stored",
        see=lambda world: world.health(),
        limit=20,
        told=Words(
            "its health is stored: CPU {cpu:.0%}, memory {mem:.0%}, disk {disk:.0%}",
            "健康数据已入库：CPU {cpu:.0%}，内存 {mem:.0%}，磁盘 {disk:.0%}",
        ),
    ),
    Step(
        name="settled",
        announced=Words(
            f"after a start nobody is judged before {GRACE:.0f} s of sound pipeline have passed",
            f"启动后数据通道须连续可信 {GRACE:.0f} 秒，之前不作判定",
        ),
        see=lambda world: world.online_for(GRACE + 1),
        limit=GRACE + 15,
        told=Words("still ONLINE, the pipeline is trusted", "仍在线，数据通道可信"),
    ),
    Step(
        name="terminal offline",
        announced=Words(
            f"the agent is killed (kill -9): no farewell, deadline {DEADLINE:.1f} s after its last heartbeat",
            f"终端程序被强行杀死（kill -9），来不及告别；期限为最后一次心跳后 {DEADLINE:.1f} 秒",
        ),
        act=World.kill_agent,
        see=lambda world: offline_in_time(world),
        limit=DEADLINE + LATE + 5,
        told=Words(
            f"station {{station}} silent, deadline {DEADLINE:.1f} s, OFFLINE at {{silent:.1f}} s",
            f"服务点 {{station}} 失联，期限 {DEADLINE:.1f} 秒，{{silent:.1f}} 秒时判为离线",
        ),
    ),
    Step(
        name="incident open",
        see=lambda world: world.incident_is("open"),
        limit=10,
        told=Words("incident {incident} is open at {silent:.1f} s", "{silent:.1f} 秒时已建单：故障 {incident}"),
    ),
    Step(
        name="alert delivered",
        see=lambda world: world.alert("opened"),
        limit=10,
        told=Words("alert delivered at {silent:.1f} s: {title}", "{silent:.1f} 秒时告警已送达：{title}"),
    ),
    Step(
        name="terminal back",
        announced=Words("the agent starts again", "终端程序重新启动"),
        act=World.start_agent,
        see=lambda world: world.verdict_is("online"),
        limit=20,
        told=Words("station {station}: ONLINE again", "服务点 {station}：恢复在线"),
    ),
    Step(
        name="incident closed",
        see=lambda world: world.incident_is("closed"),
        limit=15,
        told=Words("incident {incident} is closed", "故障 {incident} 已关闭"),
    ),
    Step(
        name="closing notice delivered",
        see=lambda world: world.alert("closed"),
        limit=10,
        told=Words("closing notice delivered: {title}", "恢复通知已送达：{title}"),
    ),
    Step(
        name="county offline",
        announced=Words(
            "the line of Xunhua county is cut; its terminals run on, and nobody can hear them",
            "循化县线路中断；终端仍在运行，但听不到它们",
        ),
        act=lambda world: world.fleet.cut(),
        see=lambda world: world.fleet.county_offline(early=DEADLINE - EARLY, late=DEADLINE + LATE),
        limit=DEADLINE + LATE + 5,
        told=Words(
            f"{{count}} stations silent, deadline {DEADLINE:.1f} s, OFFLINE at {{first:.1f}} to {{last:.1f}} s",
            f"{{count}} 个服务点失联，期限 {DEADLINE:.1f} 秒，{{first:.1f}} 至 {{last:.1f}} 秒时判为离线",
        ),
    ),
    Step(
        name="one page for the county",
        see=lambda world: world.county_told("opened"),
        limit=15,
        told=Words(
            "one cause, one alert for {count} stations: {title}",
            "一个原因，{count} 个服务点只发一条告警：{title}",
        ),
    ),
    Step(
        name="county back",
        announced=Words("the line is mended", "线路修复"),
        act=lambda world: world.fleet.join(),
        see=lambda world: world.fleet.county_online(),
        limit=20,
        told=Words("{count} stations: ONLINE again", "{count} 个服务点恢复在线"),
    ),
    Step(
        name="one closing notice for the county",
        see=lambda world: world.county_told("closed"),
        limit=OVER + 15,
        told=Words("one closing notice as well: {title}", "恢复通知也只有一条：{title}"),
    ),
    Step(
        name="presence known",
        see=lambda world: world.fleet.presence(),
        limit=20,
        told=Words(
            "all {count} report afterwards: they ran for {seconds:.1f} s and more while they were offline",
            "{count} 个服务点事后补报：离线期间仍运行了至少 {seconds:.1f} 秒",
        ),
    ),
    Step(
        name="bridge stopped",
        announced=Words(
            f"our own outage: the bridge is stopped for {OUTAGE:.0f} s, {OUTAGE / DEADLINE:.0f} deadlines long",
            f"平台自身故障：桥接进程停住 {OUTAGE:.0f} 秒，相当于 {OUTAGE / DEADLINE:.0f} 个期限",
        ),
        act=lambda world: world.fleet.freeze(),
        see=lambda world: world.fleet.nobody_offline_for(OUTAGE),
        limit=OUTAGE + 10,
        told=Words(
            f"{OUTAGE:.0f} s without a heartbeat: {{unknown}} stations UNKNOWN, {{offline}} offline",
            f"{OUTAGE:.0f} 秒收不到任何心跳：{{unknown}} 个服务点状态未知，{{offline}} 个离线",
        ),
    ),
    Step(
        name="nobody blamed",
        announced=Words("the bridge goes on", "桥接进程恢复"),
        act=lambda world: world.fleet.thaw_again(),
        see=lambda world: world.fleet.all_online_and_no_incident(GRACE + 1),
        limit=GRACE + 30,
        told=Words(
            "{online} stations ONLINE, no incident blames one of them; our own outage is {own} incident",
            "{online} 个服务点在线，没有一个被误报；平台自身故障记为 {own} 起",
        ),
    ),
    Step(
        name="clone named",
        announced=Words(
            f"a copy of terminal {CLONED}-001 appears, with the same identity",
            f"出现终端 {CLONED}-001 的复制品，身份相同",
        ),
        act=lambda world: world.fleet.clone(),
        see=lambda world: world.fleet.conflicting(),
        limit=40,
        told=Words(
            "station {station}, terminal {terminal}: CONFLICTING after {seconds:.1f} s",
            "服务点 {station}，终端 {terminal}：{seconds:.1f} 秒后判为身份冲突",
        ),
    ),
    Step(
        name="clone gone",
        announced=Words("the copy is switched off; the original never stopped", "关闭复制品；原终端从未停止"),
        act=lambda world: world.fleet.end_clone(),
        see=lambda world: world.fleet.original_alone(),
        limit=40,
        told=Words(
            "station {station}, terminal {terminal}: ONLINE, and no conflict any more, after {seconds:.1f} s",
            "服务点 {station}，终端 {terminal}：{seconds:.1f} 秒后冲突解除，始终在线",
        ),
    ),
    Step(
        name="garbage named",
        announced=Words("a terminal sends what nobody can read", "一台终端发出无法识别的内容"),
        act=lambda world: world.fleet.babble(),
        see=lambda world: world.fleet.refused(),
        limit=15,
        told=Words(
            "{count} messages of station {station} in the dead letters: {reasons}",
            "服务点 {station} 的 {count} 条消息进入死信：{reasons_zh}",
        ),
    ),
    Step(
        name="books agree",
        announced=Words(
            "what the terminals wrote down is compared with what the system says",
            "将终端自己的记录与系统的说法逐一核对",
        ),
        see=lambda world: world.fleet.books_agree(),
        limit=20,
        told=Words(
            "{stations} stations: no false offline, none missed, {records} acknowledged health records stored once",
            "{stations} 个服务点：无误报、无漏报，{records} 条已确认的健康记录各存一份",
        ),
    ),
)

_ALL_SEEN = Words("every step was seen", "每一步都已亲眼看到")
_BROKEN = Words("demo: a step was not seen: {what}", "演示：有一步没有看到：{what}")
_LOGS = Words("demo: the logs are in {place}", "演示：日志在 {place}")
_INTERRUPTED = Words("it was interrupted", "被中断")
_RUNS_ON = Words("it all keeps running until Ctrl-C", "系统继续运行，按 Ctrl-C 结束")


async def offline_in_time(world: World) -> dict[str, object] | None:
    """Offline is right neither before the deadline nor much after it."""
    facts = await world.verdict_is("offline")
    if facts is None:
        return None
    silent = world.silent
    if not DEADLINE - EARLY <= silent <= DEADLINE + LATE:
        raise BrokenStepError(
            f"OFFLINE after {silent:.1f} s of silence, deadline {DEADLINE:.1f} s",
            f"静默 {silent:.1f} 秒后判为离线，期限为 {DEADLINE:.1f} 秒",
        )
    return {**facts, "silent": silent}


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Tell the story; 0 when every step was seen. Without ``--exit`` everything runs on until `stop`."""
    settings = _in_language(settings, arguments)
    settings = _free_ports(_on_loopback(_in_short(settings, arguments)), arguments)
    with _place(settings, arguments) as (place, keep), datadir.hold(place) as directory:
        logs.add_file(datadir.subdirectory(directory, "logs") / "demo.log")
        stack = Stack(settings, directory, say)
        try:
            wrong = await _tell_and_stay(stack, stop, ends=arguments.exit)
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


async def _tell_and_stay(stack: Stack, stop: asyncio.Event, *, ends: bool) -> str | None:
    """What is wrong, if anything. To be stopped is wrong only for a demo that `ends` by itself."""
    interrupted = _INTERRUPTED.fill(stack.settings.language) if ends else None
    async with started(stack, stop, say) as is_up:
        if not is_up:
            return interrupted
        say(await summary(stack))
        world = World(stack)
        try:
            wrong = await _unless_stopped(stack, stop, world)
            if stop.is_set():
                return interrupted
            if not ends:
                say(_verdict(wrong, stack.settings.language))
                say(f"{_RUNS_ON.fill(stack.settings.language)}: {stack.settings.console_url}")
                await until_stopped(stack, stop)
        finally:
            await world.stop()
    return wrong


async def _unless_stopped(stack: Stack, stop: asyncio.Event, world: World) -> str | None:
    """The story's outcome; it ends early on `stop`, and with GaveUpError when a program cannot be kept running."""
    telling = asyncio.create_task(tell(STORY, world, language=stack.settings.language, say=say), name="story")
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
    """Terminals of the demo promise two seconds and not a minute, so an outage need not be over for minutes either."""
    if getattr(arguments, "setting:cause_hold", None) is None and settings.cause_hold == Settings().cause_hold:
        return replace(settings, cause_hold=OVER)
    return settings


def _on_loopback(settings: Settings) -> Settings:
    """Its terminals are all on this machine."""
    return replace(settings, mqtt_bind=Settings().mqtt_bind, mqtt_anonymous=None)


def _free_ports(settings: Settings, arguments: argparse.Namespace) -> Settings:
    """The demo gives way where the usual ports are taken; ports that a person asked for it does not change."""
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
    """The story is in the language of the locale, and the alerts in it too, unless another was asked for."""
    asked = getattr(arguments, "setting:language", None) or os.environ.get("MILEPOST_LANGUAGE", "").strip()
    return settings if asked else replace(settings, language=of_here())


@contextmanager
def _place(settings: Settings, arguments: argparse.Namespace) -> Iterator[tuple[Path, list[Path]]]:
    """The data directory: the one that was asked for, else a fresh one, removed unless the list gets an entry."""
    keep: list[Path] = []
    if settings.data != Settings().data or getattr(arguments, "setting:data", None) is not None:
        yield settings.data, keep
        return
    parent = Path(tempfile.mkdtemp(prefix="milepost-demo-"))
    if os.geteuid() == 0:
        parent.chmod(0o711)  # the servers' users must be able to enter
    try:
        yield parent / "data", keep
    finally:
        if keep or arguments.keep:
            sys.stdout.flush()
        else:
            shutil.rmtree(parent, ignore_errors=True)
