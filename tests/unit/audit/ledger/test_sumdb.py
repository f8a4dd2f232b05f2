"""Checkpoints and proofs of ours, verified by an implementation that is not ours."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from audit.ledger import tiles
from audit.ledger.checkpoints import Checkpoint, cosign, sign_checkpoint, with_signatures
from audit.ledger.merkle import leaf_hash, tree_root
from audit.ledger.notes import KeyType, SignerKey
from tests.sumdb_verifier import BUILD_SECONDS, sumdb_verifier  # noqa: F401 -- a fixture

pytestmark = pytest.mark.timeout(BUILD_SECONDS + 60)

LOG = SignerKey(name="example.org/ledger", seed=b"l" * 32)
WITNESS = SignerKey(name="audit.example.org/witness", seed=b"w" * 32, kind=KeyType.COSIGNATURE)


def coded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def question(size: int, index: int, old: int) -> dict[str, Any]:
    """A log of `size` leaves, one of its leaves, and an earlier size."""
    data = [b'{"n":%d}' % n for n in range(size)]
    leaves = [leaf_hash(one) for one in data]
    signed = sign_checkpoint(Checkpoint(origin=LOG.name, size=size, root=tree_root(leaves)), [LOG])
    signed = with_signatures(signed, [cosign(signed.note, WITNESS, 1_780_000_000)])
    return {
        "Key": LOG.verifier.text,
        "Checkpoint": signed.note.render(),
        "Leaf": coded(data[index]),
        "Index": index,
        "Inclusion": [coded(step) for step in tiles.proof_of(leaves, lambda n: tiles.inclusion(index, n))],
        "OldSize": old,
        "OldRoot": coded(tree_root(leaves[:old])),
        "Consistency": [coded(step) for step in tiles.proof_of(leaves, lambda n: tiles.consistency(old, n))],
    }


def ask(program: Path, asked: dict[str, Any]) -> str:
    done = subprocess.run([program], input=json.dumps(asked), capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("size", "index", "old"), [(1, 0, 1), (2, 1, 1), (7, 6, 3), (256, 0, 255), (257, 256, 256), (1000, 700, 513)]
)
def test_what_we_prove_holds_for_go(sumdb_verifier: Path, size: int, index: int, old: int) -> None:  # noqa: F811
    assert ask(sumdb_verifier, question(size, index, old)) == "holds"


WRONG = {
    "another leaf": {"Leaf": coded(b"forged")},
    "another place": {"Index": 701},
    "another past": {"OldRoot": coded(b"x" * 32)},
    "another key": {"Key": SignerKey(name=LOG.name, seed=b"x" * 32).verifier.text},
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_does_not(sumdb_verifier: Path, what: str) -> None:  # noqa: F811
    assert ask(sumdb_verifier, question(1000, 700, 513) | WRONG[what]) != "holds"
