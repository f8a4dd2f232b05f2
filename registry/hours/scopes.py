"""Which dated overrides of opening hours apply to a station, and in which order they replace each other. Pure."""

from collections.abc import Iterable
from datetime import date

import msgspec

from registry.hours.calendar import Override


class StationScope(msgspec.Struct, frozen=True, kw_only=True):
    """What an override may name a station by: its id, its kind, the codes of its area and of all areas above."""

    station: str
    kind: str | None = None
    path: tuple[str, ...] = ()


class ScopedOverride(msgspec.Struct, frozen=True, kw_only=True):
    """Hours on local days for one station, for a kind, for an area with all below it, or (all None) everywhere."""

    station: str | None = None
    kind: str | None = None
    area: str | None = None
    first: date
    last: date
    rules: str

    def applies_to(self, scope: StationScope) -> bool:
        """Whether the override holds for a station."""
        if self.station is not None:
            return self.station == scope.station
        if self.kind is not None:
            return self.kind == scope.kind
        return self.area is None or self.area in scope.path


def overrides_of(scope: StationScope, overrides: Iterable[ScopedOverride]) -> list[Override]:
    """The overrides that apply to a station, ranked in their order; the caller gives the most specific one last."""
    mine = [override for override in overrides if override.applies_to(scope)]
    return [Override(override.first, override.last, override.rules, rank) for rank, override in enumerate(mine)]
