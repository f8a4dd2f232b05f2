"""What a simulated terminal decides, for the shell to carry out and to write into the journal. Pure."""

from enum import Enum

import msgspec

from agents.simulator import journal


class TerminalProfile(msgspec.Struct, frozen=True, kw_only=True):
    """The identity and the pace of a terminal. `area` is the code of its area, `every` and `sample` are seconds."""

    station: str
    terminal: str = "001"
    area: str = ""
    every: float = 60.0
    sample: float = 300.0


class LinkState(Enum):
    """The connection as the terminal sees it."""

    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"


class Faults(msgspec.Struct):
    """What a script makes a terminal do wrong."""

    duplicates: bool = False
    """Each message is sent twice."""
    reorders: bool = False
    """Each second message is sent after the next one."""
    stuck: bool = False
    """The numbers of heartbeats do not rise."""
    skips: bool = False
    """Each second number is left out."""
    anonymous: bool = False
    """Messages do not name their connection."""
    invents: int = 0
    """Number of terminals that do not exist and send heartbeats with the account of the station."""


class Connect(msgspec.Struct, frozen=True):
    """Make a connection with this Last Will; an older one is dropped. `keepalive` is in seconds."""

    will: bytes
    keepalive: int


class Publish(msgspec.Struct, frozen=True, kw_only=True):
    """Write a message; QoS 1 when it has a message id. `entry` is its line in the journal."""

    topic: str
    payload: bytes
    mid: int = 0
    retain: bool = False
    entry: journal.Entry | None = None


class Drop(msgspec.Struct, frozen=True):
    """End the connection; with a goodbye the Last Will is not published."""

    goodbye: bool = False


class Note(msgspec.Struct, frozen=True):
    """A line for the journal."""

    entry: journal.Entry


Action = Connect | Publish | Drop | Note


class ActionQueue:
    """Collects actions until the shell takes them; `faults` may duplicate or reorder messages."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._actions: list[Action] = []
        self._held: Publish | None = None

    def add(self, action: Connect | Drop | Note) -> None:
        """Append an action that no fault touches."""
        self._actions.append(action)

    def publish(self, message: Publish) -> None:
        """Append a message, twice or after the next one if a fault says so."""
        if self._faults.reorders and self._held is None:
            self._held = message
            return
        self._actions.append(message)
        if self._held is not None:
            held, self._held = self._held, None
            self._actions.append(held)
        if self._faults.duplicates:
            self._actions.append(message)

    def connection_lost(self) -> None:
        """A message that was held back is lost with its connection."""
        self._held = None

    def take(self) -> list[Action]:
        """What was decided since the last call."""
        taken, self._actions = self._actions, []
        return taken
