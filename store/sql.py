"""Named SQL: ``queries.sql`` beside the code that runs it.

A query begins at ``-- name: the_name``; the comment lines below it explain it.
"""

import re
from pathlib import Path

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class Queries:
    """The queries of one file, each an attribute: ``queries.claim_offset`` is its SQL text."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def __getattr__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise AttributeError(f"no query is named {name!r}") from None

    def items(self) -> list[tuple[str, str]]:
        """(name, SQL text) of every query, by name."""
        return sorted(self._texts.items())


def load_queries(path: Path) -> Queries:
    """Read a file of named queries; raise ValueError for a name given twice."""
    parts = _NAME.split(path.read_text(encoding="utf-8"))[1:]
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{path.name} gives a name twice")
    return Queries({name: body.strip().rstrip(";") for name, body in zip(names, bodies, strict=True)})


def queries_beside(module_file: str) -> Queries:
    """The ``queries.sql`` in the folder of a module: ``queries_beside(__file__)``."""
    return load_queries(Path(module_file).with_name("queries.sql"))
