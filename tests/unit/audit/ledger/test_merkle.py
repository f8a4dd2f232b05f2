"""The tree of RFC 6962: published roots, and proofs that hold for what they prove and for nothing else."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.ledger import merkle, tiles
from audit.ledger.merkle import EMPTY_ROOT, is_consistent, leaf_hash, node_hash, root_from_inclusion, tree_root

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
# The reference vectors of Certificate Transparency (certificate-transparency, merkletree tests).
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(min_value=1, max_value=1100)


def hashes(size: int, salt: int = 0) -> list[bytes]:
    return [leaf_hash(b"%d %d" % (salt, n)) for n in range(size)]


def plain_root(leaves: list[bytes]) -> bytes:
    """The definition of RFC 6962, 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(plain_root(leaves[:half]), plain_root(leaves[half:]))


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    leaves = [leaf_hash(leaf) for leaf in LEAVES[:size]]
    assert tree_root(leaves).hex() == ROOTS[size]
    assert tiles.grow(tiles.LogEdge(), leaves)[0].root.hex() == ROOTS[size]


@given(size=SIZES, cuts=st.lists(st.integers(0, 1100), max_size=6))
def test_a_tree_that_grows_in_any_steps_has_the_root_of_the_definition(size: int, cuts: list[int]) -> None:
    leaves = hashes(size)
    edge, full = tiles.LogEdge(), list[tiles.FullTile]()
    for begin, end in pairwise([0, *sorted(min(cut, size) for cut in cuts), size]):
        edge, more = tiles.grow(edge, leaves[begin:end])
        full += more
    assert edge.size == size and edge.root == plain_root(leaves) == tree_root(leaves)
    assert (edge, full) == tiles.grow(tiles.LogEdge(), leaves)
    assert b"".join(tile.hashes for tile in full if tile.level == 0) + edge.tails[0] == b"".join(leaves)


def test_tiles_of_higher_levels_hold_the_roots_of_lower_ones() -> None:
    leaves = hashes(256 * 256 + 300)
    edge, full = tiles.grow(tiles.LogEdge(), leaves)
    assert edge.root == tree_root(leaves)
    assert [(tile.number, len(tile.hashes)) for tile in full if tile.level == 1] == [(0, 256 * 32)]
    assert tiles.proof_of(leaves, tiles.root_at) == [edge.root]


@given(size=SIZES, at=st.data())
def test_a_proof_of_inclusion_leads_to_the_root_and_only_from_its_leaf(size: int, at: st.DataObject) -> None:
    leaves = hashes(size)
    index = at.draw(st.integers(0, size - 1))
    other = at.draw(st.integers(0, size - 1))
    proof = tiles.proof_of(leaves, lambda n: tiles.inclusion(index, n))
    root = tree_root(leaves)
    assert root_from_inclusion(leaves[index], index, size, proof) == root
    if other != index:
        assert root_from_inclusion(leaves[other], index, size, proof) != root
        assert root_from_inclusion(leaves[index], other, size, proof) != root
    assert root_from_inclusion(leaves[index], index, size, [*proof, root]) is None
    if proof:
        assert root_from_inclusion(leaves[index], index, size, proof[1:]) != root


@given(size=SIZES, at=st.data())
def test_a_proof_of_consistency_holds_for_its_two_roots_alone(size: int, at: st.DataObject) -> None:
    leaves = hashes(size)
    old = at.draw(st.integers(0, size))
    proof = tiles.proof_of(leaves, lambda n: tiles.consistency(old, n))
    root, old_root = tree_root(leaves), tree_root(leaves[:old])
    assert is_consistent(old, old_root, size, root, proof)
    assert not is_consistent(old, hashes(1, salt=9)[0], size, root, proof)
    assert not is_consistent(old, old_root, size, hashes(1, salt=9)[0], proof) or old == 0
    assert not is_consistent(old, old_root, size, root, [*proof, root])
    if proof:
        assert not is_consistent(old, old_root, size, root, proof[1:])


@given(size=SIZES, at=st.data())
def test_a_changed_past_is_never_consistent(size: int, at: st.DataObject) -> None:
    leaves = hashes(size)
    old = at.draw(st.integers(1, size))
    changed = at.draw(st.integers(0, old - 1))
    forged = [*leaves[:changed], leaf_hash(b"forged"), *leaves[changed + 1 :]]
    proof = tiles.proof_of(forged, lambda n: tiles.consistency(old, n))
    assert not is_consistent(old, tree_root(leaves[:old]), size, tree_root(forged), proof)


@given(size=st.integers(1, 2**62), at=st.data())
def test_a_proof_has_at_most_63_hashes(size: int, at: st.DataObject) -> None:
    assert len(merkle.inclusion_ranges(at.draw(st.integers(0, size - 1)), size)) <= 63
    assert len(merkle.consistency_ranges(at.draw(st.integers(0, size)), size)) <= 63


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        merkle.inclusion_ranges(index, size)
    assert root_from_inclusion(EMPTY_ROOT, index, size, []) is None


def test_a_smaller_tree_begins_with_no_larger_one() -> None:
    with pytest.raises(ValueError, match="does not begin"):
        merkle.consistency_ranges(4, 3)
    assert not is_consistent(4, EMPTY_ROOT, 3, EMPTY_ROOT, [])


def test_a_tile_that_is_too_short_gives_no_proof() -> None:
    with pytest.raises(ValueError, match="has not the hash"):
        tiles.inclusion(0, 2).hashes({(0, 0): b"1" * 32})
