"""A month as it really was: when each station's power and link were there, and when our own parts stood still.

A timetable in minutes since the month's beginning, made of a seed. It knows no judge: the simulation acts it out, and
the oracle is asked what should have come of it.
"""

from collections.abc import Container, Iterator
from datetime import date, datetime, timedelta, timezone
from random import Random

import msgspec

ZONE = timezone(timedelta(hours=8))
BEGIN = datetime(2026, 9, 16, tzinfo=ZONE)
DAYS = 30
DAY = 1440
END = DAYS * DAY

# The State Council's arrangement for these days, by hand: no library of the calendar's own is asked.
HOLIDAYS = {*(date(2026, 9, day) for day in (25, 26, 27)), *(date(2026, 10, day) for day in range(1, 8))}
MAKE_UP = {date(2026, 9, 20), date(2026, 10, 10)}

ALWAYS, OFFICE, MARKET = 0, 1, 2
SHARDS = ("a", "b", "c")
OFFICE_RULES = "WD 09:00-17:30; HD 10:00-14:00"
_WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr")


def rules(place: "Place") -> str:
    """The opening rules of a place, as people write them."""
    if place.kind == ALWAYS:
        return "24x7"
    if place.kind == OFFICE:
        return OFFICE_RULES
    month = "Sep" if place.month == 9 else "Oct"
    return f"{month}: {_WEEKDAYS[place.market]} 09:00-13:00"


class Cut(msgspec.Struct, frozen=True):
    """The link of a group of stations is gone for some minutes; `wills`: the broker notices and says so."""

    begin: int
    end: int
    kind: str
    name: str
    wills: bool


class Stop(msgspec.Struct, frozen=True):
    """A part of ours stands still, or is killed, from one minute to another.

    `blink`: a bridge loses its connection and has it again; what is sent meanwhile is lost, and it goes on counting.
    """

    begin: int
    end: int
    part: str
    where: str
    killed: bool
    blink: bool = False


class Place(msgspec.Struct, frozen=True):
    """A station: what it shares with others, and its hours: a market's are on one weekday of one month."""

    name: str
    county: str
    township: str
    isp: str
    feeder: str
    kind: int
    market: int
    month: int
    every: int
    shard: str
    says_goodbye: bool
    wall: bool = False
    """It is switched off at the wall, together with its neighbours, the minute it closes: no goodbye."""


class Death(msgspec.Struct, frozen=True):
    """The power of one station is gone for some minutes."""

    begin: int
    end: int


class Odd(msgspec.Struct, frozen=True):
    """The identity of one station's terminal is not as it should be, from one minute to another.

    snapshot: set back to its first heartbeat; old_disk: it starts from a lower run; renumber: its numbers begin anew;
    stuck: they stand still; clone: a second machine sends beside it; skip: it leaves out numbers, and loses nothing.
    """

    begin: int
    end: int
    kind: str


class Truth(msgspec.Struct, frozen=True):
    places: list[Place]
    deaths: dict[int, list[Death]]
    cuts: list[Cut]
    stops: list[Stop]
    moves_at: int
    """The minute in which shard b dies for good; its stations come back through shard a."""
    odd: dict[int, Odd] = {}
    unusable: dict[int, Death] = {}
    """When the terminal of a station runs and nobody can use it."""


def is_workday(day: date) -> bool:
    return day in MAKE_UP or (day.weekday() < 5 and day not in HOLIDAYS)


def hours(place: Place, number: int) -> tuple[int, int] | None:
    """The opening of a place on a day of the month, in minutes since the month's beginning."""
    day = (BEGIN + timedelta(days=number)).date()
    first = number * DAY
    if place.kind == ALWAYS:
        return (first, first + DAY)
    if place.kind == OFFICE:
        if day in HOLIDAYS:
            return (first + 600, first + 840)
        return (first + 540, first + 1050) if is_workday(day) else None
    is_market = day.month == place.month and day.weekday() == place.market
    return (first + 540, first + 780) if is_market and is_workday(day) else None


def make(stations: int, *, province: str = "63", seed: int = 1) -> Truth:
    """So many stations in prefectures of 2,500, counties of 250, townships of 25."""
    rng = Random(seed)
    places = [_place(number, province, rng) for number in range(stations)]
    deaths = {number: list(_deaths(rng)) for number in rng.sample(range(stations), stations // 4)}
    for number in rng.sample(range(stations), max(1, stations // 5000)):
        deaths[number] = list(_flaps(rng, places[number]))
    flapping = {number for number, found in deaths.items() if len(found) > 1}
    counties = sorted({place.county for place in places})
    cuts = [_cut(rng, "county", rng.choice(counties), number) for number in range(20)]
    feeders = sorted({place.feeder for place in places})
    cuts += [_cut(rng, "feeder", rng.choice(feeders), number) for number in range(10)]
    truth = Truth(places, deaths, cuts, _stops(rng), moves_at=20 * DAY + 11 * 60)
    odd = {
        number: one
        for number in rng.sample(range(stations), stations // 20)
        if number not in flapping and (one := _odd(rng, truth, number)) is not None
    }
    unusable = dict(_unusable(places, odd, Random(seed)))
    return msgspec.structs.replace(truth, odd=_skips(stations, Random(seed)) | odd, unusable=unusable)


def _skips(stations: int, rng: Random) -> dict[int, Odd]:
    """One of a hundred numbers wrongly, from some moment on."""
    begins = {number: rng.randrange(END) for number in rng.sample(range(stations), stations // 100)}
    return {number: Odd(begin, END, "skip") for number, begin in begins.items()}


def _place(number: int, province: str, rng: Random) -> Place:
    county = f"{province}{1 + number // 2500:02d}{1 + number // 250 % 10:02d}"
    draw = rng.random()
    # Where all are switched off at the wall few are always open: what goes on is far less than a fifth.
    shard = ("b", "a", "a", "c", "a")[number // 250 % 5]
    kind = ALWAYS if draw < (0.008 if shard == "c" else 0.02) else OFFICE if draw < 0.08 else MARKET
    wall = shard == "c" and kind != ALWAYS
    return Place(
        name=f"{county}{number % 250:04d}",
        county=county,
        township=f"{county}{1 + number % 250 // 25:03d}",
        isp=rng.choice(("mobile", "telecom", "satellite")),
        feeder=f"F-{number // 80}",
        kind=kind,
        market=rng.randrange(5),
        month=rng.choice((9, 10)),
        every=60 if kind == ALWAYS else 30,
        shard=shard,
        says_goodbye=rng.random() < 0.9 and not wall,
        wall=wall,
    )


def _deaths(rng: Random) -> Iterator[Death]:
    begin = rng.randrange(END)
    yield Death(begin, begin + rng.choice((20, 90, 200, 400, 1500, 6000)))


def _odd(rng: Random, truth: Truth, number: int) -> Odd | None:
    """What befalls one of many; a clone only beside a station that is always on, while nothing else happens to it."""
    begin = rng.randrange(2 * DAY, END - 2 * DAY)
    kind = rng.choice(("snapshot", "old_disk", "renumber", "stuck"))
    if truth.places[number].kind != ALWAYS:
        return Odd(begin, begin + rng.choice((200, 3000)) if kind == "stuck" else begin, kind)
    end = begin + rng.choice((90, 400, 1500))
    busy = [(death.begin, death.end) for death in truth.deaths.get(number, ())]
    busy += [(cut.begin, cut.end) for cut in truth.cuts if is_hit(truth.places[number], cut)]
    busy.append((truth.moves_at, truth.moves_at))
    is_free = all(last < begin - 300 or first > end + 300 for first, last in busy)
    return Odd(begin, end, "clone") if is_free else None


def _unusable(places: list[Place], others: Container[int], rng: Random) -> Iterator[tuple[int, Death]]:
    """Of every twenty stations one is of no use once, from about an opening on, for an hour or for days."""
    for number in rng.sample(range(len(places)), len(places) // 20):
        openings = [one for day in range(1, DAYS - 1) if (one := hours(places[number], day)) is not None]
        if openings and number not in others:
            first, last = rng.choice(openings)
            begin = rng.randrange(first - 60, last)
            yield number, Death(begin, begin + rng.choice((20, 60, 100, 140, 220, 400, 1500, 6000, 15_000)))


def _flaps(rng: Random, place: Place) -> Iterator[Death]:
    """Down for four heartbeats and up for two, for three days: only who is always open shows it."""
    begin, period = rng.randrange(5, 20) * DAY, 6 * place.every
    for number in range(3 * DAY // period):
        yield Death(begin + number * period, begin + number * period + 4 * place.every)


def _cut(rng: Random, kind: str, name: str, number: int) -> Cut:
    """In the morning of a working day, so that the places are open."""
    day = rng.choice([day for day in range(1, DAYS - 1) if is_workday((BEGIN + timedelta(days=day)).date())])
    begin = day * DAY + rng.randrange(560, 620)
    return Cut(begin, begin + rng.choice((40, 180, 400, 3000)), kind, name, wills=number % 2 == 0)


def _stops(rng: Random) -> list[Stop]:
    """Of each part some, spread over the month; a bridge's make uncounted time, the others' must be nobody's."""
    stops = []
    for number in range(12):
        begin = (2 * number + 1) * DAY + rng.randrange(DAY)
        part = ("bridge", "judge", "incidents")[number % 3]
        length = rng.choice((2, 20, 90, 300))
        where = rng.choice(("a", "b")) if part == "bridge" else str(rng.randrange(3))
        stops.append(Stop(begin, begin + length, part, where, killed=rng.random() < 0.5))
    return [*stops, *_blinks(rng)]


_SHAKY = ((60, 2, 24), (30, 2, 12), (10, 1, 6), (45, 4, 36))
"""Times in which a bridge's connection breaks again and again: minutes from one break to the next and of each, hours
of all."""


def _blinks(rng: Random) -> Iterator[Stop]:
    for number, (period, length, span) in enumerate(_SHAKY):
        begin = (6 * number + 3) * DAY + rng.randrange(DAY)
        where = "b" if number == 1 else "a"
        for minute in range(begin, begin + span * 60, period):
            yield Stop(minute, minute + length, "bridge", where, killed=True, blink=True)


def lead(number: int) -> int:
    """Minutes before the opening at which somebody switches station `number` on."""
    return number % 10


def lag(place: Place, number: int) -> int:
    """Minutes after the closing at which it is switched off."""
    return 0 if place.wall else number // 10 % 10


def relink(number: int) -> int:
    """Minutes that a station takes to find another broker when its own is gone."""
    return 1 + number % 7


def away_minutes(place: Place, number: int, minute: int) -> int:
    """For how long a station that closes says it will be away: until ten minutes after it should be on again."""
    for day in range(minute // DAY, DAYS + 7):
        opening = hours(place, day)
        if opening is not None and opening[0] - lead(number) > minute:
            return opening[0] - lead(number) + 10 - minute
    return 7 * DAY


def is_hit(place: Place, cut: Cut) -> bool:
    """Whether a cut takes the link of a place."""
    return (place.county if cut.kind == "county" else place.feeder) == cut.name
