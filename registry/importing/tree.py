"""The shape of a division tree, given each area's parent. Pure."""

from collections.abc import Container, Mapping
from typing import Final

MAX_DEPTH: Final = 16
"""The most areas on a path from a root to a leaf, both included."""

Parents = Mapping[str, str | None]


def cycles(parents: Parents) -> list[list[str]]:
    """Every cycle of parents, each from its least code upwards."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in parents:
        walk = _walk_up(start, parents, done)
        last = parents[walk[-1]] if walk else None
        if last is not None and last in walk:
            ring = walk[walk.index(last) :]
            turn = ring.index(min(ring))
            found.append(ring[turn:] + ring[:turn])
        done.update(walk)
    return found


def unrooted(parents: Parents) -> dict[str, str]:
    """{code: the missing area} of each area whose path upwards ends at a missing area. `parents` has no cycle."""
    missing: dict[str, str | None] = {}
    for start in parents:
        walk = _walk_up(start, parents, missing)
        if not walk:
            continue
        above = parents[walk[-1]]
        lost = None if above is None else missing.get(above) if above in parents else above
        missing.update(dict.fromkeys(walk, lost))
    return {code: lost for code, lost in missing.items() if lost is not None}


def depths(parents: Parents) -> dict[str, int]:
    """{code: areas from its root to itself}. `parents` has no cycle, and every parent is an area of it."""
    known: dict[str, int] = {}
    for start in parents:
        for code in reversed(_walk_up(start, parents, known)):
            parent = parents[code]
            known[code] = 1 if parent is None else known[parent] + 1
    return known


def paths(parents: Parents) -> dict[str, tuple[str, ...]]:
    """{code: path}, root first and itself last. `parents` has no cycle, and every parent is an area of it."""
    known: dict[str, tuple[str, ...]] = {}
    for start in parents:
        for code in reversed(_walk_up(start, parents, known)):
            parent = parents[code]
            known[code] = (code,) if parent is None else (*known[parent], code)
    return known


def _walk_up(start: str, parents: Parents, done: Container[str]) -> list[str]:
    """The areas from `start` upwards that are not in `done`; ends before an area would come twice."""
    walk: dict[str, None] = {}
    code: str | None = start
    while code is not None and code in parents and code not in done and code not in walk:
        walk[code] = None
        code = parents[code]
    return list(walk)
