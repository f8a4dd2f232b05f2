"""Formats of a report: the same values in each, no formulas, the same bytes for the same report."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.ledger.checkpoints import Checkpoint, cosign, sign_checkpoint, with_signatures
from audit.ledger.notes import KeyType, SignerKey
from audit.reports.cell_text import cell_text, time_text
from audit.reports.csv_format import csv_bytes, csv_cell
from audit.reports.document import ByteCount, CellValue, ColumnKind, Report, ReportColumn, ReportTable
from audit.reports.formats import FORMATS
from audit.reports.pdf_format import families, pdf_bytes, template_data
from audit.reports.pdf_process import BOUNDS, pdf_apart
from audit.reports.uptime_report import PeriodFacts, verify_text
from audit.reports.xlsx_format import xlsx_bytes
from audit.sheets.pdf_attachment import attached_text, is_whole
from contract.said import SaidError
from tests.unit.audit.sheets.sheet_world import sheet

COLUMNS = (
    ReportColumn(key="name", title="Name"),
    ReportColumn(key="day", title="Day", kind=ColumnKind.DAY),
    ReportColumn(key="rate", title="Rate", kind=ColumnKind.RATE),
    ReportColumn(key="ms", title="Time", kind=ColumnKind.TIME),
)
ABOUT = PeriodFacts(
    place=None, period="2026-11", is_year=False, last=date(2026, 11, 30), kept=None, frozen=None, checkpoint=None
)
KEYS = (("log", KeyType.NOTE), ("office", KeyType.COSIGNATURE))
ROWS = (("a", date(2026, 11, 3), Fraction(2, 3), 5_400_000), ("=1+1", None, None, 0))


def report(rows: Any = ROWS, checkpoint: str | None = "log\n1\nroot\n") -> Report:
    table = ReportTable(name="List", title="List", columns=COLUMNS, rows=rows)
    return Report(
        title="A *report* #1",
        subtitle="2026-11",
        language="en",
        dated=date(2026, 11, 30),
        facts=(("Area", "[63] $x$"),),
        notes=("a note",),
        tables=(table,),
        listed=0,
        text=verify_text(ABOUT, "en"),
        checkpoint=checkpoint,
    )


def test_a_reader_is_sent_to_a_cosigner_only_if_there_is_one() -> None:
    log, office = (SignerKey(name=name, seed=bytes([n] * 32), kind=kind) for n, (name, kind) in enumerate(KEYS))
    alone = sign_checkpoint(Checkpoint(origin="log", size=1, root=bytes(32)), [log])
    cosigned = with_signatures(alone, [cosign(alone.note, office, 1_795_000_000)])
    for signed, told, untold in ((alone, "Keep the checkpoint", "cosigns"), (cosigned, "that cosigns", "Keep the")):
        lines = " ".join(verify_text(msgspec.structs.replace(ABOUT, checkpoint=signed.note.render()), "en").verify)
        assert told in lines
        assert untold not in lines


@pytest.mark.parametrize(
    ("value", "kind", "cell", "paper"),
    [
        ("name", ColumnKind.TEXT, "name", "name"),
        (None, ColumnKind.RATE, "", "–"),
        (Fraction(1), ColumnKind.RATE, "100.00", "100.00%"),
        (Fraction(99_999, 100_000), ColumnKind.RATE, "99.99", "99.99%"),
        (Fraction(0), ColumnKind.RATE, "0.00", "0.00%"),
        (date(2026, 1, 2), ColumnKind.DAY, "2026-01-02", "2026-01-02"),
        (5_399_999, ColumnKind.TIME, "5399999", "1:29"),
        (59_999, ColumnKind.TIME, "59999", "<0:01"),
        (0, ColumnKind.TIME, "0", "0:00"),
        (4_003_600_000, ColumnKind.TIME, "4003600000", "1,112:06"),
        (12_345, ColumnKind.COUNT, "12345", "12,345"),
        (8_605, ColumnKind.POINTS, "86.05", "86.05"),
        (-120, ColumnKind.POINTS, "-1.20", "-1.20"),
        ("=1+1", ColumnKind.TEXT, "'=1+1", "=1+1"),
        ("＝1", ColumnKind.TEXT, "'＝1", "＝1"),
        ("-a", ColumnKind.TEXT, "'-a", "-a"),
    ],
)
def test_a_value_in_csv_and_on_paper(value: CellValue, kind: ColumnKind, cell: str, paper: str) -> None:
    assert (csv_cell(value, kind), cell_text(value, kind)) == (cell, paper)


@given(st.text())
def test_no_text_is_a_formula(text: str) -> None:
    (_, row) = csv.reader(io.StringIO(csv_bytes(report([(text, None, None, None)])).decode("utf-8-sig"), newline=""))
    assert row[0].removeprefix("'") == text.removeprefix("'")
    assert not row[0].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_workbook_has_numbers_and_days() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx_bytes(report())))
    (first, second) = book["List"].iter_rows(min_row=2)
    assert [cell.value for cell in first][:2] == ["a", datetime(2026, 11, 3)]
    assert (first[2].value, first[2].number_format) == (0.6666, "0.00%")
    assert (first[3].number_format, second[0].data_type, second[0].value) == ("[h]:mm:ss", "s", "=1+1")
    assert [cell.value for cell in second[1:3]] == [None, None]
    facts = list(book.worksheets[0].iter_rows(values_only=True))
    assert ("Area", "[63] $x$") in facts


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_report_gives_the_same_bytes(form: str) -> None:
    assert FORMATS[form].write(report()) == FORMATS[form].write(report())


def test_texts_are_no_markup_on_paper() -> None:
    """What would be a function, a formula or a wrong bracket for typst is a text."""
    rows = [(text, None, None, 0) for text in ('#read("/etc/passwd")', "$x", "]", "*a", "\\", "`", "<a>", "@b")]
    assert pdf_bytes(report(rows)).startswith(b"%PDF-1.7")
    assert pdf_bytes(report(rows, checkpoint=None)).startswith(b"%PDF-1.7")


def test_only_a_row_that_is_longer_than_a_page_is_parted() -> None:
    def pages(characters: int) -> int:
        return len(re.findall(rb"/Type ?/Page\b", pdf_bytes(report([("a " * (characters // 2), None, None, 0)]))))

    assert pages(600) == 1 < pages(6_000) < pages(20_000)
    for row, parted in ((ROWS[0], False), (("a" * 6_000, None, None, 0), True)):
        (table,) = msgspec.json.decode(template_data(report([row])))["tables"]
        assert table["breakable"] is parted


def test_a_sign_without_a_font_is_named() -> None:
    with pytest.raises(SaidError, match=r"install fonts for Chinese and Tibetan"):
        pdf_bytes(report([("\U000f0000", None, None, 0)]))


@pytest.mark.skipif(
    not families() & {"Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC"}, reason="no Chinese font"
)
def test_chinese_is_on_paper() -> None:
    assert pdf_bytes(report([("吉隆村阅读室", None, None, 0)])).startswith(b"%PDF-1.7")


def font_files(*names: str) -> list[Path]:
    """The files of fonts of this machine."""
    found = {path.name: path for path in Path("/usr/share/fonts").rglob("*.[ot]t[cf]")}
    missing = [name for name in names if name not in found]
    if missing:
        pytest.skip(f"no font {', '.join(missing)}: apt-get install fonts-noto-cjk fonts-ddc-uchen")
    return [found[name] for name in names]


def font_directory(place: Path, files: Sequence[Path]) -> str:
    """A directory with fonts; the order of their names is that of the sequence."""
    place.mkdir()
    for number, file in enumerate(files):
        (place / f"{number}{file.suffix}").symlink_to(file)
    return str(place)


def test_another_machine_with_the_same_fonts_and_more_gives_the_same_bytes(tmp_path: Path) -> None:
    fonts = font_files("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc", "DDC_Uchen.ttf")
    more = [*font_files("NotoSerifCJK-Regular.ttc"), *reversed(fonts)]
    names = report([("吉隆村阅读室 བོད་ཡིག་གི་དཔེ་མཛོད་ཁང་།", None, None, 0)])
    first, second = (font_directory(tmp_path / name, files) for name, files in (("a", fonts), ("b", more)))
    drawn = pdf_bytes(names, first)
    assert drawn == pdf_bytes(names, second) == pdf_apart(names, second)
    assert b"DDC_Uchen" in drawn and b"NotoSansCJK" in drawn


def test_the_fonts_of_a_directory_are_the_only_ones(tmp_path: Path) -> None:
    chinese = font_directory(tmp_path / "chinese", font_files("NotoSansCJK-Regular.ttc"))
    for write in (pdf_bytes, pdf_apart):
        with pytest.raises(SaidError, match=r"lack characters of the report .*MILEPOST_FONTS"):
            write(report([("བོད", None, None, 0)]), chinese)
    (Path(chinese) / "1.ttf").symlink_to(font_files("DDC_Uchen.ttf")[0])
    assert pdf_bytes(report([("བོད", None, None, 0)]), chinese).startswith(b"%PDF-1.7"), "the font is found at once"


@pytest.mark.parametrize("name", ["", "missing"])
def test_a_directory_without_fonts_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(SaidError, match=rf"MILEPOST_FONTS: {tmp_path / name} has no fonts") as caught:
        pdf_bytes(report(), str(tmp_path / name))
    assert "没有字体" in caught.value.said.zh


def test_a_separate_process_draws_the_same() -> None:
    assert pdf_apart(report()) == pdf_bytes(report())
    with pytest.raises(SaidError, match=r"install fonts for Chinese and Tibetan"):
        pdf_apart(report([("\U000f0000", None, None, 0)]))
    with pytest.raises(SaidError, match=r"too large for a PDF"):
        pdf_apart(report(), bounds=msgspec.structs.replace(BOUNDS, output=1_000))


@given(st.integers(0, 10**12))
def test_a_time_is_never_more_than_it_was(ms: int) -> None:
    text = time_text(ms)
    if text != "<0:01":
        hours, minutes = text.replace(",", "").split(":")
        assert 0 <= ms - (int(hours) * 60 + int(minutes)) * 60_000 < 60_000


def test_the_proof_is_attached_to_a_pdf_and_any_other_byte_is_named() -> None:
    proof = sheet()
    pdf = pdf_bytes(msgspec.structs.replace(report(), proof=proof.render(), qr=proof.qr))
    assert attached_text(pdf) == proof.render() and is_whole(pdf)
    places = {0, *range(9, len(pdf) - 1, 499), *(match.start() for match in re.finditer(b"[0-9a-f]{64}", pdf))}
    for place in places:
        changed = pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]
        assert not is_whole(changed), place
    for other in (pdf_bytes(report()), pdf.replace(b"/EmbeddedFile", b"/EmbeddedFilm"), pdf[: len(pdf) // 3], b""):
        with pytest.raises(SaidError, match=r"this PDF has no proof that can be read"):
            attached_text(other)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "0.00\u00a0MB"), (999_999, "0.99\u00a0MB"), (10**9, "1.00\u00a0GB"), (30 * 10**12, "30.00\u00a0TB")],
)
def test_bytes_are_shown_in_units_and_written_as_numbers(amount: int, shown: str) -> None:
    assert cell_text(ByteCount(amount), ColumnKind.COUNT) == shown
    assert csv_cell(ByteCount(amount), ColumnKind.COUNT) == str(amount)
