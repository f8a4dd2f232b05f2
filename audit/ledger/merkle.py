"""The Merkle tree of RFC 6962: hashes of leaves and nodes, roots, proofs and their verification. Pure.

A proof names ranges of leaves [begin, end); whoever keeps the tree gives the hash of each. So the same two functions
serve a list of leaves in memory and tiles in a database.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

HASH: Final = 32
"""Bytes of a hash."""
EMPTY_ROOT: Final = sha256().digest()
LeafRange: TypeAlias = tuple[int, int]
"""Leaves [begin, end) below one node of the tree."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of the bytes of a leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """The root over nodes of one height, from left to right; the last one may be over fewer leaves than the others."""
    if not hashes:
        return EMPTY_ROOT
    row = list(hashes)
    while len(row) > 1:
        paired = [node_hash(row[n], row[n + 1]) for n in range(0, len(row) - 1, 2)]
        row = [*paired, row[-1]] if len(row) % 2 else paired
    return row[0]


def fold_right(hashes: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees that get smaller from left to right."""
    if not hashes:
        return EMPTY_ROOT
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def perfect_parts(begin: int, end: int) -> list[tuple[int, int]]:
    """The perfect subtrees of a range that a proof names: (height, number from the left among those of its height)."""
    parts = []
    while begin < end:
        height = (end - begin).bit_length() - 1
        parts.append((height, begin >> height))
        begin += 1 << height
    return parts


def inclusion_ranges(index: int, size: int) -> list[LeafRange]:
    """The nodes that prove that leaf `index` is in the tree of `size` leaves: the sibling of the leaf first.

    Raises ValueError for a leaf that is not in the tree.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    begin, end, found = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((begin, middle))
            begin = middle
    return found[::-1]


def consistency_ranges(old: int, size: int) -> list[LeafRange]:
    """The nodes that prove that the tree of `size` leaves begins with that of `old` leaves.

    Raises ValueError when it cannot.
    """
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {size} leaves does not begin with {old} leaves")
    if old in (0, size):
        return []
    begin, end, found, whole = 0, size, [], True
    while old != end - begin:
        half = _split(end - begin)
        if old <= half:
            found.append((begin + half, end))
            end = begin + half
        else:
            found.append((begin, begin + half))
            begin, old, whole = begin + half, old - half, False
    return [*([] if whole else [(begin, end)]), *found[::-1]]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Iterable[bytes]) -> bytes | None:
    """The root to which a proof of inclusion leads; None: the proof has not the form that index and size ask for
    (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    own, last, root = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return None
        if own & 1 or own == last:
            root = node_hash(step, root)
            while own and not own & 1:
                own, last = own >> 1, last >> 1
        else:
            root = node_hash(root, step)
        own, last = own >> 1, last >> 1
    return root if last == 0 else None


def is_consistent(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the tree of `size` leaves begins with that of `old` leaves (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= size:
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if old == size:
        return not proof and old_root == root
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    if not steps:
        return False
    own, last = old - 1, size - 1
    while own & 1:
        own, last = own >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if own & 1 or own == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while own and not own & 1:
                own, last = own >> 1, last >> 1
        else:
            second = node_hash(second, step)
        own, last = own >> 1, last >> 1
    return last == 0 and first == old_root and second == root


def _split(size: int) -> int:
    """The greatest power of two below `size`: the leaves of the left subtree."""
    return 1 << (size - 1).bit_length() - 1
