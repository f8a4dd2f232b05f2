"""Settings: when a station or an area is a blind spot."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from milepost.settings.values import Count, Days, Minutes


@dataclass(frozen=True, kw_only=True)
class BlindSpotSection:
    """When a station or an area is a blind spot."""

    blind_never_days: Annotated[
        Days,
        Meta(description="Days after commissioning from which a station that never reported is the blind spot `dark`."),
    ] = 1.0
    blind_dark_days: Annotated[
        Days, Meta(description="Days of silence after which a station is the blind spot `dark`.")
    ] = 7.0
    blind_shut_days: Annotated[
        Annotated[int, Meta(ge=1, le=30)],
        Meta(
            description="Consecutive opening days without going online after which a station is the blind spot `shut`."
        ),
    ] = 3
    blind_idle_days: Annotated[
        Days, Meta(description="Days without a session after which a station is the blind spot `idle`.")
    ] = 14.0
    blind_absence_days: Annotated[
        Days,
        Meta(description="Length in days of an announced absence after which the idle days are counted from zero."),
    ] = 3.0
    blind_stale_days: Annotated[
        Days, Meta(description="Days without an applied resource after which a station is the blind spot `stale`.")
    ] = 90.0
    blind_wifi_minutes: Annotated[
        Minutes,
        Meta(description="Minutes without a working access point after which a station is the blind spot `no_wifi`."),
    ] = 60.0
    blind_area_minutes: Annotated[
        Minutes,
        Meta(
            description="Minutes without a working station within opening hours after which an area is the "
            "blind spot `area_dark`."
        ),
    ] = 15.0
    blind_area_least: Annotated[
        Count, Meta(description="Minimum number of stations of an area before `area_dark` notifies people.")
    ] = 2
