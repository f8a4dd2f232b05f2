"""The effect of approved corrections on observed time. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from audit.days.spans import Span, either, spans_of, union, without
from audit.findings.rules import CountsAs


class CorrectedTime(msgspec.Struct, frozen=True):
    """An approved correction of a station: its time, and as what this time counts."""

    begin: datetime
    end: datetime
    counts_as: CountsAs


class CorrectedSpans(msgspec.Struct, frozen=True, kw_only=True):
    """The corrected time of a station, by what it counts as; no moment is in two of them."""

    up: tuple[Span, ...] = ()
    down: tuple[Span, ...] = ()
    unknown: tuple[Span, ...] = ()
    excused: tuple[Span, ...] = ()

    @property
    def any(self) -> list[Span]:
        """All corrected time."""
        return union(self.up, self.down, self.unknown, self.excused)


NOTHING_CORRECTED: Final = CorrectedSpans()


def corrected_spans(corrections: Iterable[CorrectedTime]) -> CorrectedSpans:
    """The effect of corrections in the order of their approval: if several concern the same time, the last correction
    counts. `observed` cancels earlier corrections."""
    found: dict[CountsAs, list[Span]] = {kind: [] for kind in CountsAs}
    for each in corrections:
        own = spans_of([(each.begin, each.end)])
        found = {kind: without(spans, own) for kind, spans in found.items()}
        found[each.counts_as] = union(found[each.counts_as], own)
    return CorrectedSpans(
        up=tuple(found[CountsAs.UP]),
        down=tuple(found[CountsAs.DOWN]),
        unknown=tuple(found[CountsAs.UNKNOWN]),
        excused=tuple(found[CountsAs.EXCUSED]),
    )


def differing(before: CorrectedSpans, after: CorrectedSpans) -> list[Span]:
    """The time whose effect changes because of further corrections."""
    names = CorrectedSpans.__struct_fields__
    return union(*(either(getattr(before, name), getattr(after, name)) for name in names))
