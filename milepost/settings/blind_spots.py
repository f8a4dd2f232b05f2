"""Settings: when a station or an area is a blind spot."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from msgspec import Meta

from alerting.blindspots.settings import BlindSpotSettings
from milepost.settings.values import Count, Days, Minutes

_DEFAULTS: Final = BlindSpotSettings()
_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class BlindSpotSection:
    """When a station or an area is a blind spot."""

    blind_never_days: Annotated[
        Days,
        Meta(description="Days after commissioning from which a station that never reported is the blind spot `dark`."),
    ] = _DEFAULTS.silence.never / _DAY
    blind_dark_days: Annotated[
        Days, Meta(description="Days of silence after which a station is the blind spot `dark`.")
    ] = _DEFAULTS.silence.dark / _DAY
    blind_shut_days: Annotated[
        Annotated[int, Meta(ge=1, le=30)],
        Meta(
            description="Consecutive opening days without going online after which a station is the blind spot `shut`."
        ),
    ] = _DEFAULTS.silence.shut_days
    blind_idle_days: Annotated[
        Days, Meta(description="Days without a session after which a station is the blind spot `idle`.")
    ] = _DEFAULTS.records.idle / _DAY
    blind_absence_days: Annotated[
        Days,
        Meta(description="Days of silence after which, once the station is back, its idle days are counted from zero."),
    ] = _DEFAULTS.records.absence / _DAY
    blind_stale_days: Annotated[
        Days, Meta(description="Days without an applied resource after which a station is the blind spot `stale`.")
    ] = _DEFAULTS.records.stale / _DAY
    blind_wifi_minutes: Annotated[
        Minutes,
        Meta(description="Minutes without a working access point after which a station is the blind spot `no_wifi`."),
    ] = _DEFAULTS.records.no_wifi / _MINUTE
    blind_area_minutes: Annotated[
        Minutes,
        Meta(
            description="Minutes without a working station within opening hours after which an area is the "
            "blind spot `area_dark`."
        ),
    ] = _DEFAULTS.area_dark / _MINUTE
    blind_area_least: Annotated[
        Count, Meta(description="Minimum number of stations of an area before `area_dark` notifies people.")
    ] = _DEFAULTS.least
