"""MQTT topics: ``milepost/v1/{station}/{terminal}/{channel}``."""

import re
from typing import Final

import msgspec

from contract.refusal import Reason, RefusedError

ROOT: Final = "milepost"
VERSION: Final = "v1"
PULSE_ROOT: Final = "milepost-pulse/v1"

UP_CHANNELS: Final = frozenset({"heartbeat", "status", "data", "reply"})
DOWN_CHANNELS: Final = frozenset({"ack", "command", "config"})

STATION_PATTERN: Final = r"[0-9A-Za-z_-]{1,32}"
TERMINAL_PATTERN: Final = r"[0-9A-Za-z]{1,8}"
_STATION = re.compile(STATION_PATTERN)
_TERMINAL = re.compile(TERMINAL_PATTERN)
_TOPIC = re.compile(f"{ROOT}/{VERSION}/({STATION_PATTERN})/({TERMINAL_PATTERN})/([a-z]+)")


class Topic(msgspec.Struct, frozen=True):
    """A topic taken apart."""

    station: str
    terminal: str
    channel: str

    def __str__(self) -> str:
        return f"{ROOT}/{VERSION}/{self.station}/{self.terminal}/{self.channel}"


def is_station_id(text: str) -> bool:
    return _STATION.fullmatch(text) is not None


def is_terminal_id(text: str) -> bool:
    return _TERMINAL.fullmatch(text) is not None


START_BYTES: Final = 8
"""Random bytes at the end of a client id, drawn anew at each start of a process."""


def terminal_name(station: str, terminal: str) -> str:
    """A terminal in one word, as its files are called."""
    return f"{station}-{terminal}"


def client_id(name: str, start: bytes) -> str:
    """The MQTT client id of a terminal or a service: its name, and what only the running process knows.

    A broker ends the older of two connections with one client id, whatever account asks for it; so an id that can be
    guessed can be taken. `start` has `START_BYTES` random bytes.
    """
    return f"{name}-{start.hex()}"


def pulse_topic(bridge: str) -> str:
    return f"{PULSE_ROOT}/{bridge}"


def parse_topic(text: str) -> Topic:
    """Take a topic apart; raise `RefusedError` (bad_topic, unknown_channel) when it is not one of ours."""
    match = _TOPIC.fullmatch(text)
    if match is None:
        raise RefusedError(Reason.BAD_TOPIC, _what_is_wrong(text))
    station, terminal, channel = match.groups()
    if channel not in UP_CHANNELS and channel not in DOWN_CHANNELS:
        known = ", ".join(sorted(UP_CHANNELS))
        raise RefusedError(Reason.UNKNOWN_CHANNEL, f"channel {channel!r} is not known; known are {known}")
    return Topic(station, terminal, channel)


def _what_is_wrong(text: str) -> str:
    parts = text.split("/")
    if len(parts) != 5 or parts[0] != ROOT:
        return f"expected {ROOT}/{VERSION}/STATION/TERMINAL/CHANNEL"
    if parts[1] != VERSION:
        return f"version {parts[1]!r} is not known; this is {VERSION}"
    if not is_station_id(parts[2]):
        return f"station {parts[2]!r} must match {STATION_PATTERN}"
    if not is_terminal_id(parts[3]):
        return f"terminal {parts[3]!r} must match {TERMINAL_PATTERN}"
    return f"channel {parts[4]!r} is not a channel name"
