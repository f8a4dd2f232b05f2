"""Settings: when a terminal is offline, and when the platform itself is at fault."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from milepost.settings.values import Count, Few, LongSeconds, Seconds, Share, SomeShare


@dataclass(frozen=True, kw_only=True)
class JudgingSection:
    """When a terminal is offline, and when the platform itself is at fault."""

    missed_heartbeats: Annotated[
        Annotated[float, Meta(ge=1, le=100)],
        Meta(description="Number of missed heartbeats after which a terminal is offline (k)."),
    ] = 3.0
    floor: Annotated[
        Seconds,
        Meta(
            description="Seconds that all terminals of a shard may need to reconnect after a pipeline gap "
            "(S). After a gap, a terminal is offline when it has been silent for two heartbeat "
            "intervals plus S."
        ),
    ] = 10.0
    will_grace: Annotated[
        Seconds,
        Meta(
            description="Seconds after a Last Will (or after the next heartbeat was due, if that is later) to "
            "which the Last Will shortens the deadline of its terminal; even a short disconnection can trigger "
            "a Last Will."
        ),
    ] = 10.0
    longest_tick: Annotated[
        Annotated[float, Meta(ge=1, le=60)],
        Meta(
            description="Maximum number of seconds between two ticks of a bridge; a longer interval is a "
            "pipeline gap and does not count towards deadlines."
        ),
    ] = 5.0
    loss_window: Annotated[
        Seconds,
        Meta(
            description="Seconds of one window in which a bridge counts lost messages. In a shard of few "
            "stations the window lasts until every station was heard."
        ),
    ] = 10.0
    loss_settled: Annotated[
        LongSeconds,
        Meta(
            description="Seconds for which a bridge must have received messages of a station before it "
            "counts the station's losses."
        ),
    ] = 600.0
    loss_clean: Annotated[
        Few,
        Meta(description="Number of windows without a loss after which a new loss of the station counts in full."),
    ] = 10
    loss_share: Annotated[
        Share,
        Meta(
            description="Share of the stations heard in a window above which losses that count in full are "
            "attributed to the platform."
        ),
    ] = 0.02
    loss_least: Annotated[
        Count,
        Meta(
            description="Minimum number of stations with losses that count in full before the losses are "
            "attributed to the platform; in a small shard 5%, at least 2."
        ),
    ] = 5
    loss_all_share: Annotated[
        Share,
        Meta(
            description="Share of the stations heard in a window above which losses are attributed to the "
            "platform, including losses that do not count in full."
        ),
    ] = 0.2
    loss_all_least: Annotated[
        Count, Meta(description="Minimum number of stations with losses for `MILEPOST_LOSS_ALL_SHARE`.")
    ] = 3
    loss_named_least: Annotated[
        Few,
        Meta(
            description="Number of windows with a loss from which a station is reported as numbering its "
            "messages wrongly."
        ),
    ] = 5
    loss_named_of: Annotated[
        Few,
        Meta(description="Number of the station's latest windows in which `MILEPOST_LOSS_NAMED_LEAST` are counted."),
    ] = 100
    loss_named_times: Annotated[
        Annotated[float, Meta(ge=1, le=1000)],
        Meta(
            description="Ratio that must also be reached: the station's share of windows with a loss, "
            "divided by that of the other stations."
        ),
    ] = 10.0
    loss_named_until: Annotated[
        Few, Meta(description="Number of windows without a loss after which the losses of such a station count again.")
    ] = 30
    mass_share: Annotated[
        SomeShare,
        Meta(description="Share of a shard's stations that must go offline together before the shard is suspected."),
    ] = 0.8
    mass_least: Annotated[
        Count,
        Meta(description="Minimum number of stations that must go offline together before the shard is suspected."),
    ] = 20
    mass_margin: Annotated[
        LongSeconds,
        Meta(
            description="Seconds before and after going offline in which a station must be open to count "
            "for `MILEPOST_MASS_SHARE` and `MILEPOST_MASS_LEAST`."
        ),
    ] = 600.0
