"""Things that a service cannot process, each with the reason, while it goes on with the others. Pure."""

from collections.abc import Iterator
from typing import Final

MOST: Final = 1000
"""The most things that a service names at a time."""
_WHY: Final = 500

Thing = tuple[str, str]
"""(kind, subject): station and its id, closure and its number …"""


class Troubles:
    """Things that are set aside, with their reasons; the first MOST of them."""

    def __init__(self) -> None:
        self._why: dict[Thing, str] = {}

    def __len__(self) -> int:
        return len(self._why)

    def __contains__(self, thing: Thing) -> bool:
        return thing in self._why

    def __iter__(self) -> Iterator[Thing]:
        return iter(self._why)

    def all(self) -> dict[Thing, str]:
        """Every thing with its reason."""
        return dict(self._why)

    def put(self, kind: str, subject: str, why: str | BaseException) -> None:
        """Set a thing aside, or change the reason of one that is set aside."""
        if len(self._why) < MOST or (kind, subject) in self._why:
            self._why[kind, subject] = said(why)

    def drop(self, kind: str, subject: str) -> None:
        """A thing can be processed again, or no longer exists."""
        self._why.pop((kind, subject), None)

    def drop_kind(self, kind: str) -> None:
        """No thing of a kind is set aside any more."""
        self._why = {thing: why for thing, why in self._why.items() if thing[0] != kind}


def said(why: str | BaseException) -> str:
    """A reason as text for the database: of an exception its class and message, without characters that PostgreSQL
    refuses."""
    text = why if isinstance(why, str) else f"{type(why).__name__}: {why}"
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()[:_WHY]
