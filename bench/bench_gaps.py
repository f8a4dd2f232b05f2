"""How long it takes to find the gaps of a country when every area has duties of its own at times of its own.

`python -m bench.bench_gaps [--areas N] [--days N] [--absent N]`: no database; areas of four levels, each with a
technician (counties also with a lead) whose duties begin and end at minutes of their own, every tenth area with a
rotation, every fiftieth (or every N-th) with an absence.
"""

import argparse
import io
import random
import resource
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from contract.kinds import KINDS
from milepost.commands.routing.route_texts import NamedThings, write_gaps_csv, write_gaps_text
from registry.contacts.model import Channel, ChannelKind, Contact
from registry.duty.model import Duty, Substitute
from registry.model import Area
from registry.routes.gaps import GapQuestion, find_gaps
from registry.routes.model import Route
from registry.routes.routing import Routing
from registry.routes.steps import parse_steps

BEGIN = datetime(2026, 12, 1, tzinfo=UTC)
LEVELS = {2: "province", 4: "prefecture", 6: "county", 9: "township"}


def areas_of(number: int) -> list[Area]:
    """31 provinces, 333 prefectures, 2,844 counties, and townships for the rest."""
    codes: list[str] = [f"{n:02}" for n in range(11, 42)]
    codes += [f"{codes[n % 31]}{n // 31:02}" for n in range(333)]
    codes += [f"{codes[31 + n % 333]}{n // 333:02}" for n in range(2844)]
    codes += [f"{codes[364 + n % 2844]}{n // 2844:03}" for n in range(number - len(codes))]
    return [_area(code) for code in codes[:number]]


def _area(code: str) -> Area:
    path = tuple(code[:size] for size in LEVELS if size <= len(code))
    return Area(code=code, name=code, level=LEVELS[len(code)], path=path, parent=path[-2] if len(path) > 1 else None)


def routing_of(areas: list[Area], absent: int = 50) -> Routing:
    """A country in which no two areas have the same times."""
    roll = random.Random(1)
    contacts: dict[str, Contact] = {}
    duties: list[Duty] = []
    absences: list[Substitute] = []
    for place, area in enumerate(areas):
        for role in ("technician", "lead") if len(area.code) == 6 else ("technician",):
            name = f"{role}-{area.code}"
            channel = Channel(ChannelKind.SMS, name)
            contacts[name] = Contact(id=name, name=name, role=role, area=area.code, channels=(channel,))
            duties += _duties(role, name, area.code, place, roll)
        if place % absent == 0:
            begin = BEGIN + timedelta(days=roll.randrange(20))
            absences.append(
                Substitute(
                    contact=f"technician-{area.code}", substitute=f"technician-{areas[0].code}", from_at=begin,
                    until_at=begin + timedelta(days=5),
                )
            )  # fmt: skip
    routes = (Route(id="default", name="default", steps=parse_steps("technician@township; technician@county; lead")),)
    return Routing(contacts=contacts, duties=tuple(duties), substitutes=tuple(absences), routes=routes)


def _duties(role: str, contact: str, area: str, place: int, roll: random.Random) -> Iterator[Duty]:
    for days in ("Mo-Fr", "Sa,Su"):
        begin, length = roll.randrange(5 * 60, 12 * 60), roll.randrange(4 * 60, 14 * 60)
        times = f"{days} {_clock(begin)}-{_clock(min(begin + length, 1439))}"
        first = date(2026, 11, 2) if place % 10 == 0 else None
        yield Duty(role=role, contact=contact, area=area, times=times, weeks=2 if first else 1, valid_from=first)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


class Counted(io.StringIO):
    """A text file that counts the written characters and stores nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.characters = 0

    def write(self, text: str, /) -> int:
        self.characters += len(text)
        return len(text)


def main() -> None:
    """Find the gaps, write them, and print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--areas", type=int, default=41_293)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--absent", type=int, default=50)
    asked = parser.parse_args()
    areas = areas_of(asked.areas)
    routing = routing_of(areas, asked.absent)
    question = GapQuestion(begin=BEGIN, end=BEGIN + timedelta(days=asked.days))
    began = time.monotonic()
    paths, levels = {area.code: area.path for area in areas}, {area.code: area.level for area in areas}
    gaps = find_gaps(routing, paths, levels, question)
    found = time.monotonic()
    known = NamedThings(
        contacts=routing.contacts, duties={}, areas={area.code: area for area in areas},
        routes={route.id: route for route in routing.routes},
    )  # fmt: skip
    text, rows = Counted(), Counted()
    write_gaps_text(text, gaps, known, question, len(areas))
    written = time.monotonic()
    write_gaps_csv(rows, gaps, known)
    ended = time.monotonic()
    duties = f"{len(routing.duties)} duties, {len({duty.times for duty in routing.duties})} different times"
    print(f"{len(areas)} areas, {duties}, {len(KINDS)} kinds, {asked.days} days")
    print(f"{len(routing.substitutes)} absences")
    print(f"find_gaps {found - began:.1f} s: {len(gaps)} gaps, {sum(len(gap.spans) for gap in gaps)} intervals")
    print(f"text {written - found:.1f} s, {text.characters / 1e6:.1f} MB; csv {ended - written:.1f} s, "
          f"{rows.characters / 1e6:.1f} MB")  # fmt: skip
    print(f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
