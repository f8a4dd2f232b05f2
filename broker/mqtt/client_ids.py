"""The client id of a bridge: kept over reconnects, and replaced when another client uses it. Pure."""

import os
from typing import Final

from contract.topics import START_BYTES, client_id

SHORT_LIFE: Final = 60.0
"""Seconds; a connection that the broker accepted and that ended sooner was short."""
SHORT_LIVES: Final = 3
"""Short connections in a row after which the client id is given up: Mosquitto 2.0 does not say that it was taken."""


class BridgeClientId:
    """`value` is `name` and random bytes, so that a client that knows one id cannot know the next."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._short_lives = 0
        self.value = self._draw()

    def replace(self) -> None:
        """Draw another id; the short connections of the old one no longer count."""
        self._short_lives = 0
        self.value = self._draw()

    def is_suspect(self, lived: float) -> bool:
        """Whether a connection that ended after `lived` seconds is the last of so many short ones that another client
        seems to use this id."""
        self._short_lives = self._short_lives + 1 if lived < SHORT_LIFE else 0
        return self._short_lives == SHORT_LIVES

    def _draw(self) -> str:
        return client_id(self._name, os.urandom(START_BYTES))
