"""A table file as lines of text: CSV in UTF-8 or GB18030, or an XLSX workbook. Bytes in, `Sheet` out. Pure."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from contract.errors import RemedyError
from contract.said import Said
from registry.importing.sheets.lines import Line, Sheet, bounded

MAX_BYTES: Final = 64 * 1024 * 1024

XLSX: Final = b"PK\x03\x04"
_OLE: Final = b"\xd0\xcf\x11\xe0"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def read_sheet(content: bytes) -> Sheet:
    """Read a CSV or XLSX file, told apart by its first bytes. Raises RemedyError.

    A malicious workbook can end the process: `sheet_process` reads workbooks in a separate one.
    """
    if len(content) > MAX_BYTES:
        size = len(content)
        raise RemedyError(
            f"the file has {size} bytes, allowed are {MAX_BYTES}: split it",
            f"文件有 {size} 字节，最多 {MAX_BYTES}：请拆分",
        )
    if content.startswith(_OLE):
        raise _old_format(content)
    if content.startswith(XLSX):
        # The reader of workbooks is loaded only when needed.
        from registry.importing.sheets.workbook import read_workbook

        sheet = read_workbook(content)
    else:
        text, notes = decode(content)
        sheet = Sheet(list(bounded(_csv_lines(text))), notes=notes)
    if not sheet.lines:
        raise RemedyError("the file is empty: its first line must name the columns", "文件是空的：第一行应是列名")
    return sheet


def _old_format(content: bytes) -> RemedyError:
    if _ENCRYPTED in content:
        return RemedyError(
            "the workbook is encrypted with a password: save it without one",
            "工作簿设了打开密码：请去掉密码后另存",
        )
    return RemedyError(
        "the file is of the old Excel format (.xls): save it as .xlsx or as CSV UTF-8",
        "文件是旧的 Excel 格式（.xls）：请另存为 .xlsx 或 CSV UTF-8",
    )


def decode(content: bytes) -> tuple[str, tuple[Said, ...]]:
    """The text of UTF-8 (without its BOM) or GB18030, and a note where it is the latter. Raises RemedyError."""
    if content.startswith(_UTF16):
        raise RemedyError("the file is UTF-16: save it as CSV UTF-8", "文件是 UTF-16 编码：请另存为 CSV UTF-8")
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError as exc:
        text = _as_gb18030(content)
        if text is not None:
            return text, (Said("The file was read as GB18030 (GBK).", "文件按 GB18030（GBK）编码读取。"),)
        line = content.count(b"\n", 0, exc.start) + 1
        raise RemedyError(
            f"line {line} is neither UTF-8 nor GB18030 (GBK): save the file as CSV UTF-8",
            f"第 {line} 行既不是 UTF-8 也不是 GB18030（GBK）编码：请另存为 CSV UTF-8",
        ) from exc


def _as_gb18030(content: bytes) -> str | None:
    """The text, if most of its characters are common Chinese ones: nearly any bytes can be decoded as GB18030."""
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        return None
    foreign = [sign for sign in text if sign > "\x7f"]
    common = sum(1 for sign in foreign if _is_common(sign))
    return text if common >= 0.9 * len(foreign) else None


def _is_common(sign: str) -> bool:
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _csv_lines(text: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    first = 1
    try:
        for cells in reader:
            yield Line(first, tuple(cell.strip() for cell in cells))
            first = reader.line_num + 1
    except csv.Error as exc:
        raise RemedyError(
            f"line {first} is not CSV ({exc}): check the quotation marks there",
            f"第 {first} 行不是 CSV（{exc}）：请检查该处的引号",
        ) from exc
