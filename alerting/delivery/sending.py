"""What the ways to a contact share: the envelope that they send to an address, and what came of it. Pure.

Targets of MILEPOST_ALERT_URLS have an interface of their own: alerting/delivery/targets.py.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from alerting.delivery.facts import AlertMessage
from alerting.delivery.texts import Language
from registry.contacts.model import Address


class SendVerdict(StrEnum):
    """What came of an attempt; the values are stored."""

    TAKEN = "taken"
    #: Not taken: the provider takes nothing for this address for a while.
    THROTTLED = "throttled"
    #: Not taken, and this message never will be.
    REFUSED = "refused"
    #: Not taken now; perhaps later.
    FAILED = "failed"
    #: Perhaps taken: the request was sent and its answer did not come, or cannot be understood.
    UNKNOWN = "unknown"


class SendOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an attempt. `why`: without secrets, for operators."""

    verdict: SendVerdict
    why: str = ""
    #: Seconds for which the provider takes nothing for this address; 0: it did not say.
    silent: float = 0.0
    #: The address itself is wrong or closed, so that no message can be sent to it; only with `REFUSED`.
    dead: bool = False


class MessageContent(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one contact, with one page or many. It is frozen at the first attempt, so every retry is equal."""

    text: AlertMessage
    language: Language
    #: The gravest severity of its pages.
    severity: str
    #: Each page as fields for machines, as docs/alerts.md describes them: alerting/delivery/fields.py.
    events: list[dict[str, Any]] = []


class PageEnvelope(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to send a message."""

    #: The idempotency key: the id of the message, the same at each attempt.
    key: str
    #: When this attempt is made.
    at: datetime
    #: 1 at the first attempt.
    number: int
    content: MessageContent


class ChannelSender(Protocol):
    """Sends to addresses of any kind; many sends may be under way at once."""

    async def send(self, address: Address, envelope: PageEnvelope) -> SendOutcome:
        """Make one attempt within the time limit of the sender. It raises nothing but CancelledError: what went wrong
        is in the outcome. It neither waits for a limit nor tries again: its caller does."""
