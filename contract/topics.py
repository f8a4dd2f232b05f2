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
    """The parts of a topic."""

    station: str
    terminal: str
    channel: str

    def __str__(self) -> str:
        return f"{ROOT}/{VERSION}/{self.station}/{self.terminal}/{self.channel}"


def is_station_id(text: str) -> bool:
    """Whether `text` can be the id of a station."""
    return _STATION.fullmatch(text) is not None


def is_terminal_id(text: str) -> bool:
    """Whether `text` can be the id of a terminal within its station."""
    return _TERMINAL.fullmatch(text) is not None


START_BYTES: Final = 8
"""Number of random bytes at the end of a client id; a process draws new ones at each start."""


def terminal_name(station: str, terminal: str) -> str:
    """The name of a terminal in one word, also for its files."""
    return f"{station}-{terminal}"


def client_id(name: str, start: bytes) -> str:
    """The MQTT client id of a terminal or a service: its name and the random bytes `start` (`START_BYTES` of them).

    If two clients use one client id, a broker ends the older connection, whatever their accounts are. With an id that
    cannot be guessed, no other client can end the connection.
    """
    return f"{name}-{start.hex()}"


def pulse_topic(bridge: str) -> str:
    """The topic on which a bridge publishes its pulse and receives it again."""
    return f"{PULSE_ROOT}/{bridge}"


def parse_topic(text: str) -> Topic:
    """Split a topic into its parts. Raises RefusedError (bad_topic, unknown_channel) for any other topic."""
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
