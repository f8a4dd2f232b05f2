"""Signed notes, checkpoints, cosignatures and proofs as texts (C2SP)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.ledger import tiles
from audit.ledger.checkpoints import (
    Checkpoint,
    cosign,
    cosigned_at,
    parse_checkpoint,
    sign_checkpoint,
    with_signatures,
)
from audit.ledger.merkle import leaf_hash, tree_root
from audit.ledger.notes import (
    KeyType,
    NoteError,
    SignerKey,
    parse_note,
    parse_signer,
    parse_verifier,
    require_name,
    signed_by,
)
from audit.ledger.proof_text import LeafProof, parse_proof

# The example of golang.org/x/mod/sumdb/note.
GO_SIGNER = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
LOG = SignerKey(name="example.org/ledger", seed=b"l" * 32)
WITNESS = SignerKey(name="audit.example.org/witness", seed=b"w" * 32, kind=KeyType.COSIGNATURE)
LEAVES = [leaf_hash(b"%d" % n) for n in range(300)]
CHECKPOINT = Checkpoint(origin=LOG.name, size=300, root=tree_root(LEAVES))


def test_the_published_example_of_a_note_holds_and_is_signed_the_same() -> None:
    signer, verifier, note = parse_signer(GO_SIGNER), parse_verifier(GO_VERIFIER), parse_note(GO_NOTE)
    assert signer.verifier == verifier
    assert (signer.text, verifier.text, note.render()) == (GO_SIGNER, GO_VERIFIER, GO_NOTE)
    assert signed_by(note, verifier) is True
    assert signer.sign(note.text.encode()) == note.signatures[0].payload


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    signed = sign_checkpoint(CHECKPOINT, [LOG])
    again = parse_checkpoint(signed.note.render())
    assert again == signed and again.checkpoint == CHECKPOINT
    assert signed_by(again.note, LOG.verifier) is True
    assert signed_by(again.note, parse_verifier(GO_VERIFIER)) is None


def test_another_size_under_the_same_signature_does_not_hold() -> None:
    forged = parse_checkpoint(sign_checkpoint(CHECKPOINT, [LOG]).note.render().replace("\n300\n", "\n301\n"))
    assert forged.checkpoint.size == 301
    assert signed_by(forged.note, LOG.verifier) is False


def test_a_cosignature_says_when_and_holds_for_its_checkpoint_alone() -> None:
    signed = sign_checkpoint(CHECKPOINT, [LOG])
    both = with_signatures(signed, [cosign(signed.note, WITNESS, 1_780_000_000)])
    again = parse_checkpoint(both.note.render())
    assert cosigned_at(again.note, WITNESS.verifier) == 1_780_000_000
    assert signed_by(again.note, LOG.verifier) is True
    assert cosigned_at(signed.note, WITNESS.verifier) is None
    forged = parse_checkpoint(both.note.render().replace("\n300\n", "\n301\n"))
    assert cosigned_at(forged.note, WITNESS.verifier) is None


def test_the_cosigned_message_is_that_of_the_specification() -> None:
    signed = sign_checkpoint(CHECKPOINT, [LOG])
    line = cosign(signed.note, WITNESS, 1679315147)
    message = b"cosignature/v1\ntime 1679315147\n" + CHECKPOINT.text.encode()
    assert line.payload == (1679315147).to_bytes(8, "big") + WITNESS.sign(message)


def test_a_later_cosignature_comes_instead_of_the_earlier_one() -> None:
    signed = sign_checkpoint(CHECKPOINT, [LOG])
    for at in (1, 2, 3):
        signed = with_signatures(signed, [cosign(signed.note, WITNESS, at)])
    assert len(signed.note.signatures) == 2 and cosigned_at(signed.note, WITNESS.verifier) == 3


def test_a_proof_is_one_text_and_holds_for_its_leaf_alone() -> None:
    steps = tuple(tiles.proof_of(LEAVES, lambda size: tiles.inclusion(299, size)))
    proof = LeafProof(index=299, steps=steps, signed=sign_checkpoint(CHECKPOINT, [LOG]))
    text = proof.render()
    assert text.startswith("c2sp.org/tlog-proof@v1\nindex 299\n")
    again = parse_proof(text)
    assert again == proof == parse_proof(text.replace("index", "extra YWdl\nindex", 1))
    assert again.holds_for(LEAVES[299]) and not again.holds_for(LEAVES[298])


def test_a_proof_in_a_tree_of_one_leaf_has_no_hashes() -> None:
    one = Checkpoint(origin=LOG.name, size=1, root=LEAVES[0])
    proof = LeafProof(index=0, steps=(), signed=sign_checkpoint(one, [LOG]))
    assert parse_proof(proof.render()).holds_for(LEAVES[0])


@pytest.mark.parametrize(
    "wrong",
    ["", "a\n", "a\n\n", "a\n\nno dash AAAA\n", "a\n\n— name\n", "a\n\n— name AAAA\n", "a\n\n— a+b AAAAAAAAAAAA\n"],
)
def test_what_is_no_note_is_refused(wrong: str) -> None:
    with pytest.raises(NoteError):
        parse_note(wrong)


@pytest.mark.parametrize("body", ["o\n1\n", "o\n01\nx\n", "o\n-1\nx\n", "\n1\nx\n", "o\n1\nAAAA\n"])
def test_what_is_no_checkpoint_is_refused(body: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(f"{body}\n— name AAAAAAAAAAAA\n")


@pytest.mark.parametrize(
    "wrong", ["", "a", "a+b", "a+b+c", GO_VERIFIER[:-4], GO_VERIFIER.replace("c74f20a3", "c74f20a4")]
)
def test_what_is_no_key_is_refused(wrong: str) -> None:
    with pytest.raises(NoteError):
        parse_verifier(wrong)


def test_no_error_and_no_text_of_a_secret_key_shows_its_seed() -> None:
    secret = LOG.text.rpartition("+")[2]
    assert secret not in repr(LOG)
    with pytest.raises(NoteError) as caught:
        parse_signer(LOG.text[:-1])
    assert secret[:12] not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b"])
def test_a_name_that_no_note_can_carry(name: str) -> None:
    with pytest.raises(NoteError):
        require_name(name)


@given(raw=st.text(max_size=200))
def test_any_text_is_a_note_or_named_as_none(raw: str) -> None:
    try:
        assert parse_note(raw).render() == raw
    except NoteError as exc:
        assert exc.said.zh
