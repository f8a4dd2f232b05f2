"""Contacts and their channels as values. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

import msgspec


class ChannelKind(StrEnum):
    """The ways to a contact; the values are stored."""

    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    SMS = "sms"
    MAIL = "mail"
    WEBHOOK = "webhook"
    APPRISE = "apprise"


GROUP_CHANNELS: Final = frozenset({ChannelKind.WECOM, ChannelKind.DINGTALK, ChannelKind.FEISHU})
"""Bots of groups: more people than the contact read what is sent there."""


class Address(msgspec.Struct, frozen=True):
    """The secret address of a channel, such as a phone number or the URL of a bot with its token. It is written and
    never shown. `text` has the normal form that `registry.contacts.addresses` makes."""

    kind: ChannelKind
    text: str

    @property
    def receiver(self) -> str:
        """The part that says who gets the messages, without signing secret and people to mention; as secret as the
        whole."""
        sign = {ChannelKind.WEBHOOK: "#", ChannelKind.DINGTALK: "?", ChannelKind.FEISHU: "?"}.get(self.kind)
        return self.text if sign is None else self.text.partition(sign)[0]

    def __repr__(self) -> str:
        return f"Address({self.kind})"


class Channel(msgspec.Struct, frozen=True):
    """A channel without its address. `fingerprint`: a keyed hash of the address, which stands for it."""

    kind: ChannelKind
    fingerprint: str

    @property
    def receiver(self) -> str:
        """The part of the fingerprint that is of the receiver alone: the same bot with another signing secret or other
        people to mention has the same one. Limits of providers count by it."""
        return self.fingerprint.partition("-")[0]

    def __str__(self) -> str:
        return f"{self.kind}:{self.fingerprint}"


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person, or a room (a group's bot), that gets messages."""

    id: str
    name: str
    role: str
    #: The code of the area that the contact is responsible for; None: the whole platform.
    area: str | None = None
    language: Literal["zh-CN", "en"] = "zh-CN"
    room: bool = False
    #: Times, as opening rules, in which only critical incidents are sent at once.
    quiet: str | None = None
    #: The account of a person.
    account: str | None = None
    #: In the order in which they are tried.
    channels: tuple[Channel, ...] = ()
    #: Since when the contact is told of nothing: it was retired, or its account was disabled.
    retired_at: datetime | None = None
    #: Only its account is disabled: enabling the account ends that.
    muted: bool = False


class SecretChannel(msgspec.Struct, frozen=True):
    """A channel with its address, for the process that sends."""

    channel: Channel
    address: Address
