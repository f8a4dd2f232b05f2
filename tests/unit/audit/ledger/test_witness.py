"""A witness signs one history of a log, and names another one."""

import pytest

from audit.ledger import tiles
from audit.ledger.checkpoints import Checkpoint, SignedCheckpoint, cosigned_at, sign_checkpoint, with_signatures
from audit.ledger.merkle import leaf_hash, tree_root
from audit.ledger.notes import KeyType, SignerKey, parse_signature
from audit.ledger.witness import CosignRequest, WitnessAnswer, answer_request

LOG = SignerKey(name="example.org/ledger", seed=b"l" * 32)
WITNESS = SignerKey(name="audit.example.org/witness", seed=b"w" * 32, kind=KeyType.COSIGNATURE)
LEAVES = [leaf_hash(b"%d" % n) for n in range(300)]
FORGED = [*LEAVES[:40], leaf_hash(b"forged"), *LEAVES[41:]]


def checkpoint(size: int, leaves: list[bytes] = LEAVES) -> Checkpoint:
    return Checkpoint(origin=LOG.name, size=size, root=tree_root(leaves[:size]))


def request(old: int, size: int, leaves: list[bytes] = LEAVES, key: SignerKey = LOG) -> CosignRequest:
    proof = tiles.proof_of(leaves[:size], lambda n: tiles.consistency(old, n)) if old <= size else []
    return CosignRequest(old=old, proof=tuple(proof), signed=sign_checkpoint(checkpoint(size, leaves), [key]))


def answered(raw: str, known: Checkpoint | None) -> WitnessAnswer:
    before = {} if known is None else {LOG.name: known}
    return answer_request(raw, {LOG.name: [LOG.verifier]}, before, WITNESS, 1_780_000_000)


@pytest.mark.parametrize(("old", "size"), [(0, 1), (0, 300), (1, 2), (256, 257), (100, 300), (300, 300)])
def test_a_log_that_grows_is_signed(old: int, size: int) -> None:
    asked = request(old, size)
    answer = answered(asked.render(), checkpoint(old) if old else None)
    assert (answer.status, answer.keep) == (200, asked.signed)
    signed: SignedCheckpoint = with_signatures(asked.signed, [parse_signature(answer.body.rstrip("\n"))])
    assert cosigned_at(signed.note, WITNESS.verifier) == 1_780_000_000


STRANGER = SignerKey(name="example.org/other", seed=b"o" * 32)
ELSEWHERE = CosignRequest(
    old=0,
    proof=(),
    signed=sign_checkpoint(Checkpoint(origin=STRANGER.name, size=1, root=LEAVES[0]), [STRANGER]),
)
THIEF = SignerKey(name=LOG.name, seed=b"t" * 32)
REFUSED: dict[str, tuple[str, int | None, int, str]] = {
    # (request, size that the witness knows, status, words)
    "another history of the same size": (request(300, 300, FORGED).render(), 300, 422, "forked"),
    "another history that is longer": (request(100, 300, FORGED).render(), 100, 422, "forked"),
    "a log that got shorter": (request(100, 100).render(), 300, 409, "its end was cut off"),
    "a proof that is missing": (
        CosignRequest(old=100, proof=(), signed=request(100, 300).signed).render(), 100, 422, "forked",
    ),
    "another key": (request(0, 5, key=THIEF).render(), None, 403, "not signed by a key of the log"),
    "a log of somebody else": (
        ELSEWHERE.render(), None, 404, "is not a log of this witness",
    ),
    "an old size over the size": (request(9, 5).render(), 9, 400, "over the size"),
    "no request": ("hello", None, 400, "begins with"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_signed(what: str) -> None:
    raw, known, status, words = REFUSED[what]
    answer = answered(raw, None if known is None else checkpoint(known))
    assert (answer.status, answer.keep) == (status, None)
    assert answer.said is not None and words in answer.said.en and answer.said.zh != answer.said.en
    assert (answer.fork is not None) == (words in ("forked", "its end was cut off"))


def test_a_log_that_does_not_know_what_was_signed_is_told() -> None:
    answer = answered(request(0, 300).render(), checkpoint(100))
    assert (answer.status, answer.body, answer.content_type) == (409, "100\n", "text/x.tlog.size")
    assert answer.fork is None


def test_a_proof_of_too_many_lines() -> None:
    asked = CosignRequest(old=100, proof=(LEAVES[0],) * 64, signed=request(100, 300).signed)
    assert answered(asked.render(), checkpoint(100)).status == 400
