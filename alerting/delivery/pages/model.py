"""What is owed to a contact and what is under way to it, and what is decided about both, as values. Pure."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from alerting.delivery.pages.limits import Granted, TakenTokens
from alerting.delivery.sending import SendVerdict
from alerting.delivery.texts import Language
from registry.contacts.model import Channel

ALARMS: Final = frozenset({"opened", "escalated", "reminder", "reopened"})
"""The phases that say that something is wrong."""
ENDS: Final = frozenset({"closed", "resolved"})
"""The phases that go only to recipients of an earlier message, also of one whose delivery is unknown."""


class UnpaidReason(StrEnum):
    """Why a page is cancelled, failed or late; the values are stored."""

    ACKNOWLEDGED = "acknowledged"
    OVER = "over"
    REOPENED = "reopened"
    NEVER_TOLD = "never_told"
    NO_CHANNEL = "no_channel"
    TOO_OLD = "too_old"
    #: Every channel was tried in vain, and the last one is still tried.
    UNREACHED = "unreached"


class OwedPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a contact with what is known of its incident now."""

    id: int
    incident: int
    share: str = ""
    phase: str
    severity: str
    created_at: datetime
    #: The time until which the page is or was held; None: the page was never held.
    not_before: datetime | None = None
    #: Whether an earlier message about the incident was delivered to the contact, or its delivery is unknown.
    told: bool = False
    #: The fingerprints of the channels that were given up for this page.
    tried: frozenset[str] = frozenset()
    #: The fingerprints of the channels that did not answer in time; the page then went on to the next channel.
    hastened: frozenset[str] = frozenset()
    over: bool = False
    acknowledged_at: datetime | None = None


class OpenMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is not settled, with its pages that are not settled otherwise."""

    id: UUID
    fingerprint: str
    #: When it may be tried again; while an attempt is under way, the end of its lease.
    due_at: datetime
    #: What came of its attempts; None: the process died, and the outcome is unknown.
    attempts: tuple[SendVerdict | None, ...]
    pages: tuple[OwedPage, ...]


class ContactBook(msgspec.Struct, frozen=True, kw_only=True):
    """A contact with all that is owed and under way to it."""

    contact: str
    language: Language
    #: In the order in which they are tried; none for a retired contact.
    channels: tuple[Channel, ...]
    #: The fingerprints of channels that are known not to work: one attempt is enough to go on to the next.
    dead: frozenset[str] = frozenset()
    #: Those of them that were tried lately: tried last.
    resting: frozenset[str] = frozenset()
    pages: tuple[OwedPage, ...] = ()
    messages: tuple[OpenMessage, ...] = ()
    #: Messages without an answer in time, with their owed pages: sent again when no other channel is left.
    hastened: tuple[OpenMessage, ...] = ()
    #: By fingerprint.
    tokens: Mapping[str, TakenTokens] = {}


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to make now. `message`: a message to send again; None: a new one with these pages."""

    message: UUID | None
    channel: Channel
    pages: tuple[OwedPage, ...]
    granted: Granted
    #: What came of the earlier attempts of this message.
    attempts: tuple[SendVerdict | None, ...] = ()
    #: Whether each of its pages has another channel to try.
    has_next: bool = False
    #: Whether the channel is known not to work.
    dead: bool = False

    @property
    def may_hasten(self) -> bool:
        """Whether the next channel may be tried while this attempt is still waiting for an answer: once for a
        message."""
        return self.message is None and self.has_next and any(page.severity == "critical" for page in self.pages)


class PageTurn(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided for a contact at one moment. Pages that are left stay owed; `look_at`: when to look again at
    the latest, if nothing happens before; None: at the end of the attempt."""

    cancelled: tuple[tuple[int, UnpaidReason], ...] = ()
    failed: tuple[tuple[int, UnpaidReason], ...] = ()
    #: Messages that are not sent any more; those of their pages that are neither cancelled nor failed are owed again.
    dropped: tuple[UUID, ...] = ()
    sending: Sending | None = None
    look_at: datetime | None = None
