"""Which dated overrides of opening hours apply to a station, and in which order they replace each other. Pure."""

from collections.abc import Iterable

import msgspec

from registry.hours.calendar import Override
from registry.model import DatedHours


class StationScope(msgspec.Struct, frozen=True, kw_only=True):
    """What an override may name a station by: its id, its kind, the codes of its area and of all areas above."""

    station: str
    kind: str | None = None
    path: tuple[str, ...] = ()


def applies(override: DatedHours, scope: StationScope) -> bool:
    """Whether an override applies to a station; one that names no station, kind or area applies everywhere."""
    if override.station is not None:
        return override.station == scope.station
    if override.kind is not None:
        return override.kind == scope.kind
    return override.area is None or override.area in scope.path


def overrides_of(scope: StationScope, overrides: Iterable[DatedHours]) -> list[Override]:
    """The overrides that apply to a station, ranked in their order; the caller gives the most specific one last."""
    mine = [override for override in overrides if applies(override, scope)]
    return [Override(override.first, override.last, override.rules, rank) for rank, override in enumerate(mine)]
