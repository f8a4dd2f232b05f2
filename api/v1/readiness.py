"""What keeps the platform from being ready, in sentences. Pure."""

from typing import Final

from alerting.pipeline.stability import Stability
from alerting.stations.verdict import Clocks
from api.read.shard_documents import Steadiness

LATE_SEAL: Final = 10.0
"""Seconds after which a row should be sealed."""


def lacking(clocks: Clocks) -> list[str]:
    """What keeps the pipeline from being ready. A tick that was judged just now proves MQTT, Kafka and judge."""
    if not clocks.all:
        return ["no tick was ever judged: start the MQTT broker, Kafka, `milepost bridge` and `milepost judge`"]
    if any(clocks.is_sound(clock) for clock in clocks.all):
        return []
    newest = max(min(clock.tick_at, clock.judged_at) for clock in clocks.all)
    age = (clocks.now - newest).total_seconds()
    if age > 0 and all(clock.blind_since is None for clock in clocks.all):
        return [f"the last tick judged is {age:.0f} s old: look at the MQTT broker, Kafka, the bridge and the judge"]
    return [f"the pipeline is blind (last tick {max(age, 0):.0f} s ago): look at the MQTT broker and the bridge"]


def untold(has_default_route: bool) -> list[str]:
    """Whether somebody may not be told of an incident."""
    if has_default_route:
        return []
    return [
        "no route takes every incident, so nobody is told of an incident that no route covers: make a route without "
        "area, kinds, severities, programme and kind of station"
    ]


def unsealed(delay: float | None) -> list[str]:
    """Whether the ledger is behind. `delay`: seconds for which the oldest row waits for its seal; None: none waits."""
    if delay is None or delay <= LATE_SEAL:
        return []
    return [
        f"rows wait for the seal of the ledger for {delay:.0f} s, and can be changed unseen meanwhile: look at "
        "`milepost audit`"
    ]


def unsteady(steadiness: Steadiness) -> list[str]:
    """Where the pipeline is interrupted again and again."""
    recurring = {shard for shard, figures in steadiness.figures.items() if figures.recurs}
    return [
        _unsteady(shard, steadiness.figures.get(shard, Stability()))
        for shard in sorted(steadiness.unstable | recurring)
    ]


def _unsteady(shard: str, figures: Stability) -> str:
    return (
        f"shard {shard!r} is unstable: {figures.gaps} gaps of together {figures.seconds:.1f} s in the last ten "
        "minutes; look at its MQTT broker, its bridge and the network between them"
    )
