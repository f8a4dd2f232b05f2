"""Makes the parts of a proof: lines of an area's tree with their paths to its root. Pure."""

from collections.abc import Sequence

import msgspec

from audit.days.sealed.exported import AreaFigures
from audit.days.sealed.trees import area_lines
from audit.ledger.merkle import leaf_hash, tree_root
from audit.ledger.tiles import TileProof, inclusion, proof_of
from audit.sheets.station_proof import ProvenLine


class StationLines(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of a station in the tree of an area and a day: root and number of lines of the tree, all revisions of
    the station, and the next line of the tree."""

    root: bytes
    count: int
    lines: tuple[ProvenLine, ...]
    following: ProvenLine | None


def station_lines(found: AreaFigures, station: str) -> StationLines:
    """The lines of a station with their paths, from the figures of all stations of the area."""
    every = area_lines(found.path, found.groups, found.lines)
    hashes = [leaf_hash(data) for _, _, data in every]
    own = [index for index, (name, _, _) in enumerate(every) if name == station]
    following = [own[-1] + 1] if own and own[-1] + 1 < len(every) else []
    wanted = [inclusion(index, len(every)) for index in [*own, *following]]
    paths = split(proof_of(hashes, lambda _: joined(wanted)), wanted)
    lines = [
        ProvenLine(index=index, data=every[index][2].decode(), steps=steps)
        for index, steps in zip([*own, *following], paths, strict=True)
    ]
    return StationLines(
        root=tree_root(hashes),
        count=len(every),
        lines=tuple(lines[: len(own)]),
        following=lines[-1] if following else None,
    )


def joined(proofs: Sequence[TileProof]) -> TileProof:
    """Several proofs as one, so that tiles are read once."""
    return TileProof(ranges=tuple(one for proof in proofs for one in proof.ranges))


def split(hashes: Sequence[bytes], proofs: Sequence[TileProof]) -> list[tuple[bytes, ...]]:
    """The hashes of each of the joined proofs."""
    rest = iter(hashes)
    return [tuple(next(rest) for _ in proof.ranges) for proof in proofs]
