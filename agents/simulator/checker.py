"""Compares what a fleet did, by its journal, with what Milepost reported. Pure.

The journal knows when heartbeats went out, so it knows which silences were long enough to be called offline, and
which were so long that they must have been. Times are milliseconds since the epoch.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from agents.simulator import masses, usability
from agents.simulator.lives import History, Life, may_be_offline, must_be_offline, runs_of
from agents.simulator.seen import (
    OFFLINE,
    ONLINE,
    UNKNOWN,
    UNUSABLE,
    Disagreement,
    ExpectedRules,
    ReportedPlatform,
    ReportedStation,
    VerdictSpan,
)
from agents.simulator.spans import Span, common, without
from agents.simulator.usability import UsableReport

KINDS: Final = (
    "false_offline",
    "missed_offline",
    "shut_out",
    "false_incident",
    "unusable_online",
    "missed_unusable",
    "false_unusable",
    "lost_record",
    "stored_twice",
    "never_sent",
    "garbage_unnamed",
    "blind_wrongly",
    "blind_missed",
    "unknown_wrongly",
)
"""The kinds of findings: see docs/simulator.md."""


def check(
    found: History,
    seen: Mapping[str, ReportedStation],
    rules: ExpectedRules | None = None,
    platform: ReportedPlatform | None = None,
) -> list[Disagreement]:
    """All findings: where the journal and Milepost disagree. `seen` has an entry for each station of the journal.

    Without `platform` the reports of Milepost about itself are not checked.
    """
    rules = rules or ExpectedRules()
    single = [finding for station in found.stations for finding in check_station(found, station, seen[station], rules)]
    return single if platform is None else [*single, *masses.check(found, seen, platform, rules)]


def check_station(found: History, station: str, seen: ReportedStation, rules: ExpectedRules) -> list[Disagreement]:
    """The findings about one station."""
    return [
        *_check_silences(found, station, seen, rules),
        *_check_use(found, station, seen, rules),
        *_check_records(found, station, seen),
        *_check_garbage(found, station, seen),
    ]


# -- silence ---------------------------------------------------------------------------------------------------


def _check_silences(found: History, station: str, seen: ReportedStation, rules: ExpectedRules) -> list[Disagreement]:
    lives = list(found.lives[station].values())
    allowed = common([may_be_offline(life, found.ended, rules) for life in lives])
    needed = common([must_be_offline(life, found.ended, rules) for life in lives])
    return [
        *_false(found, station, seen, allowed, rules),
        *_shut_out(station, lives, seen, rules),
        *_missed(station, lives, seen, needed, rules),
    ]


def _missed(
    station: str, lives: Sequence[Life], seen: ReportedStation, needed: list[Span], rules: ExpectedRules
) -> Iterator[Disagreement]:
    """Silences that had to be called offline: long enough, while the station was open."""
    slowest = max((every for life in lives for _, every in life.beats), default=0.0)
    if seen.openings is not None or seen.closures:
        least = round((rules.k * slowest + rules.slack) * 1000)
        parts = usability.expected(needed, seen.openings, seen.closures)
        needed = [(begin, end) for begin, end in parts if end - begin >= least]
    for begin, end in needed:
        if not _was_reported(begin, end, seen.timeline, 2 * slowest + rules.floor + rules.slack):
            text = f"silent from {begin} to {end}, never called offline"
            yield Disagreement(kind="missed_offline", station=station, text=text)


def _false(
    found: History, station: str, seen: ReportedStation, allowed: list[Span], rules: ExpectedRules
) -> list[Disagreement]:
    slack = round(rules.slack * 1000)
    called = {("false_offline", one.begin) for one in seen.timeline if one.verdict == OFFLINE}
    called |= {("false_incident", begin) for begin in seen.incidents}
    return [
        Disagreement(kind=kind, station=station, text=f"called offline since {at}, but it sent heartbeats")
        for kind, at in sorted(called)
        if found.began <= at <= found.ended and not _covered(at, allowed, slack)
    ]


_SILENT: Final = (OFFLINE, "away", "never_seen", "closed")
"""Verdicts that no station has while a terminal of it is heard."""


def _shut_out(
    station: str, lives: Sequence[Life], seen: ReportedStation, rules: ExpectedRules
) -> Iterator[Disagreement]:
    """Terminals that went on sending while their station was called anything but online."""
    runs = [run for life in lives for beats in (life.beats, *life.clones.values()) for run in runs_of(beats)]
    for one in seen.timeline:
        for begin, end, every in runs if one.verdict in _SILENT else ():
            since, until = max(begin, one.begin), min(end, one.end)
            if until - since > (rules.believed * every + rules.slack) * 1000:
                text = f"called {one.verdict} from {one.begin} to {one.end}, but it sent from {begin} to {end}"
                yield Disagreement(kind="shut_out", station=station, text=text)
                break


def _covered(at: int, spans: Sequence[Span], slack: int) -> bool:
    return any(begin - slack <= at <= end + slack for begin, end in spans)


def _was_reported(begin: int, end: int, timeline: Sequence[VerdictSpan], grace: float) -> bool:
    """Whether a silence was called offline, or Milepost was blind so near its end that it could not notice."""
    touching = [one for one in timeline if one.begin < end and one.end > begin]
    if any(one.verdict == OFFLINE for one in touching):
        return True
    blind = [min(end, one.end) for one in touching if one.verdict == "unknown"]
    return bool(blind) and (end - max(blind)) / 1000 < grace


# -- use -------------------------------------------------------------------------------------------------------


def _check_use(found: History, station: str, seen: ReportedStation, rules: ExpectedRules) -> list[Disagreement]:
    """Findings about `usable`. Stations with clones are left out: two machines may report different values."""
    lives = list(found.lives[station].values())
    if any(life.clones for life in lives):
        return []
    voices = [life.voice for life in lives]
    late = round((2 * usability.slowest(voices) + rules.floor + rules.slack) * 1000)
    blind = [(one.begin, one.end + late) for one in seen.timeline if one.verdict == UNKNOWN]
    unusable = without(usability.unusable(voices, found.began, found.ended, rules.patience), blind)
    return [
        *_reads_online(station, seen, unusable),
        *_missed_unusable(station, seen, unusable, rules, usability.slowest(voices)),
        *_false_unusable(found, station, seen, voices, rules),
    ]


def _verdicts(seen: ReportedStation, verdict: str) -> list[Span]:
    return [(one.begin, one.end) for one in seen.timeline if one.verdict == verdict]


def _reads_online(station: str, seen: ReportedStation, unusable: list[Span]) -> list[Disagreement]:
    span = usability.longest(common([unusable, _verdicts(seen, ONLINE)]))
    text = "" if span is None else f"reads online from {span[0]} to {span[1]}, when nobody could use it"
    return [Disagreement(kind="unusable_online", station=station, text=text)] if span else []


def _missed_unusable(
    station: str, seen: ReportedStation, unusable: list[Span], rules: ExpectedRules, every: float
) -> list[Disagreement]:
    least = round((max(rules.grace, 2 * every + rules.floor) + rules.slack) * 1000)
    return [
        Disagreement(
            kind="missed_unusable", station=station, text=f"of no use from {begin} to {end}, and no incident said so"
        )
        for begin, end in usability.expected(unusable, seen.openings, seen.closures)
        if end - begin >= least and not common([[(begin, end)], seen.unusable])
    ]


def _false_unusable(
    found: History, station: str, seen: ReportedStation, voices: Sequence[Sequence[UsableReport]], rules: ExpectedRules
) -> list[Disagreement]:
    slack = round((usability.slowest(voices) + rules.slack) * 1000)
    called = common([_verdicts(seen, UNUSABLE), usability.usable(voices, rules.patience)])
    wrong = {begin for begin, end in called if end - begin > slack}
    suspects = usability.suspects(voices, found.ended)
    begun = (begin for begin, _ in seen.unusable if found.began <= begin <= found.ended)
    wrong |= {begin for begin in begun if not _covered(begin, suspects, slack)}
    return [
        Disagreement(
            kind="false_unusable", station=station, text=f"called of no use at {at}, but it said it can be used"
        )
        for at in sorted(wrong)
    ]


# -- records ---------------------------------------------------------------------------------------------------


def _check_records(found: History, station: str, seen: ReportedStation) -> list[Disagreement]:
    made = found.made.get(station, set())
    acked = found.acked.get(station, set()) & made - found.reused.get(station, set())
    stored = Counter(record for record in seen.health)
    boxes = {(record.terminal, record.box) for record in made}
    lost = acked - stored.keys()
    twice = {record for record, times in stored.items() if times > 1}
    strange = {one for one in stored if (one.terminal, one.box) in boxes} - made
    return [
        Disagreement(kind=kind, station=station, text=f"{len(records)} records, such as {min(records)}")
        for kind, records in (("lost_record", lost), ("stored_twice", twice), ("never_sent", strange))
        if records
    ]


def _check_garbage(found: History, station: str, seen: ReportedStation) -> list[Disagreement]:
    sent = found.garbage[station]
    if seen.deadletters is None or seen.deadletters >= sent:
        return []
    text = f"{sent} broken messages were sent, {seen.deadletters} are in the dead letters"
    return [Disagreement(kind="garbage_unnamed", station=station, text=text)]
