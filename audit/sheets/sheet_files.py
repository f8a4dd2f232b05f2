"""Reads a station's sheet from its file, a PDF or the text of its proof, and verifies the proof. It needs no server and
no database."""

from pathlib import Path
from typing import Final

import msgspec

from audit.ledger.verify import Trust
from audit.sheets.pdf_attachment import attached_text, is_whole
from audit.sheets.sheet_check import SheetVerdict, check_sheet
from audit.sheets.sheet_faults import SheetFault, SheetWrong, sheet_fault
from audit.sheets.station_proof import parse_station_proof
from contract.errors import RemedyError
from contract.said import SaidError, said_by

_MOST_FILE: Final = 64 * 1024**2


def verify_sheet(path: Path, trust: Trust) -> SheetVerdict:
    """Verify a file against what the reader knows from elsewhere. Raises RemedyError for a file without a proof."""
    raw = _read(path)
    is_pdf = raw.startswith(b"%PDF-")
    try:
        text = attached_text(raw) if is_pdf else raw.decode()
        verdict = check_sheet(parse_station_proof(text), trust)
    except UnicodeDecodeError as exc:
        raise _unreadable(path, "it is no text in UTF-8", "不是 UTF-8 文本") from exc
    except SaidError as exc:
        raise _unreadable(path, str(exc), said_by(exc).zh) from exc
    if is_pdf and not is_whole(raw):
        return msgspec.structs.replace(verdict, faults=(_edited(), *verdict.faults))
    return verdict


def _edited() -> SheetFault:
    return sheet_fault(
        SheetWrong.CHANGED,
        "the file is not the PDF that Milepost wrote: its checksum is another one",
        "此文件不是 Milepost 生成的原 PDF：校验和不符",
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_FILE + 1)
    except OSError as exc:
        raise _unreadable(path, exc.strerror or "", exc.strerror or "") from exc
    if len(raw) > _MOST_FILE:
        raise _unreadable(path, "it is larger than 64 MB", "文件超过 64 MB")
    return raw


def _unreadable(path: Path, why: str, why_zh: str) -> RemedyError:
    return RemedyError(
        f"{path}: {why}: name a sheet of a station (PDF or .proof.txt) or the folder of an export",
        f"{path}：{why_zh}：请指定服务点报告（PDF 或 .proof.txt）或导出目录",
    )
