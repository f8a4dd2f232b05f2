"""What is known of a channel that does not work as it should. Pure.

A channel of a contact is named by the contact and the fingerprint of its address, never by the address.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class SendNews(StrEnum):
    """What one attempt says about its channel."""

    #: The message was taken.
    WORKS = "works"
    #: The provider refuses the channel: its token, bot or number is not valid.
    REFUSED = "refused"
    #: The provider refuses this message only, for example for its words.
    TEXT_REFUSED = "text_refused"
    #: There was no answer, or one that says nothing certain.
    FAILED = "failed"


class DeadReason(StrEnum):
    """Why a channel is dead; words of the family `reason`."""

    REFUSED = "channel_refused"
    TEXTS_REFUSED = "texts_refused"
    FAILS = "channel_fails"


class RevivalReason(StrEnum):
    """Why the incident of a dead channel ends; words of the family `reason`."""

    WORKS = "channel_works"
    REPLACED = "channel_replaced"
    RETIRED = "contact_retired"


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """The failures of a channel since it last took a message; the default is a channel that works."""

    #: The first failure of the present series.
    failing_since: datetime | None = None
    #: Attempts without a certain answer in that series.
    failures: int = 0
    #: Messages in that series that were refused for their text.
    texts_refused: int = 0
    dead_at: datetime | None = None
    reason: DeadReason | None = None
    #: The answer of the provider that made it dead, without secrets.
    why: str = ""


class DeadChannel(msgspec.Struct, frozen=True, kw_only=True):
    """A dead channel as the incident process reads it, or many with one cause (`contacts` of them)."""

    #: '' for many.
    contact: str
    fingerprint: str
    #: The kind of the channel, such as `wecom`.
    channel: str
    #: The area of the contact; None: the whole platform.
    area: str | None
    failing_since: datetime
    dead_at: datetime
    reason: str
    why: str
    #: The contact has this channel no more.
    replaced: bool = False
    retired: bool = False
    contacts: int = 1

    @property
    def key(self) -> str:
        """The key of its incident."""
        return f"channel_dead:{self.contact}:{self.fingerprint}"

    @property
    def shared_key(self) -> str:
        """The key of the incident of many channels that are dead for the same cause."""
        return f"channel_dead::{self.channel}:{self.reason}"
