"""What `milepost verify` prints of a station's sheet."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby

from audit.days.figures import Figures, percent, total
from audit.ledger.verify import Trust
from audit.reports.cell_text import NOTHING, time_text
from audit.sheets.day_check import SheetDay
from audit.sheets.sheet_check import SheetVerdict
from audit.sheets.station_proof import NotProven
from contract.glossary import word
from contract.said import Said

_WHY = {
    NotProven.NO_FIGURES: Said("the sheet has no figures of the station", "报告中没有该服务点的数据"),
    NotProven.NO_ENTRY: Said("the ledger had no entry", "当时账本中没有记录"),
    NotProven.UNSEALED: Said("the newest entry was not signed yet", "最新记录当时尚未签署"),
    NotProven.NOT_EQUAL: Said(
        "the figures of the area were not readable completely, or not those of the entry",
        "区划的数据未能完整读取，或与记录不符",
    ),
    NotProven.MANY_REVISIONS: Said("the day has too many revisions", "该日版次过多"),
}
_RATES = ("online_rate", "service_rate", "coverage")
_TIMES = ("scheduled_ms", "excused_ms", "unknown_ms", "due_ms", "online_ms", "service_due_ms", "usable_ms")


def lines_of_sheet(verdict: SheetVerdict, trust: Trust) -> list[Said]:
    """What a person reads."""
    proof, checkpoint = verdict.proof, verdict.proof.signed.checkpoint
    lines = [
        Said(
            f"station {proof.station}, {proof.period}: days from {proof.first} to {proof.last}",
            f"服务点 {proof.station}，{proof.period}：{proof.first} 至 {proof.last}",
        ),
        Said(
            f"checkpoint of {checkpoint.origin}: {checkpoint.size} leaves; SHA-256 of the proof: {proof.digest}",
            f"{checkpoint.origin} 的检查点：{checkpoint.size} 条；证明文件的 SHA-256：{proof.digest}",
        ),
        *_key_lines(verdict, trust),
        *_witness_lines(verdict),
        *map(_day_line, verdict.days),
    ]
    if verdict.days:
        lines.append(_sum_line(verdict.days))
    lines += [fault.said for fault in verdict.faults]
    lines += _unproven_lines(verdict)
    return [*lines, *_last_lines(verdict)]


def _key_lines(verdict: SheetVerdict, trust: Trust) -> Iterator[Said]:
    if trust.key is None and verdict.key is not None:
        yield Said(
            f"the key is what the sheet itself says; ask the office that runs the ledger for it: {verdict.key}",
            f"密钥取自报告本身，请与账本运行单位核对：{verdict.key}",
        )


def _witness_lines(verdict: SheetVerdict) -> Iterator[Said]:
    for name, at in sorted(verdict.cosigned):
        when = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
        yield Said(f"{name} was a witness at {when}", f"{name} 于 {when} 见证")
    for name in verdict.unknown:
        yield Said(
            f"the checkpoint has a signature of {name}, which is not verified: give its key with --witness",
            f"检查点有 {name} 的签名，尚未核验：请用 --witness 给出其公钥",
        )
    if not verdict.cosigned and not verdict.unknown:
        yield Said(
            "no witness: who has the key and the database could have made another history that looks like this one",
            "没有见证方：同时持有密钥和数据库者可能另造一份看似相同的历史",
        )


def _day_line(day: SheetDay) -> Said:
    return Said(
        f"{day.day} leaf {day.leaf} revision {day.revision}: {_figures(day.figures, 'en')}",
        f"{day.day} 第 {day.leaf} 条 第 {day.revision} 版：{_figures(day.figures, 'zh-CN')}",
    )


def _sum_line(days: tuple[SheetDay, ...]) -> Said:
    newest, stands = total(day.figures for day in days), total(day.stands for day in days)
    later = "" if newest == stands else f"; with addenda: {_figures(newest, 'en')}"
    later_zh = "" if newest == stands else f"；含附记：{_figures(newest, 'zh-CN')}"
    return Said(
        f"sum of {len(days)} days: {_figures(stands, 'en')}{later}",
        f"{len(days)} 日合计：{_figures(stands, 'zh-CN')}{later_zh}",
    )


def _figures(figures: Figures, language: str) -> str:
    rates = [f"{word('figure', name, language)} {percent(getattr(figures, name)) or NOTHING}" for name in _RATES]
    times = [f"{word('figure', name, language)} {time_text(getattr(figures, name))}" for name in _TIMES]
    return ("，" if language == "zh-CN" else ", ").join([*rates, *times])


def _unproven_lines(verdict: SheetVerdict) -> Iterator[Said]:
    for why, days in groupby(sorted(verdict.proof.unproven, key=lambda day: day.why), key=lambda day: day.why):
        named = ", ".join(str(day.day) for day in days)
        yield Said(
            f"not proven, ask for an export: {named} ({_WHY[why].en})",
            f"未证明，请索取导出文件：{named}（{_WHY[why].zh}）",
        )


def _last_lines(verdict: SheetVerdict) -> Iterator[Said]:
    if verdict.is_complete:
        yield Said(
            "nothing is wrong; that no newer revision is in the log, only an export shows",
            "没有发现问题；账本中是否另有更新的版次，须以导出文件核验",
        )
    elif not verdict.faults:
        yield Said(
            f"nothing is wrong in {len(verdict.days)} of {len(verdict.proof.days)} days",
            f"{len(verdict.proof.days)} 日中的 {len(verdict.days)} 日没有发现问题",
        )
