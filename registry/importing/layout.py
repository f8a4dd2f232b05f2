"""The place of a cell, as a person finds it in the file. Pure."""

from collections.abc import Mapping

import msgspec

from contract.said import Said


class BadCell(msgspec.Struct, frozen=True):
    """A problem or a doubt on a line of the file, in a column (None: the row as a whole)."""

    line: int
    column: str | None
    problem: Said

    def __str__(self) -> str:
        return Layout().shown(self, "en")


class Heading(msgspec.Struct, frozen=True):
    """A column of the file: its place, counted from 0, and the text of its header."""

    index: int
    text: str


class Layout(msgspec.Struct, frozen=True):
    """The columns of a file by their names, and how it was read (`registry.importing.sheets.lines.Sheet`)."""

    headings: Mapping[str, Heading] = {}
    workbook: bool = False
    notes: tuple[Said, ...] = ()

    def shown(self, cell: BadCell, language: str) -> str:
        """One line: the place and the problem."""
        return Said(f"{self._place(cell).en}: {cell.problem.en}", f"{self._place(cell).zh}：{cell.problem.zh}").text(
            language
        )

    def _place(self, cell: BadCell) -> Said:
        heading = self.headings.get(cell.column or "")
        name = heading.text if heading else cell.column
        if self.workbook and heading is not None:
            reference = f"{letters(heading.index)}{cell.line}"
            return Said(f"cell {reference} ({name})", f"单元格 {reference}（{name}）")
        row = (
            Said(f"row {cell.line}", f"第 {cell.line} 行")
            if self.workbook
            else Said(f"line {cell.line}", f"第 {cell.line} 行")
        )
        if name is None:
            return row
        return Said(f"{row.en}, column {name}", f"{row.zh}“{name}”列")


def letters(column: int) -> str:
    """The letters of a column, counted from 0: A, B, …, Z, AA."""
    found = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found
