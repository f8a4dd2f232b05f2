"""How long a station or an area must be without service before it is a blind spot, with the defaults. Pure."""

from datetime import timedelta

import msgspec


class SilenceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long the silence of each kind lasts: see the table of `alerting.blindspots.by_silence`."""

    never: timedelta = timedelta(days=1)
    dark: timedelta = timedelta(days=7)
    shut_days: int = 3


class RecordSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long each state lasts before it is a blind spot: see the table of `alerting.blindspots.by_records`."""

    idle: timedelta = timedelta(days=14)
    stale: timedelta = timedelta(days=90)
    no_wifi: timedelta = timedelta(hours=1)
    absence: timedelta = timedelta(days=3)


class BlindSpotSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`area_dark`: how long an area must have no working station. `least`: the fewest stations of an area for which
    people are notified."""

    area_dark: timedelta = timedelta(minutes=15)
    least: int = 2
    silence: SilenceSettings = SilenceSettings()
    records: RecordSettings = RecordSettings()
