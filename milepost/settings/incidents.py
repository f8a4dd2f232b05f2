"""Settings: when an incident opens and closes: health rules, graces, common causes, flapping."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from milepost.settings.values import LongSeconds, Seconds, SomeShare


@dataclass(frozen=True, kw_only=True)
class IncidentSection:
    """When an incident opens and closes: health rules, graces, common causes, flapping."""

    health_rules: Annotated[
        Path | None,
        Meta(
            description="YAML file of health rules, applied on top of the rules shipped with Milepost (see "
            "health-rules.md)."
        ),
    ] = None
    opening_grace: Annotated[
        LongSeconds,
        Meta(description="Seconds after opening before a station that is not online becomes an incident."),
    ] = 900.0
    unusable_grace: Annotated[
        LongSeconds,
        Meta(
            description="Seconds for which an open station must be online but unusable for visitors before "
            "it becomes an incident; at least three heartbeats report it."
        ),
    ] = 300.0
    reopen_after: Annotated[
        LongSeconds,
        Meta(description="Seconds after which an incident that a person closed opens again if its fault persists."),
    ] = 14_400.0
    acknowledge_for: Annotated[
        LongSeconds,
        Meta(
            description="Seconds for which an acknowledgement counts that names no time by which the end is expected; "
            "after that people are notified again."
        ),
    ] = 14_400.0
    repair_stable: Annotated[
        LongSeconds,
        Meta(
            description="Seconds for which nothing may be wrong after a repair, before its incident closes; at least "
            "three heartbeat intervals of the station."
        ),
    ] = 600.0
    seal_late: Annotated[
        Seconds,
        Meta(description="Seconds for which a row may wait for the seal of the ledger before an incident opens."),
    ] = 60.0
    aside_after: Annotated[
        Seconds,
        Meta(
            description="Seconds for which data may be set aside, because a service cannot process it, before an "
            "incident opens."
        ),
    ] = 300.0
    never_seen_grace: Annotated[
        LongSeconds,
        Meta(
            description="Seconds after commissioning before a station that has never sent a heartbeat "
            "becomes an incident."
        ),
    ] = 86_400.0
    cause_least: Annotated[
        Annotated[int, Meta(ge=2, le=1_000_000)],
        Meta(
            description="Minimum number of stations of one area, uplink, feeder, agent version or shard "
            "that must go offline together to have a common cause."
        ),
    ] = 5
    cause_share: Annotated[
        SomeShare,
        Meta(description="Share of the stations of such a group that must go offline together to have a common cause."),
    ] = 0.5
    cause_returned: Annotated[
        SomeShare,
        Meta(description="Share of the stations of a common cause that must have recovered before it can close."),
    ] = 0.5
    cause_hold: Annotated[
        Seconds,
        Meta(
            description="Seconds without a further recovery before a common cause closes; a new outage of "
            "the same group before that belongs to the same incident. The value is for "
            "heartbeats of up to 60 s; slower heartbeats lengthen it in proportion, up to 72 "
            "min."
        ),
    ] = 300.0
    flapping_slots: Annotated[
        Annotated[int, Meta(ge=2, le=100)],
        Meta(description="Number of time slots that decide whether a station is flapping."),
    ] = 20
    flapping_slot: Annotated[
        Seconds | None,
        Meta(
            description="Seconds of one slot for a station with one heartbeat per minute; for other "
            "intervals in proportion, between 15 s and 72 min. Unset: the silence after which "
            "the station is offline."
        ),
    ] = None
    flapping_on: Annotated[
        SomeShare,
        Meta(
            description="Upper threshold of the hysteresis: weighted share of slots with a state change "
            "from which a station is flapping."
        ),
    ] = 0.3
    flapping_off: Annotated[
        SomeShare,
        Meta(
            description="Lower threshold of the hysteresis: weighted share of slots with a state change "
            "below which a station is no longer flapping."
        ),
    ] = 0.25
