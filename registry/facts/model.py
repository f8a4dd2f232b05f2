"""The facts of the registry, and what they say of a station at a moment, as values. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class FactKind(StrEnum):
    """What a fact is about; the values are stored. docs/registry-facts.md has the subject and the fields of each."""

    STATION = "station"
    TERMINAL = "terminal"
    PROGRAMME = "programme"
    SCHEDULE = "schedule"
    OVERRIDE = "override"
    CLOSURE = "closure"
    KIND_SCHEDULE = "kind_schedule"
    KIND_OVERRIDE = "kind_override"
    AREA = "area"
    AREA_OVERRIDE = "area_override"
    AREA_CLOSURE = "area_closure"
    PROGRAMME_CLOSURE = "programme_closure"
    COUNTRY_OVERRIDE = "country_override"
    DAY_CLASS = "day_class"
    SUCCESSION = "succession"


class RegistryFact(msgspec.Struct, frozen=True, kw_only=True):
    """What changed about a subject, effective since a time.

    Facts replace each other in the order of their ids. `whole`: `fields` is all that holds of the subject (None: it is
    no longer registered), otherwise only what changed; a field that is None holds no longer.
    """

    id: int
    kind: FactKind
    subject: str
    effective_at: datetime
    whole: bool = False
    fields: Mapping[str, Any] | None


class StationThen(msgspec.Struct, frozen=True, kw_only=True):
    """What the registry said of a station at a moment. `path`: its area and all areas above it, the root first;
    `counts`: for each registered terminal whether it counts."""

    station: str
    area: str | None = None
    path: tuple[str, ...] = ()
    kind: str | None = None
    lifecycle: str = "commissioned"
    quorum: int = 1
    commissioned_at: datetime | None = None
    counts: Mapping[str, bool] = {}
    programmes: tuple[str, ...] = ()

    @property
    def not_counting(self) -> frozenset[str]:
        """The terminals that do not make the station online. A terminal that is not registered counts."""
        return frozenset(terminal for terminal, counts in self.counts.items() if not counts)
