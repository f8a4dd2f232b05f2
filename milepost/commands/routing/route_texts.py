"""What `milepost route` prints: tables of routes, steps and gaps."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TextIO

import msgspec

from contract.glossary import word
from contract.home import HOME
from contract.kinds import IncidentKind
from contract.said import Said
from milepost.commands.account_database import table, word_of
from milepost.language import of_here
from registry.contacts.model import Contact
from registry.duty.model import Duty
from registry.model import Area
from registry.routes.checks import SEVERITIES
from registry.routes.gaps import NOWHERE, GapQuestion, Incident, UntoldGap
from registry.routes.model import Route
from registry.routes.routing import Explained, Recipient, RouteSubject, StepOutcome

_EVERYWHERE: Final = Said("everywhere", "全部")
_NOBODY: Final = Said("nobody", "无人")
MOST_LINES: Final = 500
"""Maximum number of lines in the table of gaps: each area with duties of its own may have a gap of its own."""
_MOST_AREAS: Final = 3
_MOST_SPANS: Final = 3

QuietUntil = Callable[[str, datetime], datetime | None]
Row = tuple[Said | str, ...]


class NamedThings(msgspec.Struct, frozen=True, kw_only=True):
    """What the tables name: contacts, duties, areas and routes by their ids."""

    contacts: Mapping[str, Contact]
    duties: Mapping[int | None, Duty]
    areas: Mapping[str, Area]
    routes: Mapping[str, Route]


def explained_text(found: Explained, subject: RouteSubject, known: NamedThings, quiet_until: QuietUntil) -> str:
    """The incident, the routes with their verdicts, and the steps with everybody who is told."""
    parts = [_subject_line(found, subject, known).text(of_here()), _routes(found, known)]
    if found.choice.route is None:
        parts.append(
            Said("Nobody would be told: no route covers it.", "无人会收到通知：没有适用的路由。").text(of_here())
        )
    else:
        parts.append(_steps(found, subject, known, quiet_until))
    return "\n\n".join(parts)


def _subject_line(found: Explained, subject: RouteSubject, known: NamedThings) -> Said:
    kind, severity = word_of("kind", subject.kind), word_of("severity", subject.severity)
    place = " / ".join(known.areas[code].name if code in known.areas else code for code in subject.path)
    at = _time(found.at)
    where = subject.station or (subject.path[-1] if subject.path else "-")
    return Said(
        f"{kind.en} ({severity.en}) of {where}, {place or 'area unknown'}, at {at}",
        f"{at} {where}（{place or '区划未知'}）{kind.zh}（{severity.zh}）",
    )


def _routes(found: Explained, known: NamedThings) -> str:
    head: Row = (Said("ROUTE", "路由"), Said("AREA", "区划"), Said("VERDICT", "结论"))
    rows: list[Row] = [
        (verdict.route, _area(known.routes[verdict.route].area, known), word_of("route_verdict", verdict.why))
        for verdict in sorted(found.choice.verdicts, key=lambda verdict: verdict.why != "chosen")
    ]
    return table([head, *rows])


def _steps(found: Explained, subject: RouteSubject, known: NamedThings, quiet_until: QuietUntil) -> str:
    head: Row = (
        Said("DUE", "时间"), Said("STEP", "步骤"), Said("WHO", "通知"), Said("CHANNELS", "渠道"), Said("WHY", "原因"),
    )  # fmt: skip
    return table([head, *(row for step in found.steps for row in _step_rows(step, subject, known, quiet_until))])


def _step_rows(step: StepOutcome, subject: RouteSubject, known: NamedThings, quiet_until: QuietUntil) -> list[Row]:
    due: Said | str = "-" if step.at is None else _time(step.at)
    rule = f"{step.step + 1} {step.rule}"
    rows: list[Row] = [
        (due, rule, _name(each.contact, known), _channels(each, known), _why(each, step, subject, known, quiet_until))
        for each in step.recipients
    ]
    if not rows:
        rows.append((due, rule, _NOBODY, "", word_of("nobody_told", step.why or "")))
    passed = [("", "", _name(name, known), "", _not(word_of("passed_over", why))) for name, why in step.passed_over]
    return [*rows, *passed]


def _not(why: Said) -> Said:
    return Said(f"not told: {why.en}", f"不通知：{why.zh}")


def _channels(recipient: Recipient, known: NamedThings) -> Said:
    kinds = [word_of("channel", channel.kind) for channel in known.contacts[recipient.contact].channels]
    return Said(", ".join(kind.en for kind in kinds), "、".join(kind.zh for kind in kinds))


def _why(
    recipient: Recipient, step: StepOutcome, subject: RouteSubject, known: NamedThings, quiet_until: QuietUntil
) -> Said:
    area = _area(recipient.area, known)
    area_en, area_zh = (area.en, area.zh) if isinstance(area, Said) else (area, area)
    duty = known.duties.get(recipient.duty) if recipient.duty is not None else None
    en = [f"{area_en}: {'its own role' if duty is None else duty.times}"]
    zh = [f"{area_zh}：{'本人角色' if duty is None else duty.times}"]
    if recipient.instead_of is not None:
        absent = _name(recipient.instead_of, known)
        en.append(f"instead of {absent}")
        zh.append(f"代 {absent}")
    end = None if step.at is None or subject.severity == "critical" else quiet_until(recipient.contact, step.at)
    if end is not None:
        en.append(f"quiet hours, sent at {_time(end)}")
        zh.append(f"免打扰，{_time(end)} 发送")
    return Said("; ".join(en), "；".join(zh))


def write_gaps_text(
    out: TextIO, gaps: Sequence[UntoldGap], known: NamedThings, question: GapQuestion, asked: int
) -> None:
    """A line for the areas with the same gap, at most `MOST_LINES`, and the number of searched areas."""
    out.write(f"{_gaps_text(gaps, known, question, asked)}\n")


def _gaps_text(gaps: Sequence[UntoldGap], known: NamedThings, question: GapQuestion, asked: int) -> str:
    begin, end = _time(question.begin), _time(question.end)
    if not gaps:
        said = Said(
            f"Somebody would be told everywhere from {begin} to {end}.", f"{begin} 至 {end}，各处均有人会收到通知。"
        )
        return said.text(of_here())
    head: Row = (
        Said("AREAS", "区划"), Said("INCIDENTS", "事件"), Said("ROUTE", "路由"), Said("WHY", "原因"),
        Said("HOURS", "小时"), Said("WHEN", "时段"),
    )  # fmt: skip
    places = {area for gap in gaps for area in gap.areas}
    total = Said(
        f"{len(places)} of {asked} areas have gaps from {begin} to {end}. `--csv` lists each area and interval.",
        f"{begin} 至 {end}，{asked} 个区划中有 {len(places)} 个存在通知空白。`--csv` 列出每个区划和时段。",
    )
    lines = [table([head, *(_gap_row(gap, known, question) for gap in gaps[:MOST_LINES])])]
    if len(gaps) > MOST_LINES:
        lines.append(Said(f"and {len(gaps) - MOST_LINES} more", f"另有 {len(gaps) - MOST_LINES} 行").text(of_here()))
    return "\n".join([*lines, "", total.text(of_here())])


def write_gaps_csv(out: TextIO, gaps: Iterable[UntoldGap], known: NamedThings) -> None:
    """A line for each area and interval, written one by one."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("area", "name", "from", "until", "route", "why", "incidents", "programme", "station_kind"))
    for gap in gaps:
        incidents = ";".join(f"{kind}/{severity}" for kind, severity in gap.incidents)
        rest = (gap.route or "", gap.why, incidents, gap.programme or "", gap.station_kind or "")
        for area in gap.areas:
            name = known.areas[area].name if area in known.areas else ""
            for since, until in gap.spans:
                writer.writerow((area, name, _iso(since), _iso(until), *rest))


def _gap_row(gap: UntoldGap, known: NamedThings, question: GapQuestion) -> Row:
    hours = sum((until - since for since, until in gap.spans), timedelta()) / timedelta(hours=1)
    narrow = " ".join(filter(None, (gap.programme, gap.station_kind)))
    route = gap.route or "-"
    return (
        _areas(gap.areas, known),
        _incidents(gap.incidents, question),
        f"{route} ({narrow})" if narrow else route,
        word_of("nobody_told", gap.why),
        f"{hours:g}" if hours >= 0.1 else "<0.1",
        _spans(gap, question),
    )


def _areas(codes: Sequence[str], known: NamedThings) -> Said:
    shown = [_area(code, known) if code != NOWHERE else Said("(no area)", "（无区划）") for code in codes[:_MOST_AREAS]]
    more = len(codes) - len(shown)
    en = ", ".join(str(name) for name in shown)
    zh = "、".join(name.zh if isinstance(name, Said) else name for name in shown)
    return Said(f"{en} and {more} more", f"{zh} 等 {len(codes)} 个") if more else Said(en, zh)


def _incidents(incidents: Sequence[Incident], question: GapQuestion) -> Said:
    kinds = sorted({kind for kind, _ in incidents})
    severities = [severity for severity in SEVERITIES if any(severity == each for _, each in incidents)]
    if len(kinds) * len(severities) != len(incidents):
        return Said(f"{len(incidents)} sorts of incidents", f"{len(incidents)} 种事件")
    all_kinds = len(kinds) == len(question.kinds or tuple(IncidentKind))
    all_severities = len(severities) == len(question.severities or SEVERITIES)
    en, zh = [], []
    if not all_kinds:
        en.append(", ".join(word("kind", kind, "en") for kind in kinds))
        zh.append("、".join(word("kind", kind, "zh-CN") for kind in kinds))
    if not all_severities:
        en.append(", ".join(severities))
        zh.append("、".join(word("severity", severity, "zh-CN") for severity in severities))
    return Said(": ".join(en) or "all", "：".join(zh) or "全部")


def _spans(gap: UntoldGap, question: GapQuestion) -> Said:
    if gap.spans == ((question.begin, question.end),):
        return Said("always", "始终")
    shown = [f"{_time(since)} – {_short(since, until)}" for since, until in gap.spans[:_MOST_SPANS]]
    more = len(gap.spans) - len(shown)
    en, zh = ", ".join(shown), "、".join(shown)
    return Said(f"{en} and {more} more", f"{zh} 等 {len(gap.spans)} 段") if more else Said(en, zh)


def _area(code: str | None, known: NamedThings) -> Said | str:
    if code is None:
        return _EVERYWHERE
    found = known.areas.get(code)
    return code if found is None else f"{code} {found.name}"


def _name(contact: str, known: NamedThings) -> str:
    found = known.contacts.get(contact)
    return contact if found is None or found.name == contact else f"{found.name} ({contact})"


def _time(at: datetime) -> str:
    return at.astimezone(HOME).strftime("%Y-%m-%d %H:%M")


def _short(since: datetime, until: datetime) -> str:
    """The end of an interval, without the day if it is the same."""
    same = since.astimezone(HOME).date() == until.astimezone(HOME).date()
    return until.astimezone(HOME).strftime("%H:%M" if same else "%m-%d %H:%M")


def _iso(at: datetime) -> str:
    return at.astimezone(HOME).isoformat(timespec="minutes")
