"""A page of docs as its reader follows it: what is typed in which terminal window, and the windows."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pexpect
from openpyxl import Workbook

_PROMPT = "typed-all>"
_CTRL_C = "# Ctrl-C"
_FENCE = "```"


class Block(msgspec.Struct, frozen=True):
    """What stands between fences, under the heading `step`: commands (`sh`) for the window `name`, or rows (`csv`) of
    the workbook `name`."""

    step: str
    kind: str
    name: str
    lines: tuple[str, ...]


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page in their order. Raises ValueError for one that does not say where it is typed."""
    step, inside, lines = "", "", list[str]()
    for line in page.splitlines():
        if line.startswith("## "):
            step = line.removeprefix("## ")
        elif line == _FENCE and inside:
            kind, _, name = inside.partition(" ")
            if kind not in ("sh", "csv") or not name:
                raise ValueError(f"a block under {step!r} does not say in which window or workbook: {inside!r}")
            yield Block(step, kind, name, tuple(lines))
            inside, lines = "", []
        elif line.startswith(_FENCE):
            inside = line.removeprefix(_FENCE) or "?"
        elif inside and line:
            lines.append(line)


def save_workbook(block: Block, directory: Path) -> None:
    """As a spreadsheet program saves what is typed: what looks like a number is one."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in block.lines:
        sheet.append([_typed(cell) for cell in line.split(",")])
    book.save(directory / block.name)


def _typed(cell: str) -> str | int | float | None:
    if not cell:
        return None
    try:
        return float(cell) if "." in cell else int(cell)
    except ValueError:
        return cell


class Window:
    """A terminal window with a shell; `prefix` runs it on another machine."""

    def __init__(self, directory: Path, environ: Mapping[str, str], prefix: Sequence[str] = ()) -> None:
        command, *rest = [*prefix, "bash", "--norc", "--noprofile"]
        self._shell = pexpect.spawn(
            command,
            rest,
            cwd=str(directory),
            env={**environ, "PS1": _PROMPT, "TERM": "dumb"},
            encoding="utf-8",
            echo=False,
            dimensions=(50, 300),
        )
        self._prompt(10)

    def type(self, lines: Sequence[str], *, until: str = "", seconds: float = 60) -> str:
        """Type commands, each when the one before has ended, and return what they print.

        The last one goes on if `until` is given: a pattern by which its output shows that it works. Raises
        AssertionError for a command that fails, ends early or does not end.
        """
        said = []
        for number, line in enumerate(lines, 1):
            if line == _CTRL_C:
                self._shell.sendintr()
                said.append(self._prompt(seconds))
                continue
            self._shell.sendline(line)
            if until and number == len(lines):
                said.append(self._expect(until, line, seconds))
            else:
                said.append(self._prompt(seconds, line))
                self._require_success(line, said[-1])
        return "".join(said)

    def until(self, pattern: str, *, seconds: float = 60) -> str:
        """Wait for more output of what goes on; returns all up to it."""
        return self._expect(pattern, "", seconds)

    def close(self) -> None:
        self._shell.close(force=True)

    def _require_success(self, line: str, said: str) -> None:
        self._shell.sendline("echo status=$?")
        status = self._prompt(10)
        assert "status=0" in status, f"{line}\n{said}{status}"

    def _prompt(self, seconds: float, line: str = "") -> str:
        return self._expect(_PROMPT, line, seconds)

    def _expect(self, pattern: str, line: str, seconds: float) -> str:
        found = [pattern, pexpect.EOF, pexpect.TIMEOUT]
        if pattern != _PROMPT:
            found.append(_PROMPT)
        which = self._shell.expect(found, timeout=seconds)
        said = str(self._shell.before or "")
        assert which == 0, f"{line}: no {pattern!r} within {seconds:g} s, or it ended before:\n{said[-4000:]}"
        return said + str(self._shell.after)
