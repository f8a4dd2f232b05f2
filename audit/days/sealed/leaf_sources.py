"""Reads the leaves of an export: the sources of figures, and the entries about the figures themselves. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

import msgspec

from audit.days.sealed.exported import ExportedFigures
from audit.days.sealed.trees import Path
from audit.findings.effects import CorrectedTime
from audit.findings.rules import CountsAs
from audit.timeline import StateChange
from registry.facts.as_of import RegistryAsOf
from registry.facts.model import RegistryFact

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OF_FIGURES: Final = {"days.closed", "days.revised", "month.frozen"}
_OF_CORRECTIONS: Final = {"correction.proposed", "correction.approved"}
_UNREADABLE: Final = (
    msgspec.MsgspecError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    RecursionError,
)
_SealedPath = Annotated[Path, msgspec.Meta(min_length=1)]


class SealedFigures(msgspec.Struct, frozen=True):
    """An entry about figures: its leaf, and its body."""

    leaf: int
    body: Mapping[str, Any]


def is_of_figures(data: bytes) -> bool:
    """Whether a leaf is an entry about figures; leaves are RFC 8785, so no text in them looks like this."""
    return any(f'"kind":"{kind}"'.encode() in data for kind in _OF_FIGURES)


class LeafSources:
    """Takes leaves in their order. A leaf that cannot be read is ignored here; verification reports such a leaf."""

    def __init__(self, exported: ExportedFigures) -> None:
        self._exported = exported
        self._facts: dict[int, RegistryFact] = {}
        self._proposed: dict[str, Mapping[str, Any]] = {}
        self.earliest = date.max
        """The first day of which the entries have figures; `date.max`: they have none."""
        self.changes: dict[str, list[StateChange]] = defaultdict(list)
        self.corrections: dict[str, list[CorrectedTime]] = defaultdict(list)
        self.days: dict[tuple[date, Path], SealedFigures] = {}
        self.months: dict[tuple[str, Path], SealedFigures] = {}

    def read(self, index: int, data: bytes) -> None:
        """Keep the contents of a leaf that concern figures."""
        try:
            row = msgspec.json.decode(data)
            if row["row"] == "transition":
                self._read_transition(row)
            elif row["row"] == "ledger_entry":
                self._read_entry(index, row)
        except (
            msgspec.MsgspecError,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            OverflowError,
            RecursionError,
        ):
            return

    def registry(self) -> RegistryAsOf:
        """The registry according to the entries, up to the cut of the figures."""
        return RegistryAsOf(self._facts.values(), self._exported.cut)

    def _read_transition(self, row: Mapping[str, Any]) -> None:
        if row["terminal"] is None:
            change = {"seq": row["seq"], "at": moment_of(row["at_ms"]), "state": row["after"], "usable": row["usable"]}
            self.changes[row["station"]].append(msgspec.convert(change, StateChange))

    def _read_entry(self, index: int, row: Mapping[str, Any]) -> None:
        kind, body = row["kind"], row["body"]
        if kind == "registry.facts":
            for fact in _facts(body):
                self._keep_fact(fact)
        elif kind in _OF_CORRECTIONS:
            self._read_correction(kind, row["subject"], body)
        elif kind in _OF_FIGURES:
            path = msgspec.convert(body["path"], _SealedPath)
            if kind == "month.frozen":
                first_day(body["month"])
                self.months[body["month"], path] = SealedFigures(index, body)
                return
            day = date.fromisoformat(body["day"])
            self.earliest = min(self.earliest, day)
            if self._exported.has(day, path):
                self.days[day, path] = SealedFigures(index, body)

    def _keep_fact(self, fact: RegistryFact) -> None:
        """Keep a fact. A large fact has several pieces, each with some of its fields."""
        known = self._facts.get(fact.id)
        if known is not None and known.fields is not None and fact.fields is not None:
            fact = msgspec.structs.replace(fact, fields={**known.fields, **fact.fields})
        self._facts[fact.id] = fact

    def _read_correction(self, kind: str, subject: str, body: Mapping[str, Any]) -> None:
        if kind == "correction.proposed":
            self._proposed[subject] = body
            return
        own = self._proposed[subject]
        corrected = CorrectedTime(moment_of(own["from_ms"]), moment_of(own["until_ms"]), CountsAs(own["counts_as"]))
        self.corrections[own["station"]].append(corrected)


def moment_of(ms: int) -> datetime:
    """A moment from whole milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=ms)


def first_day(month: str) -> date:
    """The first day of a month as entries have it. Raises ValueError."""
    return date.fromisoformat(f"{month}-01")


def _facts(body: Mapping[str, Any]) -> Iterator[RegistryFact]:
    for each in body["facts"]:
        fact = {
            "id": each["id"],
            "kind": each["kind"],
            "subject": each["subject"],
            "effective_at": _EPOCH + timedelta(microseconds=each["effective_us"]),
            "whole": each.get("whole", False),
            "fields": each.get("fields"),
        }
        yield msgspec.convert(fact, RegistryFact)
