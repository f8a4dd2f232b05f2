"""Whether the proof of a station's sheet leads to a signed checkpoint, and if not, what is wrong. Pure."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from audit.ledger.checkpoints import claimed_cosigners, cosigned_at
from audit.ledger.notes import NoteError, VerifierKey, parse_verifier, signed_by
from audit.ledger.verify import Trust
from audit.sheets.day_check import SheetDay, check_day
from audit.sheets.sheet_faults import SheetFault, SheetWrong, sheet_fault
from audit.sheets.station_proof import ProvenDay, StationProof


class SheetVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result; `faults` is empty if nothing is wrong. `cosigned`: (witness, seconds since the epoch) of each
    cosignature that holds; `unknown`: names of cosignatures whose keys were not given."""

    proof: StationProof
    key: str | None
    days: tuple[SheetDay, ...]
    cosigned: tuple[tuple[str, int], ...]
    unknown: tuple[str, ...]
    faults: tuple[SheetFault, ...]

    @property
    def is_complete(self) -> bool:
        """Whether the figures of all days are proven."""
        return not self.faults and len(self.days) == len(self.proof.days)


def check_sheet(proof: StationProof, trust: Trust) -> SheetVerdict:
    """Verify a proof against what the reader knows from elsewhere."""
    key, faults = _check_signature(proof, trust)
    faults += [*_check_kept(proof, trust), *_check_witnesses(proof, trust), *_check_range(proof)]
    checked = [check_day(proof, day) for day in proof.days if isinstance(day, ProvenDay)]
    names = {name for name, _ in claimed_cosigners(proof.signed.note)}
    return SheetVerdict(
        proof=proof,
        key=key,
        days=tuple(day for day in checked if isinstance(day, SheetDay)),
        cosigned=tuple(_cosigned(proof, trust)),
        unknown=tuple(sorted(names - {witness.name for witness in trust.witnesses})),
        faults=(*faults, *(fault for fault in checked if isinstance(fault, SheetFault))),
    )


def _check_signature(proof: StationProof, trust: Trust) -> tuple[str | None, list[SheetFault]]:
    """The key that counts, and what is wrong with the signature of the log."""
    key, origin = trust.key or _own_key(proof), proof.signed.checkpoint.origin
    if key is None:
        return None, [
            sheet_fault(
                SheetWrong.SIGNATURE,
                "the sheet does not say which key signed: give the public key of the ledger with --key",
                "报告未说明签名密钥：请用 --key 给出账本公钥",
            )
        ]
    if key.name != origin:
        return key.text, [
            sheet_fault(
                SheetWrong.OTHER_LOG,
                f"the checkpoint is of the log {origin}, the key of {key.name}",
                f"检查点属于账本 {origin}，而密钥属于 {key.name}",
            )
        ]
    if signed_by(proof.signed.note, key) is not True:
        return key.text, [
            sheet_fault(
                SheetWrong.SIGNATURE,
                f"the checkpoint of size {proof.signed.checkpoint.size} is not signed by the key {key.text}; after a "
                "rotation, give the key that the ledger had then",
                f"条目数为 {proof.signed.checkpoint.size} 的检查点不是由密钥 {key.text} 签署；"
                "若密钥已更换，请给出当时的密钥",
            )
        ]
    if proof.key not in (None, key.text):
        return key.text, [
            sheet_fault(
                SheetWrong.SIGNATURE,
                f"the sheet says that the key {proof.key} signed, which is not so",
                f"报告称由密钥 {proof.key} 签署，与事实不符",
            )
        ]
    return key.text, []


def _own_key(proof: StationProof) -> VerifierKey | None:
    try:
        return None if proof.key is None else parse_verifier(proof.key)
    except NoteError:
        return None


def _check_kept(proof: StationProof, trust: Trust) -> Iterator[SheetFault]:
    """Checkpoints that the reader kept: of the same log, and with the same root if they have the same size."""
    own = proof.signed.checkpoint
    for kept in (one.checkpoint for one in trust.older):
        if kept.origin != own.origin:
            yield sheet_fault(
                SheetWrong.OTHER_LOG,
                f"the checkpoint is of the log {own.origin}, the checkpoint that you kept of {kept.origin}",
                f"检查点属于账本 {own.origin}，而您保存的检查点属于 {kept.origin}",
            )
        elif kept.size == own.size and kept.root != own.root:
            yield sheet_fault(
                SheetWrong.FORKED,
                f"the checkpoint that you kept of size {kept.size} has another root",
                f"您保存的条目数为 {kept.size} 的检查点根哈希不同",
            )


def _check_witnesses(proof: StationProof, trust: Trust) -> Iterator[SheetFault]:
    found = {name for name, _ in _cosigned(proof, trust)}
    for witness in trust.witnesses:
        if witness.name not in found:
            yield sheet_fault(
                SheetWrong.NO_WITNESS,
                f"{witness.name} did not sign the checkpoint of size {proof.signed.checkpoint.size}",
                f"{witness.name} 未签署条目数为 {proof.signed.checkpoint.size} 的检查点",
            )


def _cosigned(proof: StationProof, trust: Trust) -> Iterator[tuple[str, int]]:
    for witness in trust.witnesses:
        at = cosigned_at(proof.signed.note, witness)
        if at is not None:
            yield witness.name, at


def _check_range(proof: StationProof) -> Iterator[SheetFault]:
    """The sheet has each of its counted days once, in order, and they are days of its month."""
    expected = [proof.first + timedelta(days=n) for n in range((proof.last - proof.first).days + 1)]
    if not expected or [day.day for day in proof.days] != expected:
        yield sheet_fault(
            SheetWrong.MISSING,
            f"the days are not each day from {proof.first} to {proof.last}",
            f"日期不是 {proof.first} 至 {proof.last} 的每一天",
        )
    if {f"{day:%Y-%m}" for day in (proof.first, proof.last)} != {proof.period}:
        yield sheet_fault(
            SheetWrong.SWAPPED,
            f"{proof.first} to {proof.last} are not days of {proof.period}",
            f"{proof.first} 至 {proof.last} 不属于 {proof.period}",
        )
