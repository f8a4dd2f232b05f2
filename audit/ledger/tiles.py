"""The tree in tiles of 256 hashes, as logs are published (C2SP tlog-tiles), and its growing edge. Pure.

Tile n of level 0 has the hashes of the leaves 256 n to 256 n + 255; a hash of level L + 1 is the root of a full tile of
level L. Full tiles never change. The edge is what is not in a full tile yet: at most 255 hashes for each level.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from audit.ledger.merkle import (
    EMPTY_ROOT,
    HASH,
    LeafRange,
    consistency_ranges,
    fold_right,
    inclusion_ranges,
    perfect_parts,
    tree_root,
)

TILE: Final = 256
"""Hashes of a full tile."""
_HEIGHT: Final = 8
TilePlace: TypeAlias = tuple[int, int]
"""(level, number from the left)."""


class LogEdge(msgspec.Struct, frozen=True, kw_only=True):
    """The right edge of a tree: enough to append to it and to know its root. `tails`: for each level the hashes, one
    after the other, that fill no tile yet."""

    size: int = 0
    tails: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        below: list[bytes] = []
        for tail in self.tails:
            row = [*split_hashes(tail), *below]
            below = [tree_root(row)] if row else []
        return below[0] if below else EMPTY_ROOT


class FullTile(msgspec.Struct, frozen=True, kw_only=True):
    """A tile that is full and never changes any more."""

    level: int
    number: int
    hashes: bytes


def split_hashes(joined: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [joined[n : n + HASH] for n in range(0, len(joined), HASH)]


def grow(edge: LogEdge, leaves: Iterable[bytes]) -> tuple[LogEdge, list[FullTile]]:
    """The edge after some hashes of leaves were appended, and the tiles that they filled."""
    tails = [bytearray(tail) for tail in edge.tails]
    counts = [edge.size >> _HEIGHT * (level + 1) for level in range(len(tails))]
    full: list[FullTile] = []
    size = edge.size
    for leaf in leaves:
        size += 1
        _append(leaf, tails, counts, full)
    return LogEdge(size=size, tails=tuple(bytes(tail) for tail in tails)), full


def _append(leaf: bytes, tails: list[bytearray], counts: list[int], full: list[FullTile]) -> None:
    level, rising = 0, leaf
    while True:
        if level == len(tails):
            tails.append(bytearray())
            counts.append(0)
        tails[level] += rising
        if len(tails[level]) < TILE * HASH:
            return
        hashes = bytes(tails[level])
        full.append(FullTile(level=level, number=counts[level], hashes=hashes))
        counts[level] += 1
        tails[level] = bytearray()
        level, rising = level + 1, tree_root(split_hashes(hashes))


class TileProof(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof reads: `ranges`, each the leaves below one hash of the proof."""

    ranges: tuple[LeafRange, ...]

    @property
    def places(self) -> frozenset[TilePlace]:
        """The tiles that the proof reads, full or not."""
        return frozenset(_place(height, number) for one in self.ranges for height, number in perfect_parts(*one))

    def hashes(self, tiles: Mapping[TilePlace, bytes]) -> list[bytes]:
        """The proof from the hashes of its tiles. Raises KeyError for a tile that is not there, ValueError for one
        with too few hashes."""
        return [
            fold_right([_node(height, number, tiles) for height, number in perfect_parts(*one)]) for one in self.ranges
        ]


def inclusion(index: int, size: int) -> TileProof:
    """The proof that leaf `index` is in the tree of `size` leaves."""
    return TileProof(ranges=tuple(inclusion_ranges(index, size)))


def consistency(old: int, size: int) -> TileProof:
    """The proof that the tree of `size` leaves begins with that of `old` leaves."""
    return TileProof(ranges=tuple(consistency_ranges(old, size)))


def root_at(size: int) -> TileProof:
    """The root of the first `size` leaves, as a proof of one hash; none for an empty tree."""
    return TileProof(ranges=((0, size),) if size else ())


def edge_tiles(edge: LogEdge) -> dict[TilePlace, bytes]:
    """The tiles of the edge, which are not full, by their place."""
    return {(level, edge.size >> _HEIGHT * (level + 1)): tail for level, tail in enumerate(edge.tails)}


def proof_of(leaves: Sequence[bytes], wanted: Callable[[int], TileProof]) -> list[bytes]:
    """A proof over hashes of leaves that are all in memory; `wanted`: the proof for their number."""
    edge, full = grow(LogEdge(), leaves)
    tiles = {(tile.level, tile.number): tile.hashes for tile in full} | edge_tiles(edge)
    return wanted(edge.size).hashes(tiles)


def _place(height: int, number: int) -> TilePlace:
    level, inner = divmod(height, _HEIGHT)
    return level, number >> _HEIGHT - inner


def _node(height: int, number: int, tiles: Mapping[TilePlace, bytes]) -> bytes:
    """The root of a perfect subtree within a tile."""
    inner = height % _HEIGHT
    width = 1 << inner
    begin = number * width % TILE
    hashes = split_hashes(tiles[_place(height, number)])[begin : begin + width]
    if len(hashes) < width:
        raise ValueError(f"a tile of level {height // _HEIGHT} has not the hash {begin + width - 1}")
    return tree_root(hashes)
