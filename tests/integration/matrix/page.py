"""Write the tables of docs/access.md: `python -m tests.integration.matrix.page`. A test compares page and table.

They stand between `<!-- paths -->` and `<!-- end -->`, and between `<!-- permissions -->` and `<!-- end -->`.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from access.roles import PERMISSIONS, READ_ONLY, Permission, Role
from tests.integration.matrix.table import LETTERS, ROWS, Beyond, Row
from tests.machine_words import ROOT

PAGE: Final = ROOT / "docs" / "access.md"
_END: Final = "<!-- end -->"
_BEYOND: Final = {
    Beyond.OPEN: "the same for everybody",
    Beyond.UNKNOWN: "404",
    Beyond.REFUSED: "422",
    Beyond.LEFT_OUT: "left out",
    Beyond.OWN: "one's own only",
    Beyond.WHOLE: "only with the scope of everything",
    Beyond.NOTHING: "",
}


def render(page: str) -> str:
    """The page with its generated tables replaced."""
    for name, lines in (("permissions", _permissions()), ("paths", _paths())):
        begin = f"<!-- {name} -->\n"
        before, _, rest = page.partition(begin)
        page = before + begin + "\n".join(lines) + "\n" + _END + rest.partition(_END)[2]
    return page


def _permissions() -> Iterator[str]:
    yield f"| permission | {' | '.join(LETTERS.values())} |"
    yield "|---" * (len(LETTERS) + 1) + "|"
    for permission in Permission:
        roles = [permission in PERMISSIONS[role] for role in Role]
        yield _line(f"`{permission}`", [*roles, permission in READ_ONLY])


def _paths() -> Iterator[str]:
    for part, rows in groupby((row for row in ROWS if not row.is_open), key=lambda row: row.part):
        yield f"\n**{part}**\n"
        yield f"| | {' | '.join(LETTERS.values())} | outside the scope |"
        yield "|---" * (len(LETTERS) + 2) + "|"
        for row in rows:
            yield f"{_line(_name(row), [letter in row.who for letter in LETTERS])} {_BEYOND[row.beyond]} |"
    yield "\nOpen to everybody, also who is not signed in: "
    yield ", ".join(f"`{row.method} {row.path}`" for row in ROWS if row.is_open) + "."


def _name(row: Row) -> str:
    return f"`{row.method} {row.path}`" + ("" if row.by_token else " ¹")


def _line(name: str, cells: list[bool]) -> str:
    return f"| {name} | {' | '.join('yes' if cell else '' for cell in cells)} |"


def main() -> None:
    """Write the page."""
    path = Path(PAGE)
    path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
