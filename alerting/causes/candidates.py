"""Candidates for a common cause: which groups have enough evidence, and which group explains most falls. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from alerting.causes.common_cause import CommonCause
from alerting.causes.evidence import CAUSES, Evidence, Fallen, Group, Peer, common, deepest_area, overlap, weigh
from alerting.causes.membership import Membership
from alerting.causes.steps import Opened
from alerting.station_incidents.cause_settings import CauseSettings
from alerting.stations.common_interval import CommonInterval
from alerting.stations.promise import longest_that_votes
from contract.kinds import IncidentKind


class CauseCandidate(msgspec.Struct, frozen=True):
    """A group as the possible cause of falls.

    `window`: the common instant; `members`: the stations that fell then; `peers`: the online stations that are overdue
    since then; `parts`: the smaller causes that belong to this one; `depth`: the place of the group among the groups of
    a station (areas with the root first).
    """

    group: Group
    window: CommonInterval
    evidence: Evidence
    members: list[Fallen]
    peers: list[Peer]
    depth: int = 0
    parts: list[CommonCause] = []

    @property
    def rank(self) -> tuple[float, float, int, int, str]:
        """Sort key, best candidate first: highest score, then smallest group, then first in `CAUSES`, then deepest
        area."""
        evidence, cause = self.evidence, CAUSES.index(self.group[0])
        total = evidence.fallen + evidence.against + evidence.silent
        return (-round(evidence.score, 6), round(total, 6), cause, -self.depth, self.group[1])


def candidate_of(
    group: Group,
    fresh: Sequence[Fallen],
    down: Sequence[Fallen],
    peers: Sequence[Peer],
    online: int,
    settings: CauseSettings,
) -> CauseCandidate | None:
    """A group as the cause of some of the falls `fresh`; None: the evidence is not enough.

    `down`: the falls of the group without a cause, `fresh` among them; `peers`: a sample of its `online` stations,
    empty when no sample was looked up. A station whose interval is far longer than the group's median may have stopped
    at any time within that interval: such a station joins the cause, but is not counted as evidence.
    """
    slowest = longest_that_votes([*(one.every for one in down), *(peer.every for peer in peers)])
    voters = [one for one in down if one.every <= slowest]
    asked = [peer for peer in peers if peer.every <= slowest]
    heard = round(online * len(asked) / len(peers)) if peers else online
    new = [one for one in fresh if one.every <= slowest]
    overdue = [peer for peer in asked if peer.overdue]
    scale = heard / len(asked) if asked else 0.0
    most = Evidence(len(voters) + scale * len(overdue), 0 if peers else online)
    if not new or not most.qualifies(settings.least, settings.share):
        return None
    window = overlap(
        [*_weighed(voters, 1.0), *_weighed(overdue, scale)],
        min(one.began for one in new),
        max(one.until for one in new),
    )
    if window is None or not any(window.meets(one) for one in new):
        return None
    evidence = weigh(window, [one for one in voters if window.meets(one)], asked, heard)
    if not evidence.qualifies(settings.least, settings.share):
        return None
    members = sorted((one for one in down if window.meets(one)), key=lambda one: one.station)
    fell = [peer for peer in overdue if window.meets(peer)]
    found = CauseCandidate(group, window, evidence, members, fell, fresh[0].groups.index(group))
    rivals = _rivals(found, fresh, scale)
    return None if any(_explains_more(rival, found, asked, scale, settings) for rival in rivals) else found


def best_candidate(
    fresh: Sequence[Fallen],
    members: Membership,
    peers: Mapping[Group, Sequence[Peer]],
    left: Callable[[Group], int],
    settings: CauseSettings,
) -> CauseCandidate | None:
    """The group that explains most of the falls `fresh`; None: no group has enough evidence.

    `peers`: a sample of the online stations of each group; `left`: how many stations of a group are online.
    """
    claims = []
    for group, mine in sorted(_by_group(fresh).items()):
        found = candidate_of(group, mine, members.alone_in(group), peers.get(group, ()), left(group), settings)
        if found is not None:
            claims.append(with_parts(found, _parts(found, members.outages.values())))
    return min(claims, key=lambda found: found.rank, default=None)


def _by_group(falls: Iterable[Fallen]) -> dict[Group, list[Fallen]]:
    found: dict[Group, list[Fallen]] = {}
    for fallen in falls:
        for group in fallen.groups:
            found.setdefault(group, []).append(fallen)
    return found


def _parts(found: CauseCandidate, outages: Iterable[CommonCause]) -> list[CommonCause]:
    """The smaller causes of the same instant whose stations all lie in the group."""
    return [
        outage
        for outage in outages
        if outage.group != found.group and found.group in outage.common and outage.window.touches(found.window)
    ]


def _rivals(found: CauseCandidate, fresh: Sequence[Fallen], scale: float) -> list[Group]:
    """The groups that contain none of the fresh falls and that may explain more than the candidate."""
    ours = {group for fallen in fresh for group in fallen.groups}
    counts = Counter(group for peer in found.peers for group in peer.groups)
    enough = found.evidence.score - len(found.members)
    return [group for group, count in counts.items() if scale * count > enough and group not in ours]


def _explains_more(
    rival: Group, found: CauseCandidate, peers: Sequence[Peer], scale: float, settings: CauseSettings
) -> bool:
    """Whether the rival group has enough evidence and a higher score than the candidate.

    Then most stations of the rival are overdue and fall soon, and the other fresh falls have no part in that.
    """
    asked = [peer for peer in peers if rival in peer.groups]
    members = [one for one in found.members if rival in one.groups]
    evidence = weigh(found.window, members, asked, round(scale * len(asked)))
    return evidence.qualifies(settings.least, settings.share) and evidence.score > found.evidence.score


def with_parts(found: CauseCandidate, parts: list[CommonCause]) -> CauseCandidate:
    """The candidate with the smaller causes that it would take over; their children count as its falls."""
    also = sum(len(part.children) for part in parts)
    evidence = msgspec.structs.replace(found.evidence, fallen=found.evidence.fallen + also)
    return msgspec.structs.replace(found, evidence=evidence, parts=parts)


def _weighed(intervals: Iterable[Fallen | Peer], weight: float) -> Iterable[tuple[datetime, datetime, float]]:
    return ((one.began, one.until, weight) for one in intervals)


def new_cause(key: str, found: CauseCandidate, at: datetime) -> CommonCause:
    """The cause that a candidate opens, as of `at`, without its children."""
    seen: list[Fallen | Peer] = [*found.members, *found.peers]
    return CommonCause(
        key=key,
        group=found.group,
        window=found.window,
        began=min(one.until for one in seen),
        joined_at=at,
        low_at=at,
        patience=0.0,
        common=common([*(one.groups for one in seen), *(part.common for part in found.parts)]),
        share=round(found.evidence.share, 3),
        expected=round(found.evidence.fallen),
        told=len(found.members),
    )


def opened(kind: IncidentKind, outage: CommonCause, found: CauseCandidate) -> Opened:
    """The step that opens the incident of a new cause."""
    return Opened(
        kind=kind,
        key=outage.key,
        group=found.group,
        area=deepest_area(outage.common),
        began=outage.began,
        instant=found.window.lo,
        children=len(found.members),
        expected=outage.expected,
        share=outage.share,
    )
