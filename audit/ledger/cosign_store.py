"""Asks witnesses for cosignatures, beside the sealing: a witness that is slow or away delays nothing."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Final

import httpx

from audit.ledger.checkpoints import SignedCheckpoint, cosigned_at, parse_size, with_signatures
from audit.ledger.notes import NoteError, parse_signature
from audit.ledger.store import LogHead, read_proof
from audit.ledger.tiles import consistency
from audit.ledger.witness import CosignRequest, Witness
from store.pool import Connection
from store.tasks import end_tasks

log = logging.getLogger(__name__)

EVERY: Final = 60.0
"""Seconds between two cosignatures of a witness."""
_AGAIN: Final = 3600.0
"""Seconds after which a witness is asked again about a log that did not grow: its signature says when it looked."""
_TIMEOUT: Final = 10.0
_MOST_ANSWER: Final = 10_000


class _Asking:
    """One witness, as the sealer knows it."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self.size = 0
        self.due = self.again = 0.0
        self.task: asyncio.Task[httpx.Response] | None = None
        self.asked: CosignRequest | None = None

    def is_due(self, size: int, now: float) -> bool:
        """Whether to ask about a log of this size."""
        return now >= self.due and (size != self.size or now >= self.again)


class Cosigners:
    """The witnesses of a log."""

    def __init__(self, witnesses: Sequence[Witness], every: float = EVERY) -> None:
        self._asking = [_Asking(witness) for witness in witnesses]
        self._every = every
        self._client = httpx.AsyncClient(timeout=_TIMEOUT) if witnesses else None

    async def close(self) -> None:
        """End what is asked."""
        await end_tasks(*(one.task for one in self._asking if one.task is not None))
        if self._client is not None:
            await self._client.aclose()

    async def turn(self, connection: Connection, head: LogHead, signed: SignedCheckpoint) -> list[SignedCheckpoint]:
        """Take the answers that came, and ask again who is due; the checkpoints that were cosigned."""
        cosigned = [found for one in self._asking if (found := self._answer_of(one)) is not None]
        for one in self._asking:
            if one.task is None and one.is_due(signed.checkpoint.size, time.monotonic()):
                await self._ask(one, connection, head, signed)
        return cosigned

    async def _ask(self, one: _Asking, connection: Connection, head: LogHead, signed: SignedCheckpoint) -> None:
        assert self._client is not None  # noqa: S101 -- there are witnesses
        size = signed.checkpoint.size
        # A witness that saw more leaves than there are: it has to see that too.
        known = min(one.size, size)
        proof = await read_proof(connection, head.edge, consistency(known, size))
        one.asked = CosignRequest(old=known, proof=tuple(proof), signed=signed)
        one.due = time.monotonic() + self._every
        request = self._client.post(
            one.witness.url.rstrip("/") + "/add-checkpoint", content=one.asked.render().encode()
        )
        one.task = asyncio.create_task(request, name=f"ask {one.witness.key.name}")

    def _answer_of(self, one: _Asking) -> SignedCheckpoint | None:
        if one.task is None or not one.task.done():
            return None
        task, asked, one.task = one.task, one.asked, None
        assert asked is not None  # noqa: S101 -- it was asked
        try:
            answer = task.result()
            return self._read(one, asked, answer.status_code, answer.text[:_MOST_ANSWER])
        except (httpx.HTTPError, NoteError, asyncio.CancelledError) as exc:
            log.warning("no cosignature", extra={"witness": one.witness.key.name, "error": repr(exc)})
            return None

    def _read(self, one: _Asking, asked: CosignRequest, status: int, text: str) -> SignedCheckpoint | None:
        size = asked.signed.checkpoint.size
        if status == httpx.codes.CONFLICT and (known := parse_size(text.strip())) != one.size and known <= size:
            one.size, one.due = known, 0.0
            return None
        if status != httpx.codes.OK:
            said = {"witness": one.witness.key.name, "status": status, "said": text[:300]}
            log.error("a witness refuses this ledger", extra=said)
            return None
        lines = [parse_signature(line) for line in text.splitlines() if line]
        own = [line for line in lines if line.name == one.witness.key.name]
        signed = with_signatures(asked.signed, own)
        if cosigned_at(signed.note, one.witness.key) is None:
            raise NoteError("its signature does not hold", "其签名无效")
        one.size, one.again = size, time.monotonic() + _AGAIN
        return signed
