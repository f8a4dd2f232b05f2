"""Compares the figures in an export with the ledger, and with figures that are computed from the ledger. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import msgspec

from audit.days.figures import Figures
from audit.days.sealed.exported import AreaFigures, ExportedFigures, FigureTally, StationRecords
from audit.days.sealed.leaf_sources import LeafSources, first_day
from audit.days.sealed.recompute import Recomputation, UnreadableEntriesError
from audit.days.sealed.trees import DayLine, Path, QuietGroup, area_trees
from audit.ledger.verify import MOST_FINDINGS, LedgerFault, Wrong
from contract.said import Said


class FigureCheck:
    """Takes the figures of an export, in the order of days."""

    def __init__(self, exported: ExportedFigures, sources: LeafSources, records: Mapping[str, StationRecords]) -> None:
        self._exported = exported
        self._sources = sources
        self._recomputation = Recomputation(exported, sources, records) if exported.whole else None
        self._waiting = set(exported.waiting)
        self._seen: set[tuple[date, Path]] = set()
        self._months: dict[tuple[str, Path], Figures] = {}
        self._compared = self._computed = self._waited = self._unsure = 0
        self._findings: list[LedgerFault] = []

    def take(self, found: AreaFigures) -> None:
        """Check the figures of an area on a day."""
        self._seen.add((found.day, found.path))
        self._compare(found)
        for newest in _newest(found):
            self._compared += 1
            self._recompute(newest, found.day)
        self._add_to_month(found)

    def conclude(self) -> tuple[FigureTally, list[LedgerFault]]:
        """The numbers of comparisons, and the faults."""
        self._find_missing()
        self._compare_months()
        findings = self._findings[:MOST_FINDINGS]
        if rest := len(self._findings) - len(findings):
            findings.append(_fault(Wrong.CHANGED, f"changed: {rest} more figures", f"被改动：另有 {rest} 项数值"))
        tally = FigureTally(
            first=self._exported.first,
            last=self._exported.last,
            compared=self._compared,
            computed=self._computed,
            waiting=self._waited,
            unsure=self._unsure,
        )
        return tally, findings

    def _compare(self, found: AreaFigures) -> None:
        """Compare the tree over the stations of an area with the tree of the newest entry."""
        trees = [tree for tree in area_trees(found.day, found.groups, found.lines) if tree.path == found.path]
        place = "/".join(found.path)
        sealed = self._sources.days.get((found.day, found.path))
        if trees and sealed is not None and trees[0].body == sealed.body:
            return
        if trees and trees[0].subject in self._waiting:
            self._waited += 1
        elif sealed is None:
            self._find(
                Wrong.INSERTED,
                f"inserted: {found.day} area {place}: the ledger has no entry of these figures",
                f"插入：{found.day} 区划 {place}：账本中没有这些数值的记录",
            )
        else:
            self._find(
                Wrong.CHANGED,
                f"changed: {found.day} area {place}: figures or revisions of its stations are not those of leaf "
                f"{sealed.leaf}",
                f"被改动：{found.day} 区划 {place}：站点的数值或修订与第 {sealed.leaf} 条不符",
            )

    def _recompute(self, line: DayLine, day: date) -> None:
        if self._recomputation is None or not self._exported.has(day, line.path):
            return
        try:
            fresh = self._recomputation.day(line.station, day)
        except UnreadableEntriesError:
            self._find(
                Wrong.UNREADABLE,
                f"unreadable: {day} station {line.station}: its figures cannot be computed again, because an entry "
                "cannot be read",
                f"无法读取：{day} 站点 {line.station}：有记录无法读取，数值无法重算",
            )
            return
        if fresh is None:
            return
        told = [
            f"{name} {was} -> {now}"
            for name in Figures.__struct_fields__
            if (was := getattr(line.figures, name)) != (now := getattr(fresh.figures, name))
        ]
        if line.path != fresh.path:
            told.append(f"area {'/'.join(line.path)} -> {'/'.join(fresh.path)}")
        if told and self._recomputation.may_differ(line.station, day):
            self._unsure += 1
            return
        self._computed += 1
        if told:
            what = ", ".join(told)
            self._find(
                Wrong.CHANGED,
                f"changed: {day} station {line.station}: kept -> computed from the entries: {what}",
                f"被改动：{day} 站点 {line.station}：留存值 -> 按记录重算：{what}",
            )

    def _find_missing(self) -> None:
        for (day, path), sealed in self._sources.days.items():
            if (day, path) not in self._seen:
                place = "/".join(path)
                self._find(
                    Wrong.MISSING,
                    f"missing: {day} area {place}: the figures of leaf {sealed.leaf} do not exist",
                    f"缺失：{day} 区划 {place}：第 {sealed.leaf} 条所记的数值不存在",
                )

    def _add_to_month(self, found: AreaFigures) -> None:
        key = f"{found.day:%Y-%m}", found.path
        own = [group.figures.times(count) for group, count in _counts(found)]
        lines = [line for line in found.lines if not line.addendum]
        own += [line.figures for line in _last(lines) if line.path == found.path]
        self._months[key] = sum(own, self._months.get(key, Figures()))

    def _compare_months(self) -> None:
        """Compare frozen months with the sums of their days, without addenda, if the export has all days."""
        # The first kept day follows from the entries and the files: the manifest is not signed.
        begun = min((self._sources.earliest, *(day for day, _ in self._seen)))
        for (month, path), sealed in self._sources.months.items():
            if not self._exported.has_month(first_day(month), path, begun):
                continue
            fresh = msgspec.structs.asdict(self._months.get((month, path), Figures()))
            if fresh == sealed.body.get("figures"):
                continue
            if f"area_month/{path[-1]}/{month}" in self._waiting:
                self._waited += 1
            else:
                place = "/".join(path)
                self._find(
                    Wrong.CHANGED,
                    f"changed: {month} area {place}: the frozen figures of leaf {sealed.leaf} are not the sum of its "
                    "days",
                    f"被改动：{month} 区划 {place}：第 {sealed.leaf} 条的冻结数值不等于各日之和",
                )

    def _find(self, wrong: Wrong, en: str, zh: str) -> None:
        self._findings.append(_fault(wrong, en, zh))


def _fault(wrong: Wrong, en: str, zh: str) -> LedgerFault:
    return LedgerFault(wrong=wrong, said=Said(en, zh))


def _newest(found: AreaFigures) -> Iterator[DayLine]:
    """The newest revision of each station that counts for the area."""
    own = {line.station for line in found.lines}
    for group in found.groups:
        for station in group.stations:
            if station not in own:
                yield DayLine(station=station, revision=1, path=group.path, figures=group.figures)
    yield from (line for line in _last(found.lines) if line.path == found.path)


def _last(lines: Iterable[DayLine]) -> list[DayLine]:
    newest: dict[str, DayLine] = {}
    for line in lines:
        if line.station not in newest or newest[line.station].revision < line.revision:
            newest[line.station] = line
    return list(newest.values())


def _counts(found: AreaFigures) -> Iterator[tuple[QuietGroup, int]]:
    own = {line.station for line in found.lines}
    for group in found.groups:
        if group.path == found.path:
            yield group, sum(station not in own for station in group.stations)
