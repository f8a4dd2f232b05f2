"""The scope of an account or a token: a set of areas with all areas below them, or the whole. Pure.

Visibility follows the present area of a station. Names of ancestors are public, their numbers are not.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from contract.errors import RemedyError

MOST_AREAS: Final = 200
"""The most areas of one scope, because each transaction sends them to the database."""
_WHOLE: Final = "*"


class AreaScope(msgspec.Struct, frozen=True):
    """Areas by their codes; `whole` includes stations that lie in no area. Neither whole nor areas: nothing."""

    whole: bool = False
    areas: frozenset[str] = frozenset()

    def covers(self, path: Sequence[str] | None) -> bool:
        """Whether a station or an area lies in the scope. `path`: its codes, the root first; None: in no area."""
        return self.whole or (path is not None and not self.areas.isdisjoint(path))

    def within(self, outer: "AreaScope", paths: Mapping[str, Sequence[str]]) -> bool:
        """Whether nothing of this scope lies outside `outer`. `paths` has the path of each area of this scope; an area
        without a path is unknown and lies in no scope but the whole."""
        if self.whole:
            return outer.whole
        return all(outer.covers(paths.get(area, ())) for area in self.areas)

    def meet(self, other: "AreaScope", paths: Mapping[str, Sequence[str]]) -> "AreaScope":
        """The scope of what lies in both; `paths` has the path of each area of either."""
        if self.whole or other.whole:
            return other if self.whole else self
        mine = {area for area in self.areas if other.covers(paths.get(area, ()))}
        theirs = {area for area in other.areas if self.covers(paths.get(area, ()))}
        return AreaScope(areas=frozenset(mine | theirs))

    @property
    def setting(self) -> str:
        """The value of the setting `milepost.scope` of the database: `*`, or codes with commas; empty: nothing."""
        return _WHOLE if self.whole else ",".join(sorted(self.areas))


WHOLE: Final = AreaScope(whole=True)
NOTHING: Final = AreaScope()


def scope_of(areas: Iterable[str], *, whole: bool) -> AreaScope:
    """A scope as a person names it: the whole or some areas. Raises RemedyError for both, for neither, for too many."""
    codes = frozenset(areas)
    if whole and codes:
        raise RemedyError(
            "a scope is the whole or some areas: name one of them", "范围应为全部或若干区划：请只指定一种"
        )
    if not whole and not codes:
        raise RemedyError("a scope has no area: name areas, or the whole", "范围中没有任何区划：请指定区划，或指定全部")
    if len(codes) > MOST_AREAS:
        raise RemedyError(
            f"a scope names {len(codes)} areas, at most {MOST_AREAS} are possible: name an area above them",
            f"范围包含 {len(codes)} 个区划，最多 {MOST_AREAS} 个：请改用上级区划",
        )
    return AreaScope(whole, codes)
