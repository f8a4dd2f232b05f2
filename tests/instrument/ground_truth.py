"""The truth of a month: when power and link of each station worked, and when parts of the platform did not run.

A timetable in minutes since the beginning of the month, generated from a seed. It is independent of the judge: the
simulation plays it, and the oracle computes the expected results from it.
"""

from collections.abc import Container, Iterator
from datetime import date, datetime, timedelta, timezone
from functools import cache
from random import Random

import msgspec

ZONE = timezone(timedelta(hours=8))
BEGIN = datetime(2026, 9, 16, tzinfo=ZONE)
DAYS = 30
DAY = 1440
END = DAYS * DAY

# The State Council's arrangement for these days, written by hand so that it is independent of the calendar code.
HOLIDAYS = {*(date(2026, 9, day) for day in (25, 26, 27)), *(date(2026, 10, day) for day in range(1, 8))}
MAKE_UP = {date(2026, 9, 20), date(2026, 10, 10)}

ALWAYS, OFFICE, MARKET = 0, 1, 2
SHARDS = ("a", "b", "c")
OFFICE_RULES = "WD 09:00-17:30; HD 10:00-14:00"
_WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr")


def rules(place: "Place") -> str:
    """The opening rules of a place, in the notation of the registry."""
    if place.kind == ALWAYS:
        return "24x7"
    if place.kind == OFFICE:
        return OFFICE_RULES
    month = "Sep" if place.month == 9 else "Oct"
    return f"{month}: {_WEEKDAYS[place.market]} 09:00-13:00"


class Cut(msgspec.Struct, frozen=True):
    """The link of a group of stations is down for some minutes; `wills`: the broker publishes their Last Wills."""

    begin: int
    end: int
    kind: str
    name: str
    wills: bool


class Stop(msgspec.Struct, frozen=True):
    """A part of the platform is frozen or killed, from minute `begin` to minute `end`.

    `blink`: a bridge loses its connection and reconnects; messages in between are lost; its counts go on.
    """

    begin: int
    end: int
    part: str
    where: str
    killed: bool
    blink: bool = False


class Place(msgspec.Struct, frozen=True):
    """A station with its groups and its hours; a market opens on one weekday of one month."""

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
    """The station is switched off at the wall socket with its neighbours in the minute of closing: no goodbye."""


class Death(msgspec.Struct, frozen=True):
    """The power of one station is off for some minutes."""

    begin: int
    end: int


class Odd(msgspec.Struct, frozen=True):
    """The identity of one station's terminal is wrong, from minute `begin` to minute `end`.

    snapshot: the state of its first heartbeat is restored; old_disk: it starts from a lower run; renumber: its numbers
    begin again; stuck: its number does not increase; clone: a second machine sends with the same identity; skip: it
    skips numbers without any loss.
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
    """The minute in which shard b stops for good; its stations come back through shard a."""
    odd: dict[int, Odd] = {}
    unusable: dict[int, Death] = {}
    """By station: the interval in which its terminal runs and visitors cannot use it."""


def is_workday(day: date) -> bool:
    return day in MAKE_UP or (day.weekday() < 5 and day not in HOLIDAYS)


def hours(place: Place, number: int) -> tuple[int, int] | None:
    """The opening of a place on a day of the month, in minutes since the month's beginning."""
    return _hours(place.kind, place.market, place.month, number)


def openings(place: Place) -> tuple[tuple[int, int], ...]:
    """The openings of a place in the month, in minutes since the month's beginning."""
    return _openings(place.kind, place.market, place.month)


@cache
def _openings(kind: int, market: int, month: int) -> tuple[tuple[int, int], ...]:
    return tuple(one for day in range(DAYS) if (one := _hours(kind, market, month, day)) is not None)


@cache
def _hours(kind: int, market: int, month: int, number: int) -> tuple[int, int] | None:
    day = (BEGIN + timedelta(days=number)).date()
    first = number * DAY
    if kind == ALWAYS:
        return (first, first + DAY)
    if kind == OFFICE:
        if day in HOLIDAYS:
            return (first + 600, first + 840)
        return (first + 540, first + 1050) if is_workday(day) else None
    is_market = day.month == month and day.weekday() == market
    return (first + 540, first + 780) if is_market and is_workday(day) else None


def make(stations: int, *, province: str = "63", seed: int = 1) -> Truth:
    """The truth of a month for `stations` stations, in prefectures of 2,500, counties of 250, townships of 25."""
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
    """One station of a hundred misnumbers its heartbeats, from a random minute on."""
    begins = {number: rng.randrange(END) for number in rng.sample(range(stations), stations // 100)}
    return {number: Odd(begin, END, "skip") for number, begin in begins.items()}


def _place(number: int, province: str, rng: Random) -> Place:
    county = f"{province}{1 + number // 2500:02d}{1 + number // 250 % 10:02d}"
    draw = rng.random()
    # In the shard whose stations are switched off at the wall, few stations are always open: far less than a fifth.
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
    """A random identity fault; a clone only for a station that is always open, at a time without other faults."""
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
    """One station of twenty is unusable once, from about an opening on, for minutes up to days."""
    for number in rng.sample(range(len(places)), len(places) // 20):
        openings = [one for day in range(1, DAYS - 1) if (one := hours(places[number], day)) is not None]
        if openings and number not in others:
            first, last = rng.choice(openings)
            begin = rng.randrange(first - 60, last)
            yield number, Death(begin, begin + rng.choice((20, 60, 100, 140, 220, 400, 1500, 6000, 15_000)))


def _flaps(rng: Random, place: Place) -> Iterator[Death]:
    """Down for four heartbeats and up for two, for three days; visible only at a station that is always open."""
    begin, period = rng.randrange(5, 20) * DAY, 6 * place.every
    for number in range(3 * DAY // period):
        yield Death(begin + number * period, begin + number * period + 4 * place.every)


def _cut(rng: Random, kind: str, name: str, number: int) -> Cut:
    """A cut in the morning of a working day, so that the places are open."""
    day = rng.choice([day for day in range(1, DAYS - 1) if is_workday((BEGIN + timedelta(days=day)).date())])
    begin = day * DAY + rng.randrange(560, 620)
    return Cut(begin, begin + rng.choice((40, 180, 400, 3000)), kind, name, wills=number % 2 == 0)


def _stops(rng: Random) -> list[Stop]:
    """Stops of each part, spread over the month. Stops of a bridge make uncounted time; stops of other parts must
    not."""
    stops = []
    for number in range(12):
        begin = (2 * number + 1) * DAY + rng.randrange(DAY)
        part = ("bridge", "judge", "incidents")[number % 3]
        length = rng.choice((2, 20, 90, 300))
        where = rng.choice(("a", "b")) if part == "bridge" else str(rng.randrange(3))
        stops.append(Stop(begin, begin + length, part, where, killed=rng.random() < 0.5))
    return [*stops, *_blinks(rng)]


_SHAKY = ((60, 2, 24), (30, 2, 12), (10, 1, 6), (45, 4, 36))
"""Times in which a bridge loses its connection again and again: (minutes from one break to the next, minutes of each
break, hours in all)."""


def _blinks(rng: Random) -> Iterator[Stop]:
    for number, (period, length, span) in enumerate(_SHAKY):
        begin = (6 * number + 3) * DAY + rng.randrange(DAY)
        where = "b" if number == 1 else "a"
        for minute in range(begin, begin + span * 60, period):
            yield Stop(minute, minute + length, "bridge", where, killed=True, blink=True)


def lead(number: int) -> int:
    """Minutes before the opening at which people switch station `number` on."""
    return number % 10


def lag(place: Place, number: int) -> int:
    """Minutes after the closing at which people switch the station off."""
    return 0 if place.wall else number // 10 % 10


def relink(number: int) -> int:
    """Minutes that a station needs to connect to another broker after its own is gone."""
    return 1 + number % 7


def away_minutes(place: Place, number: int, minute: int) -> int:
    """The minutes in a closing station's `away` message: until ten minutes after the station should be on again."""
    for day in range(minute // DAY, DAYS + 7):
        opening = hours(place, day)
        if opening is not None and opening[0] - lead(number) > minute:
            return opening[0] - lead(number) + 10 - minute
    return 7 * DAY


def is_hit(place: Place, cut: Cut) -> bool:
    """Whether a cut takes the link of a place."""
    return (place.county if cut.kind == "county" else place.feeder) == cut.name
