"""A log with the entries of three days of an area, and the proof of a station's sheet in it."""

from collections.abc import Mapping, Sequence
from datetime import date

from audit.days.figures import Figures
from audit.days.sealed.exported import AreaFigures
from audit.days.sealed.trees import DayLine, QuietGroup, area_trees
from audit.ledger.checkpoints import Checkpoint, SignedCheckpoint, cosign, sign_checkpoint, with_signatures
from audit.ledger.leaves import EntryRow, leaf_bytes
from audit.ledger.merkle import leaf_hash, tree_root
from audit.ledger.notes import KeyType, SignerKey
from audit.ledger.tiles import inclusion, proof_of
from audit.sheets.proof_making import station_lines
from audit.sheets.station_proof import NotProven, ProvenDay, StationProof, UnprovenDay
from store.ledger import canonical

KEY = SignerKey(name="example.org/ledger", seed=b"k" * 32)
OTHER = SignerKey(name="example.org/other", seed=b"o" * 32)
WITNESS = SignerKey(name="audit.example.org", seed=b"w" * 32, kind=KeyType.COSIGNATURE)
PATH = ("63", "632122")
ELSEWHERE = ("63", "632123")
FULL = Figures(scheduled_ms=100, online_ms=100, service_due_ms=100, usable_ms=100)
HALF = Figures(scheduled_ms=100, online_ms=50, service_due_ms=100, usable_ms=50)
DAYS = [date(2026, 11, n) for n in (1, 2, 3, 4)]


def line(station: str, revision: int = 1, figures: Figures = FULL, path: tuple[str, ...] = PATH) -> DayLine:
    """A line of its own; revisions after the first are addenda from the third on."""
    return DayLine(
        station=station,
        revision=revision,
        path=path,
        figures=figures,
        causes=() if revision == 1 else ("presence",),
        addendum=revision > 2,
    )


def area(day: date, *lines: DayLine, path: tuple[str, ...] = PATH) -> AreaFigures:
    """The figures of an area: a, b, c and d are quiet without lines of their own."""
    quiet = [name for name in "abcd" if name not in {each.station for each in lines}]
    group = QuietGroup(path=path, figures=FULL, stations=quiet)
    return AreaFigures(day=day, path=path, groups=(group,), lines=lines)


AREAS = [
    area(DAYS[0]),
    area(DAYS[1], line("b"), line("b", 2, HALF), line("c")),
    area(DAYS[2], line("b"), line("b", 2), line("b", 3, HALF), line("d"), line("d", 2)),
]


def entry(number: int, found: AreaFigures) -> bytes:
    """The leaf of the entry about an area and a day."""
    (tree,) = [tree for tree in area_trees(found.day, found.groups, found.lines) if tree.path == found.path]
    return leaf_bytes(
        EntryRow(
            id=number, kind="days.closed", subject=tree.subject, actor="system", at_ms=1, body=canonical(tree.body)
        )
    )


def signed_log(leaves: Sequence[bytes], *, key: SignerKey = KEY, witness: bool = True) -> SignedCheckpoint:
    """The checkpoint of a log."""
    root = tree_root([leaf_hash(leaf) for leaf in leaves])
    signed = sign_checkpoint(Checkpoint(origin=key.name, size=len(leaves), root=root), [key])
    return with_signatures(signed, [cosign(signed.note, WITNESS, 1_795_000_000)]) if witness else signed


LEAVES = [b'{"row":"transition"}', *(entry(number, found) for number, found in enumerate(AREAS, 1)), b"{}"]


def proven(
    found: AreaFigures, leaf: int, *, station: str = "b", leaves: Sequence[bytes] = LEAVES, day: date | None = None
) -> ProvenDay:
    """A day of a station by the entry that is leaf `leaf`."""
    made = station_lines(found, station)
    steps = proof_of([leaf_hash(each) for each in leaves], lambda size: inclusion(leaf, size))
    (tree,) = [tree for tree in area_trees(found.day, found.groups, found.lines) if tree.path == found.path]
    return ProvenDay(
        day=day or found.day,
        leaf=leaf,
        entry=leaves[leaf].decode(),
        steps=tuple(steps),
        lines=made.lines,
        following=None if tree.lines == tree.stations else made.following,
    )


def sheet(
    days: Mapping[int, ProvenDay] | None = None, signed: SignedCheckpoint | None = None, unproven: bool = False
) -> StationProof:
    """The sheet of station b, with some of its three days replaced."""
    every = {n: proven(found, n + 1) for n, found in enumerate(AREAS)} | dict(days or {})
    last = [UnprovenDay(DAYS[3], NotProven.UNSEALED)] if unproven else []
    return StationProof(
        station="b",
        period="2026-11",
        first=DAYS[0],
        last=DAYS[3 if unproven else 2],
        key=KEY.verifier.text,
        days=(*every.values(), *last),
        signed=signed or signed_log(LEAVES),
    )
