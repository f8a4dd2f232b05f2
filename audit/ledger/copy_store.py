"""Sends copies of checkpoints, beside the sealing: a place that is slow or away delays nothing."""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from alerting.delivery.senders.address_target import AddressSender, SenderConfig
from alerting.delivery.sending import PageEnvelope, SendVerdict
from alerting.delivery.texts import Language
from audit.ledger import key_files
from audit.ledger.checkpoints import SignedCheckpoint
from audit.ledger.copies import CopyKind, CopyPlace, is_copy_due, mail_of_checkpoint, parse_places
from contract.errors import RemedyError
from registry.contacts.model import Address, ChannelKind
from store.tasks import end_tasks

log = logging.getLogger(__name__)

_TIMEOUT: Final = 10.0


def read_places(path: Path) -> tuple[CopyPlace, ...]:
    """The places in a file. Raises RemedyError."""
    return parse_places(key_files.read_text(path), str(path))


class MailFailedError(Exception):
    """The gateway did not take a mail."""


class _Copying:
    """One place, and what it has."""

    def __init__(self, place: CopyPlace) -> None:
        self.place = place
        self.copied: int | None = None
        self.tried_at: float | None = None
        self.failed = 0
        self.task: asyncio.Task[int] | None = None

    def fail(self, error: str) -> None:
        """Note an attempt that failed."""
        self.failed += 1
        log.warning("no copy of the checkpoint", extra={"place": self.place.shown, "error": error})


class Copiers:
    """The places that get copies of one log."""

    def __init__(
        self, places: Sequence[CopyPlace], mail: SenderConfig | None = None, language: Language = "en"
    ) -> None:
        self._language = language
        self._mail = None if mail is None else AddressSender(mail)
        self._copying = [_Copying(place) for place in places]
        self._client = httpx.AsyncClient(timeout=_TIMEOUT) if places else None

    async def close(self) -> None:
        """End what is under way."""
        await end_tasks(*(one.task for one in self._copying if one.task is not None))
        if self._client is not None:
            await self._client.aclose()
        if self._mail is not None:
            await self._mail.__aexit__(None, None, None)

    def turn(self, signed: SignedCheckpoint) -> None:
        """Take what came of earlier copies, and begin those that are due."""
        for one in self._copying:
            self._take(one)
            size, now = signed.checkpoint.size, time.monotonic()
            if one.task is None and is_copy_due(
                size, now, copied=one.copied, tried_at=one.tried_at, failed=one.failed, every=one.place.every
            ):
                one.tried_at = now
                one.task = asyncio.create_task(self._copy(one.place, signed), name="copy a checkpoint")

    @staticmethod
    def _take(one: _Copying) -> None:
        if one.task is None or not one.task.done():
            return
        task, one.task = one.task, None
        try:
            one.copied = task.result()
            one.failed = 0
        except (httpx.HTTPError, RemedyError) as exc:
            one.fail(type(exc).__name__)
        except MailFailedError as exc:
            one.fail(str(exc))

    async def _copy(self, place: CopyPlace, signed: SignedCheckpoint) -> int:
        if place.kind is CopyKind.FILE:
            await asyncio.to_thread(key_files.write_checkpoint, Path(place.address), signed)
        elif place.kind is CopyKind.MAIL:
            await self._send_mail(place.address, signed)
        else:
            assert self._client is not None  # noqa: S101 -- there are places
            headers = {"Content-Type": "text/plain; charset=utf-8"}
            answer = await self._client.post(place.address, content=signed.note.render().encode(), headers=headers)
            answer.raise_for_status()
        return signed.checkpoint.size

    async def _send_mail(self, address: str, signed: SignedCheckpoint) -> None:
        if self._mail is None:
            raise MailFailedError("MILEPOST_MAIL_GATEWAY is not set")
        checkpoint = signed.checkpoint
        envelope = PageEnvelope(
            key=f"checkpoint-{checkpoint.origin}-{checkpoint.size}",
            at=datetime.now(UTC),
            number=1,
            content=mail_of_checkpoint(signed.note.render(), checkpoint, self._language),
        )
        outcome = await self._mail.send(Address(ChannelKind.MAIL, address), envelope)
        if outcome.verdict is not SendVerdict.TAKEN:
            raise MailFailedError(outcome.why)
