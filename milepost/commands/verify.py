"""`milepost verify`: an export of the ledger or a station's sheet against what was signed, without server and
database."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from audit.days.sealed.exported import FigureTally
from audit.ledger import key_files
from audit.ledger.checkpoints import SignedCheckpoint
from audit.ledger.export_files import verify_export
from audit.ledger.notes import NoteError, VerifierKey, parse_verifier
from audit.ledger.verify import LogVerdict, Trust
from audit.sheets.sheet_files import verify_sheet
from contract.errors import RemedyError
from contract.said import Said, said_by
from milepost.commands.sheet_lines import lines_of_sheet
from milepost.language import show
from milepost.settings import Settings

WRONG: Final = 1
INCOMPLETE: Final = 3
"""Nothing is wrong, and not all figures of the export or days of the sheet are proven."""


def run(settings: Settings, arguments: argparse.Namespace) -> int:
    """Verify `arguments.export` and print what was found. Returns 1 if something is wrong, 3 if nothing is and not all
    figures of an export, or days of a sheet, could be verified. Raises RemedyError."""
    trust = Trust(
        key=None if arguments.key is None else _key("--key", arguments.key),
        witnesses=tuple(_key("--witness", text) for text in arguments.witness),
        older=tuple(_older(path) for path in arguments.older),
    )
    path: Path = arguments.export
    return _sheet(path, trust) if path.is_file() else _export(path, trust)


def _export(folder: Path, trust: Trust) -> int:
    verdict = verify_export(folder, trust)
    for line in lines_of(verdict, trust):
        show(line)
    if verdict.findings:
        return WRONG
    return 0 if verdict.is_whole else INCOMPLETE


def _sheet(path: Path, trust: Trust) -> int:
    verdict = verify_sheet(path, trust)
    for line in lines_of_sheet(verdict, trust):
        show(line)
    if verdict.is_complete:
        return 0
    return WRONG if verdict.faults else INCOMPLETE


def lines_of(verdict: LogVerdict, trust: Trust) -> list[Said]:
    """What a person reads."""
    checkpoint = verdict.checkpoint
    lines = [
        Said(
            f"{checkpoint.origin}: {verdict.leaves} leaves, {verdict.shown} of them shown, "
            f"{verdict.checkpoints} checkpoints",
            f"{checkpoint.origin}：{verdict.leaves} 条，其中显示 {verdict.shown} 条，检查点 {verdict.checkpoints} 个",
        )
    ]
    if verdict.scope is not None:
        areas = ", ".join(verdict.scope)
        lines.append(
            Said(
                f"the export shows what belongs to {areas}; of {verdict.leaves - verdict.shown} other leaves it has "
                "only the hashes, and whether their rows are unchanged only a whole export shows",
                f"此导出只显示 {areas} 的内容；其余 {verdict.leaves - verdict.shown} 条只有哈希，"
                "其内容是否未变须以完整导出核验",
            )
        )
    if trust.key is None:
        lines.append(
            Said(
                f"the key is what the export itself says; ask the office that runs the ledger for it: {verdict.key}",
                f"密钥取自导出本身，请与账本运行单位核对：{verdict.key}",
            )
        )
    for name, at in sorted(set(verdict.cosigned)):
        when = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
        lines.append(Said(f"{name} was a witness at {when}", f"{name} 于 {when} 见证"))
    if not verdict.cosigned:
        lines.append(
            Said(
                "no witness: who has the key and the database could have made another history that looks like this one",
                "没有见证方：同时持有密钥和数据库者可能另造一份看似相同的历史",
            )
        )
    if verdict.figures is not None:
        lines.append(_figures(verdict.figures))
    lines += [finding.said for finding in verdict.findings]
    if not verdict.findings:
        lines.append(Said("nothing is wrong", "没有发现问题") if verdict.is_whole else _not_whole(verdict.figures))
    return lines


def _not_whole(tally: FigureTally | None) -> Said:
    """What was not verified, and what to do; nothing of it is a finding."""
    if tally is None or not tally.compared:
        return Said(
            "no figures were verified: the export has none; export the figures of the ledger with --from and --to",
            "未核验数值：导出中没有数值；请用 --from 和 --to 导出账本的数值",
        )
    left = tally.compared - tally.computed - tally.unsure
    return Said(
        f"not all figures were verified: {tally.unsure} days of stations differ from what the entries give, and the "
        f"export says that newer facts or deleted records explain it; of {left} days of stations the entries say too "
        f"little; {tally.waiting} days or months of areas wait for their seal. Take a whole export later and verify it",
        f"并非所有数值都已核验：{tally.unsure} 个站点日与按记录重算的结果不同，而导出称有更新的事实或记录已删除；"
        f"{left} 个站点日的记录不足；{tally.waiting} 个区划日或月尚待封存。请稍后取完整导出再核验",
    )


def _figures(tally: FigureTally) -> Said:
    """The numbers of figures that were compared and that were computed again."""
    waiting = f"; {tally.waiting} days of areas wait for their seal" if tally.waiting else ""
    waiting_zh = f"；{tally.waiting} 个区划日尚待封存" if tally.waiting else ""
    return Said(
        f"figures from {tally.first} to {tally.last}: {tally.compared} days of stations compared with the ledger, "
        f"{tally.computed} of them computed again from its entries{waiting}",
        f"{tally.first} 至 {tally.last} 的数值：与账本核对 {tally.compared} 个站点日，"
        f"其中 {tally.computed} 个按其记录重算{waiting_zh}",
    )


def _key(option: str, text: str) -> VerifierKey:
    try:
        return parse_verifier(text)
    except NoteError as exc:
        raise RemedyError(f"{option}: {exc}", f"{option}：{said_by(exc).zh}") from exc


def _older(path: Path) -> SignedCheckpoint:
    signed = key_files.read_checkpoint(path)
    if signed is None:
        raise RemedyError(f"{path} is not there: correct the name", f"{path} 不存在：请更正文件名")
    return signed
