"""What all targets of notifications share: the parcel that they get, and the error of a failed attempt. Pure."""

from datetime import datetime
from typing import Protocol

import msgspec

from alerting.delivery.facts import AlertFacts, AlertMessage


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery. `key` is the idempotency key: the same at every attempt. `at`: when this attempt is made."""

    key: str
    at: datetime
    facts: AlertFacts
    message: AlertMessage


class SendError(Exception):
    """The target did not take the message. The text holds no secret; `status` is the HTTP status, None without one.

    `refused`: the target will never take this message. `wait`: seconds for which the target takes no message.
    """

    def __init__(self, text: str, status: int | None = None, *, refused: bool = False, wait: float = 0.0) -> None:
        super().__init__(text)
        self.status, self.refused, self.wait = status, refused, wait


class AlertTarget(Protocol):
    """Where notifications are sent."""

    @property
    def name(self) -> str:
        """The name of the target in the database."""

    async def send(self, parcel: Parcel) -> None:
        """Send one delivery. Returns when the target has taken it, else raises SendError."""
