"""Compares when many stations fell together with when Milepost reported that it was blind itself. Pure.

A shard is to be suspected when nearly all of its stations that should have gone on fell at one instant: those that were
online and open from `margin` before they were heard last until `margin` after their deadline. The journal does not know
all of that for sure, so everything is counted twice: what may be, and what surely is. Only what is wrong by both counts
is a finding. Times are milliseconds since the epoch.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from agents.simulator.lives import DOUBT, Heard, History, Life, may_be_offline, must_be_offline, runs_of
from agents.simulator.seen import (
    NEVER_SEEN,
    OFFLINE,
    ONLINE,
    SUSPECTED,
    UNKNOWN,
    UNUSABLE,
    BlindIncident,
    Disagreement,
    ExpectedRules,
    ReportedPlatform,
    ReportedStation,
)
from agents.simulator.spans import Span, common, united, without

_UP: Final = (ONLINE, UNUSABLE)
_OURS: Final = frozenset({"judge_silent", "behind", "database_hung", "unstable"})
"""Causes that do not depend on stations."""
_OF_TICKS: Final = frozenset({"not_whole", "tick_lost", "too_long", "bridge_restarted", "bridge_changed", "new_log"})
"""Reasons of gaps that do not depend on stations."""
_STALE: Final = 10_000
"""ms for which a clock may stand still before its stations are unknown and an incident is opened."""
_FAR: Final = 4_102_444_800_000


class Fall(msgspec.Struct, frozen=True, kw_only=True):
    """A station stopped between the heartbeat that was `heard` last and the first that was `missed`, and was silent
    `until` then. `broke`: it lost its power or its link by itself, without any fault of a broker."""

    heard: int
    missed: int
    until: int
    broke: bool = False

    def deadline(self, k: float) -> int:
        """When the station must be called offline after `k` missed heartbeats."""
        return self.heard + round(k * (self.missed - self.heard))

    def spans(self, at: int, slack: int = 0) -> bool:
        """Whether it may have stopped at an instant."""
        return self.heard - slack <= at <= self.missed + slack


class StationFalls(msgspec.Struct, frozen=True):
    """One station: the falls that it may have had, and those that it surely had; when it was surely silent, and when it
    sent without missing a heartbeat (the last number is its `every`, s)."""

    name: str
    seen: ReportedStation
    may: Sequence[Fall]
    sure: Sequence[Fall]
    silent: Sequence[Span]
    sent: Sequence[tuple[int, int, float]]


def check(
    found: History, seen: Mapping[str, ReportedStation], platform: ReportedPlatform, rules: ExpectedRules
) -> list[Disagreement]:
    """Findings: blind without reason, not blind with reason, and unknown stations while nothing was blind."""
    count = _Count(found, [_station(found, name, seen[name], rules) for name in found.stations], platform, rules)
    shard_known = platform.shards == 1
    return [
        *(count.wrongly() if shard_known else ()),
        *(count.missed() if shard_known else ()),
        *(finding for one in count.stations for finding in _unknown(one, platform, rules)),
    ]


# -- falls -----------------------------------------------------------------------------------------------------


def _station(found: History, name: str, seen: ReportedStation, rules: ExpectedRules) -> StationFalls:
    lives = list(found.lives[name].values())
    may = common([may_be_offline(life, found.ended, rules) for life in lives])
    must = common([must_be_offline(life, found.ended, rules) for life in lives])
    return StationFalls(
        name=name,
        seen=seen,
        may=list(_falls(lives, may, surely=False)),
        sure=list(_falls(lives, must, surely=True)),
        silent=must,
        sent=[run for life in lives for beats in (life.beats, *life.clones.values()) for run in runs_of(beats)],
    )


def _falls(lives: Sequence[Life], silences: Iterable[Span], *, surely: bool) -> Iterator[Fall]:
    beats = sorted(beat for life in lives for beat in _beats(life, surely))
    broke = sorted(at for life in lives for at in life.broke)
    for missed, until in silences:
        place = bisect_left(beats, (missed, 0.0))
        heard = beats[place - 1][0] if place else None
        if heard is None or _said_goodbye(lives, heard, missed, surely):
            continue
        near = bisect_left(broke, heard)
        # A doubtful heartbeat may have been the last one that arrived.
        by_itself = near < len(broke) and broke[near] <= missed + DOUBT
        yield Fall(heard=heard, missed=missed, until=until, broke=by_itself)


def _beats(life: Life, surely: bool) -> Iterator[Heard]:
    """The heartbeats, also of clones, that may have arrived; without `surely` only those that did for certain."""
    for beats in (life.beats, *life.clones.values()):
        yield from (beat for beat in beats if surely or beat not in life.doubtful)


def _said_goodbye(lives: Sequence[Life], heard: int, missed: int, surely: bool) -> bool:
    """Whether terminals announced `away` from `heard` to `missed`: all of them; with `surely`, at least one of them."""
    said = [any(heard <= sent <= missed for sent, _ in life.away) for life in lives]
    return any(said) if surely else all(said)


def _peaks(falls: Iterable[Fall], slack: int, least: int) -> list[int]:
    """The instants at which most of the falls, and at least so many, may have happened together."""
    events = [(fall.heard - slack, 0) for fall in falls] + [(fall.missed + slack, 1) for fall in falls]
    found, number, peak = [], 0, None
    for at, ends in sorted(events):
        if ends and peak is not None and number >= least:
            found.append(peak)
        peak = None if ends else at
        number += -1 if ends else 1
    return found


# -- counts ----------------------------------------------------------------------------------------------------


class _Count:
    """How many stations fell at an instant, of how many that should have gone on."""

    def __init__(
        self, found: History, stations: Sequence[StationFalls], platform: ReportedPlatform, rules: ExpectedRules
    ) -> None:
        self.stations = stations
        self._found, self._platform, self._rules = found, platform, rules
        self._slack, self._margin = round(rules.slack * 1000), round(rules.margin * 1000)
        self._slowest = round(1000 * max((every for one in stations for _, _, every in one.sent), default=0.0))
        self._may = _peaks([fall for one in stations for fall in one.may], self._slack, rules.least - platform.others)
        self._broke = _peaks([f for one in stations for f in one.may if f.broke], self._slack, rules.least)
        self._sure = _peaks([fall for one in stations for fall in one.sure], 0, rules.least)

    # -- blind without reason ----------------------------------------------------------------------------------

    def wrongly(self) -> Iterator[Disagreement]:
        for blind in self._platform.blind:
            reason = self._reason(blind)
            if reason is not None and not self._is_explained(blind):
                yield Disagreement(kind="blind_wrongly", station=None, text=f"blind since {blind.began} {reason}")

    def _reason(self, blind: BlindIncident) -> str | None:
        """Why the incident was opened because of stations, as words of a finding.

        None when its causes do not depend on stations, or when it began outside of the journal.
        """
        if not self._found.began <= blind.began <= self._found.ended:
            return None
        if SUSPECTED in blind.causes:
            return "because its stations fell, but too few fell together of those that should have gone on"
        if _OURS & set(blind.causes) or _OF_TICKS & set(blind.reasons):
            return None
        lo, hi = blind.began - self._patience, blind.began + self._slack
        off = any(lo <= at <= hi for at in self._broke)
        return "when stations were switched off that need not have gone on" if off else None

    @property
    def _patience(self) -> int:
        """ms after a fall until it is noticed at the latest."""
        return round(self._rules.k * self._slowest + self._rules.floor * 1000) + self._slack

    def _is_explained(self, blind: BlindIncident) -> bool:
        lo = blind.began - max(self._slowest, self._patience) - self._slack
        hi = (self._found.ended if blind.ended is None else blind.ended) + self._slack
        near = [at for at in self._may if lo <= at <= hi]
        return any(self._may_be_mass(at) for at in (*near, blind.began))

    def _may_be_mass(self, at: int) -> bool:
        fell = self._platform.others + sum(self._may_have_fallen(one, at) for one in self.stations)
        on = sum(self._surely_went_on(one, at) for one in self.stations)
        return fell >= self._rules.least and fell >= self._rules.share * (fell + on)

    # -- not blind with reason ---------------------------------------------------------------------------------

    def missed(self) -> Iterator[Disagreement]:
        for at in self._sure:
            fell = self._surely_fallen(at)
            until = max((fall.deadline(self._rules.k) for _, fall in fell), default=at) + self._slack
            fell = [(one, fall) for one, fall in fell if fall.until >= until]
            if not self._must_be_mass(at, [one for one, _ in fell]) or self._was_blind(at, until + self._patience):
                continue
            called = sum(_reads(one.seen, fall, OFFLINE) for one, fall in fell)
            if called >= self._rules.least:
                text = f"{len(fell)} stations fell at {at}, nearly all there were, and {called} were called offline"
                yield Disagreement(kind="blind_missed", station=None, text=text)

    def _surely_fallen(self, at: int) -> list[tuple[StationFalls, Fall]]:
        falls = ((one, fall) for one in self.stations for fall in one.sure if fall.spans(at))
        return [(one, fall) for one, fall in falls if self._surely_counts(one.seen, fall)]

    def _must_be_mass(self, at: int, fell: Sequence[StationFalls]) -> bool:
        names = {one.name for one in fell}
        on = sum(one.name not in names and self._may_go_on(one, at) for one in self.stations)
        all_ = len(fell) + on + self._platform.others
        return len(fell) >= self._rules.least and len(fell) >= self._rules.share * all_

    def _was_blind(self, begin: int, end: int) -> bool:
        blind = self._platform.blind
        return any(one.began <= end and (one.ended is None or one.ended >= begin - self._slowest) for one in blind)

    # -- single stations ---------------------------------------------------------------------------------------

    def _may_have_fallen(self, one: StationFalls, at: int) -> bool:
        return any(fall.spans(at, self._slack) and self._may_count(one, fall) for fall in one.may)

    def _may_count(self, one: StationFalls, fall: Fall) -> bool:
        begin, end = fall.heard - self._margin, fall.deadline(self._rules.k) + self._margin
        before = (begin + self._slack, fall.heard - self._slowest - self._slack)
        silent = common([[before], united([*one.silent, *_of(one.seen, NEVER_SEEN)])])
        return not silent and _is_open(one.seen, begin + self._slack, end - self._slack)

    def _surely_counts(self, seen: ReportedStation, fall: Fall) -> bool:
        begin = fall.heard - self._margin - self._slack
        end = fall.deadline(self._rules.k) + self._margin + self._patience
        return _is_up(seen, begin, fall.heard) and _is_open(seen, begin, end) and not _is_closed(seen, begin, end)

    def _may_go_on(self, one: StationFalls, at: int) -> bool:
        silent = [*one.silent, *_of(one.seen, NEVER_SEEN)]
        least = self._margin - self._slack
        return _is_open(one.seen, at - least, at + least) and not any(begin <= at < end for begin, end in silent)

    def _surely_went_on(self, one: StationFalls, at: int) -> bool:
        if any(fall.spans(at, self._slack) for fall in one.may):
            return False
        begin = at - self._slowest - self._margin - self._slack
        end = at + self._margin + self._patience
        up = _is_up(one.seen, begin, min(at + self._patience, self._found.ended))
        return up and _is_open(one.seen, begin, end) and not _is_closed(one.seen, begin, end)


def _of(seen: ReportedStation, verdict: str) -> list[Span]:
    return [(one.begin, one.end) for one in seen.timeline if one.verdict == verdict]


def _reads(seen: ReportedStation, fall: Fall, verdict: str) -> bool:
    return bool(common([[(fall.missed, fall.until)], _of(seen, verdict)]))


def _is_up(seen: ReportedStation, begin: int, end: int) -> bool:
    up = united((one.begin, one.end) for one in seen.timeline if one.verdict in _UP)
    return any(since <= begin and end <= until for since, until in up)


def _is_open(seen: ReportedStation, begin: int, end: int) -> bool:
    """Whether the station was open all the time, by its opening hours alone."""
    if seen.openings is None:
        return True
    return any(opens <= begin and end <= closes for opens, closes in united(seen.openings))


def _is_closed(seen: ReportedStation, begin: int, end: int) -> bool:
    """Whether a declared closure covered part of the time."""
    return bool(common([[(begin, end)], united(seen.closures)]))


# -- unknown ---------------------------------------------------------------------------------------------------


def _unknown(one: StationFalls, platform: ReportedPlatform, rules: ExpectedRules) -> Iterator[Disagreement]:
    """Stations that sent heartbeats and read unknown although Milepost was not blind itself: stations of a suspected
    shard stay online while they are heard."""
    slack = round(rules.slack * 1000)
    blind = [_reach(other, _STALE + slack) for other in platform.blind if set(other.causes) != {SUSPECTED}]
    for begin, end, every in one.sent:
        least = max(_STALE, round(1000 * rules.believed * every)) + slack
        for since, until in without(common([[(begin, end)], _of(one.seen, UNKNOWN)]), blind):
            if until - since > least:
                text = f"unknown from {since} to {until}, but it sent, and Milepost was not blind"
                yield Disagreement(kind="unknown_wrongly", station=one.name, text=text)
                return


def _reach(blind: BlindIncident, slack: int) -> Span:
    return blind.began - slack, (_FAR if blind.ended is None else blind.ended) + slack
