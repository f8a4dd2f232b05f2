"""The fault script: a timetable of deeds and their targets. Pure.

    # time  deed       whom               options
    10s     kill       6302220001
    30s     revive     6302220001
    1m      cut        area:630225        for=30s
    2m      flap       6302220002/001     for=1m every=8s
    2m30s   wrong      any:3              clock=1970

`docs/simulator.md` explains every deed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from math import inf
from random import Random
from typing import Final, NamedTuple

import msgspec

from contract.topics import is_station_id, is_terminal_id

MAX_LINES: Final = 10_000
MOST_SECONDS: Final = 366 * 86_400.0
"""No time of a timetable is longer than a year."""
SHORTEST: Final = 0.001
"""Seconds: the shortest duration."""
_DURATION: Final = re.compile(r"(?:([0-9.]+)h)?(?:([0-9.]+)m)?(?:([0-9.]+)s)?")
_NUMBER: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_CLOCKS: Final = ("1970", "2099", "+1h", "-1h", "right")


class BrokenLineError(Exception):
    """A line of the script cannot be read; the message names it, what is wrong and the remedy."""


BRIDGE: Final = "bridge"
"""The target of `stall`: the process of the bridge."""
NO_TERMINAL: Final = -1
"""The index of a deed that is not done to a terminal."""


class ScriptTarget(msgspec.Struct, frozen=True):
    """The target of a line: the terminals of a station, one terminal, an area, all, random stations, or the bridge."""

    kind: str
    value: str


class ScriptLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timetable; `at` in seconds, options as its deed needs them."""

    at: float
    deed: str
    who: ScriptTarget
    options: dict[str, float | str] = {}


class NamedTerminal(NamedTuple):
    """The names of a terminal that a line can use."""

    station: str
    terminal: str
    area: str


class TimedDeed(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """At `at` seconds `deed` is done to the terminal with this index; `value` is its one option."""

    at: float
    index: int
    deed: str
    value: float | str | None = None


class _DeedOptions(NamedTuple):
    """The options of a deed: all, the required ones, the one that becomes `value`, and the deed that ends it."""

    options: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    value: str | None = None
    ends_with: str | None = None


DEEDS: Final[Mapping[str, _DeedOptions]] = {
    "kill": _DeedOptions(options=("for",), ends_with="revive"),
    "revive": _DeedOptions(),
    "cut": _DeedOptions(options=("for",), ends_with="join"),
    "join": _DeedOptions(),
    "flap": _DeedOptions(options=("for", "every"), needed=("for",)),
    "away": _DeedOptions(options=("for",), value="for", ends_with="revive"),
    "slow": _DeedOptions(options=("rate", "for"), needed=("rate",), value="rate", ends_with="keep-time"),
    "keep-time": _DeedOptions(),
    "wrong": _DeedOptions(options=("clock", "for"), needed=("clock",), value="clock", ends_with="set-right"),
    "set-right": _DeedOptions(),
    "clone": _DeedOptions(options=("for",), ends_with="end-clone"),
    "end-clone": _DeedOptions(),
    "snapshot": _DeedOptions(),
    "old-disk": _DeedOptions(options=("count",), value="count"),
    "renumber": _DeedOptions(),
    "skip": _DeedOptions(options=("for",), ends_with="in-turn"),
    "in-turn": _DeedOptions(),
    "no-conn": _DeedOptions(options=("for",), ends_with="with-conn"),
    "with-conn": _DeedOptions(),
    "invent": _DeedOptions(options=("count", "for"), value="count", ends_with="honest"),
    "honest": _DeedOptions(),
    "stall": _DeedOptions(options=("for", "every", "count"), needed=("for",), ends_with="go-on"),
    "go-on": _DeedOptions(),
    "steal": _DeedOptions(options=("for",), ends_with="give-back"),
    "give-back": _DeedOptions(),
    "stuck": _DeedOptions(options=("for",), ends_with="unstuck"),
    "unstuck": _DeedOptions(),
    "duplicate": _DeedOptions(options=("for",), ends_with="once"),
    "once": _DeedOptions(),
    "reorder": _DeedOptions(options=("for",), ends_with="in-order"),
    "in-order": _DeedOptions(),
    "garbage": _DeedOptions(options=("count",), value="count"),
    "backlog": _DeedOptions(options=("days",), value="days"),
    "unusable": _DeedOptions(options=("for",), ends_with="mended"),
    "broken": _DeedOptions(options=("for",), ends_with="mended"),
    "mended": _DeedOptions(),
}
"""`unusable`, or `broken`: the terminal runs on but no visitor can use it."""
OF_BRIDGE: Final = ("stall", "go-on")


def read(text: str) -> list[ScriptLine]:
    """The lines of a script. Raises BrokenLineError."""
    rows = text.removeprefix("\ufeff").splitlines()
    if len(rows) > MAX_LINES:
        raise BrokenLineError(f"the script has {len(rows)} lines, allowed are {MAX_LINES}: shorten it")
    found = []
    for number, row in enumerate(rows, 1):
        words = row.split("#")[0].split()
        if not words:
            continue
        try:
            found.append(read_line(words))
        except ValueError as exc:
            raise BrokenLineError(f"line {number}: {exc}") from exc
    return found


def read_line(words: Sequence[str]) -> ScriptLine:
    """One line from its words. Raises ValueError with what is wrong and the remedy."""
    if len(words) < 3:
        raise ValueError("a line is TIME DEED WHOM [OPTION=VALUE …], such as `10s kill 6302220001`")
    at, deed, who, *rest = words
    if deed not in DEEDS:
        raise ValueError(f"{deed!r} is no deed: use one of {', '.join(DEEDS)}")
    meant = read_target(who)
    if (meant.kind == BRIDGE) != (deed in OF_BRIDGE):
        raise ValueError(f"{deed} is nothing that is done to {who}: {' and '.join(OF_BRIDGE)} are done to {BRIDGE}")
    return ScriptLine(at=duration(at), deed=deed, who=meant, options=_options(deed, rest))


def duration(text: str) -> float:
    """Seconds of a text such as 90s, 1m30s or 2h. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"{text!r} is no time: write it like 90s, 1m30s or 2h")
    try:
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
    except ValueError:
        raise ValueError(f"{text!r} is no time: write it like 90s, 1m30s or 2h") from None
    found = hours * 3600 + minutes * 60 + seconds
    if found > MOST_SECONDS:
        raise ValueError(f"{text[:20]!r} is more than a year: give a shorter time")
    return found


def read_target(text: str) -> ScriptTarget:
    """The target that a word of a line names. Raises ValueError."""
    kind, colon, value = text.partition(":")
    if text in ("all", BRIDGE):
        return ScriptTarget(text, "")
    if colon and kind == "area" and value.isalnum():
        return ScriptTarget("area", value)
    if colon and kind == "any" and value.isdigit() and 0 < int(value) <= 1_000_000:
        return ScriptTarget("any", value)
    station, slash, terminal = text.partition("/")
    if is_station_id(station) and (is_terminal_id(terminal) if slash else True):
        return ScriptTarget("terminal" if slash else "station", text)
    raise ValueError(f"{text!r} names nobody: write STATION, STATION/TERMINAL, area:PREFIX, any:COUNT, all or {BRIDGE}")


def _options(deed: str, words: Sequence[str]) -> dict[str, float | str]:
    rule, found = DEEDS[deed], dict[str, float | str]()
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in rule.options:
            known = ", ".join(f"{one}=…" for one in rule.options) or "none"
            raise ValueError(f"{word!r} is no option of {deed}: it has {known}")
        found[name] = _READERS[name](value)
    for name in rule.needed:
        if name not in found:
            raise ValueError(f"{deed} needs {name}=…")
    return found


def _positive(least: float, most: float) -> Callable[[str], float]:
    def read_number(text: str) -> float:
        if not _NUMBER.fullmatch(text) or not least <= float(text) <= most:
            raise ValueError(f"{text!r} is not a number from {least:g} to {most:g}")
        return float(text)

    return read_number


def _span(text: str) -> float:
    seconds = duration(text)
    if seconds < SHORTEST:
        raise ValueError(f"{text!r} is no time: it must be longer than 0s, {SHORTEST:g}s or more")
    return seconds


def _clock(text: str) -> str:
    if text not in _CLOCKS:
        raise ValueError(f"{text!r} is no clock: use one of {', '.join(_CLOCKS)}")
    return text


_READERS: Final[Mapping[str, Callable[[str], float | str]]] = {
    "for": _span,
    "every": _span,
    "rate": _positive(0.1, 10),
    "count": _positive(1, 1000),
    "days": _positive(0.001, 30),
    "clock": _clock,
}


def plan(lines: Sequence[ScriptLine], terminals: Sequence[NamedTerminal], random: Random) -> list[TimedDeed]:
    """All deeds in the order of their times. Raises BrokenLineError for a target that is not in the fleet."""
    deeds = [deed for line in lines for deed in expand(line, choose(line.who, terminals, random))]
    return sorted(deeds, key=lambda deed: (deed.at, deed.index))


def choose(who: ScriptTarget, terminals: Sequence[NamedTerminal], random: Random) -> list[int]:
    """The indexes of the terminals of a target. Raises BrokenLineError when there are none."""
    if who.kind == BRIDGE:
        return [NO_TERMINAL]
    found = [index for index, one in enumerate(terminals) if _is_meant(who, one)]
    if not found:
        raise BrokenLineError(f"nobody of this fleet is {who.kind} {who.value!r}: correct the script or the fleet")
    if who.kind == "any":
        stations = sorted({one.station for one in terminals})
        chosen = set(random.sample(stations, min(int(who.value), len(stations))))
        return [index for index, one in enumerate(terminals) if one.station in chosen]
    return found


def _is_meant(who: ScriptTarget, one: NamedTerminal) -> bool:
    match who.kind:
        case "station":
            return one.station == who.value
        case "terminal":
            return f"{one.station}/{one.terminal}" == who.value
        case "area":
            return one.area.startswith(who.value)
        case _:
            return True


def expand(line: ScriptLine, indexes: Sequence[int]) -> list[TimedDeed]:
    """A line as single deeds: those that begin it, and those that end it."""
    rule, lasts = DEEDS[line.deed], line.options.get("for")
    ends = inf if not isinstance(lasts, float) else line.at + lasts
    if line.deed == "flap":
        return [deed for index in indexes for deed in _flaps(line, index, ends)]
    if line.deed == "stall":
        return _stalls(line)
    value = line.options.get(rule.value) if rule.value else None
    deeds = [TimedDeed(at=line.at, index=index, deed=line.deed, value=value) for index in indexes]
    if rule.ends_with and ends < inf:
        deeds += [TimedDeed(at=ends, index=index, deed=rule.ends_with) for index in indexes]
    return deeds


def _flaps(line: ScriptLine, index: int, ends: float) -> list[TimedDeed]:
    """Down for half of each `every` seconds, up for the other half."""
    period = _seconds(line, "every", 10.0)
    count = int((ends - line.at) / period)
    times = [line.at + number * period for number in range(min(count, 10_000))]
    return [
        deed
        for at in times
        for deed in (
            TimedDeed(at=at, index=index, deed="cut"),
            TimedDeed(at=at + period / 2, index=index, deed="join"),
        )
    ]


def _stalls(line: ScriptLine) -> list[TimedDeed]:
    """The bridge stands still for a time, `count` times, one each `every` seconds."""
    lasts, count = _seconds(line, "for", 0.0), int(_seconds(line, "count", 1.0))
    period = _seconds(line, "every", 2 * lasts)
    times = [line.at + number * period for number in range(count)]
    return [
        deed
        for at in times
        for deed in (
            TimedDeed(at=at, index=NO_TERMINAL, deed="stall"),
            TimedDeed(at=at + lasts, index=NO_TERMINAL, deed="go-on"),
        )
    ]


def _seconds(line: ScriptLine, option: str, default: float) -> float:
    value = line.options.get(option, default)
    assert isinstance(value, float)  # noqa: S101  # read as a duration or a number
    return value
