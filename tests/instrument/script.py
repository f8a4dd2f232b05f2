"""Scenarios as timetables: fleets, deeds with their times and targets, and expectations. Pure.

    # A county's link is cut.
    every 2s
    fleet 31 area=632122 isp=mobile
    fleet 10 area=632123

    20s   cut      area:632122   for=60s
    19s   expect   all online
    30s   expect   area:632122 offline
    30s   expect   one area_outage with 31 children

Deeds and targets are those of the fleet simulator's fault script (docs/simulator.md). A scenario has three more kinds
of lines: deeds to processes of the platform (`freeze`, `kill`), edits of the registry (`suspend`, `commission`,
`retire`, `declare`, `move`), and expectations. `README.md` beside the scenarios explains every line.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from agents.simulator import timetable
from agents.simulator.timetable import BrokenLineError, ScriptLine, ScriptTarget, duration
from alerting.stations.verdict import Verdict

FOLDER = Path(__file__).parent.parent / "scenarios"
PROCESSES = ("mqtt", "bridge", "kafka", "judge", "incidents", "postgres")
LIFECYCLES = {"suspend": "suspended", "commission": "commissioned", "retire": "retired"}
_COUNTS = {"no": 0, "one": 1}


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """`count` equal stations of an area."""

    count: int
    area: str
    every: float
    terminals: int = 1
    isp: str | None = None
    feeder: str | None = None
    schedule: str = "24x7"
    shard: str = "main"
    kind: str | None = None
    agent: str | None = None


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """A deed to a process of the platform for `seconds` (kill: until its supervisor starts it again)."""

    at: float
    deed: str
    process: str
    shard: str = "main"
    seconds: float


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the registry: a lifecycle, a move to another shard, or a closure declared for some seconds."""

    at: float
    deed: str
    who: ScriptTarget
    options: dict[str, str] = {}


class Expect(msgspec.Struct, frozen=True, kw_only=True):
    """An expectation at `at`: all stations of `who` have the verdict; or `count` incidents of a kind are open
    (`so_far`: open or closed)."""

    at: float
    text: str
    who: ScriptTarget | None = None
    verdict: str | None = None
    count: int = 0
    kind: str | None = None
    children: int | None = None
    cause: str | None = None
    so_far: bool = False


Step = ScriptLine | Strike | Edit | Expect


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A timetable with its title; `begin`: the wall clock at 0s."""

    name: str
    title: str
    groups: list[Group]
    steps: list[Step]
    tick: float = 0.25
    begin: datetime | None = None

    @property
    def ends(self) -> float:
        return max(step.at for step in self.steps)


def load(path: Path) -> Scenario:
    return read(path.read_text(encoding="utf-8"), path.stem)


def read(text: str, name: str) -> Scenario:
    """Parse a scenario. Raises BrokenLineError with the number of the line, the error and the allowed values."""
    rows = text.splitlines()
    title = rows[0].lstrip("# ") if rows and rows[0].startswith("#") else name
    reader = _Reader()
    for number, row in enumerate(rows, 1):
        words = shlex.split(row, comments=True)
        try:
            if words:
                reader.take(words)
        except ValueError as exc:
            raise BrokenLineError(f"{name}, line {number}: {exc}") from exc
    if not reader.groups or not reader.steps:
        raise BrokenLineError(f"{name}: a scenario has a line `fleet COUNT area=CODE` and at least one step")
    steps = sorted(reader.steps, key=lambda step: (step.at, isinstance(step, Expect)))
    return Scenario(name=name, title=title, groups=reader.groups, steps=steps, **reader.given)  # type: ignore[arg-type]


class _Reader:
    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.steps: list[Step] = []
        self.given: dict[str, object] = {}
        self._every = 2.0

    def take(self, words: Sequence[str]) -> None:
        head = words[0]
        if head in _HEADS:
            _HEADS[head](self, words[1:])
        else:
            self.steps.append(read_step(words))

    def fleet(self, words: Sequence[str]) -> None:
        options = _options(words[1:], ("area", "terminals", "isp", "feeder", "schedule", "shard", "kind", "agent"))
        if "area" not in options or not words[0].isdigit():
            raise ValueError("a fleet is `fleet COUNT area=CODE [isp=… feeder=… terminals=… schedule=… shard=…]`")
        group = {"count": words[0], "every": self._every, **options}
        self.groups.append(msgspec.convert(group, Group, strict=False))

    def every(self, words: Sequence[str]) -> None:
        self._every = duration(words[0])

    def tick(self, words: Sequence[str]) -> None:
        self.given["tick"] = duration(words[0])

    def begin(self, words: Sequence[str]) -> None:
        self.given["begin"] = datetime.fromisoformat(words[0])


_HEADS: Mapping[str, Callable[[_Reader, Sequence[str]], None]] = {
    "fleet": _Reader.fleet,
    "every": _Reader.every,
    "tick": _Reader.tick,
    "begin": _Reader.begin,
}


def read_step(words: Sequence[str]) -> Step:
    """Parse one line of the timetable. Raises ValueError with the error and its remedy."""
    if len(words) < 3:
        raise ValueError("a line is TIME DEED WHOM [OPTION=VALUE …], or TIME expect WHAT")
    at, deed, whom = duration(words[0]), words[1], words[2]
    process, _, shard = whom.partition("@")
    if deed == "expect":
        return _expect(at, words[2:])
    if deed in ("freeze", "kill") and process in PROCESSES:
        seconds = duration(_options(words[3:], ("for",)).get("for", "1s"))
        return Strike(at=at, deed=deed, process=process, shard=shard or "main", seconds=seconds)
    if deed in LIFECYCLES or deed in ("declare", "move"):
        return Edit(
            at=at, deed=deed, who=timetable.read_target(whom), options=_options(words[3:], ("for", "approved", "shard"))
        )
    return timetable.read_line(words)


def _expect(at: float, words: Sequence[str]) -> Expect:
    text = " ".join(words)
    if len(words) == 2 and words[0] not in _COUNTS and words[1] in list(Verdict):
        return Expect(at=at, text=text, who=timetable.read_target(words[0]), verdict=words[1])
    count = _COUNTS.get(words[0], words[0])
    if len(words) < 2 or not str(count).isdigit():
        raise ValueError(f"{text!r} is no expectation: write `WHO VERDICT` or `no|one|NUMBER KIND|pages …`")
    found = Expect(at=at, text=text, count=int(count), kind=words[1])
    rest = list(words[2:])
    while rest:
        found, rest = _clause(found, rest)
    return found


def _clause(found: Expect, words: list[str]) -> tuple[Expect, list[str]]:
    change = msgspec.structs.replace
    match words:
        case ["at", who, *rest]:
            return change(found, who=timetable.read_target(who)), rest
        case ["with", number, "children", *rest]:
            return change(found, children=int(number)), rest
        case ["by", cause, *rest]:
            return change(found, cause=cause), rest
        case ["so", "far", *rest]:
            return change(found, so_far=True), rest
    raise ValueError(f"{' '.join(words)!r}: allowed are `at WHO`, `with NUMBER children`, `by CAUSE`, `so far`")


def _options(words: Sequence[str], allowed: Sequence[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name not in allowed or not equals:
            raise ValueError(f"{word!r} is no option: allowed are {', '.join(f'{one}=…' for one in allowed)}")
        found[name] = value
    return found
