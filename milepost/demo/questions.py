"""Questions to the API that several parts of the demo ask."""

import time
from collections.abc import Callable
from typing import Any, Final

from milepost.demo.fleet import STATIONS

PREFECTURE: Final = "630200000000"

Ask = Callable[[str], Any]
"""Asks the API for a path under /api/v1/; None when there is no answer (yet)."""
Facts = dict[str, object] | None
"""What a step of the story saw, for its text; None: not seen yet."""


class Stopwatch:
    """Seconds since its last start."""

    def __init__(self) -> None:
        self._began = 0.0

    def start(self) -> None:
        """Count from now on."""
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._began


async def count_stations(ask: Ask) -> Facts:
    """How many stations of the prefecture have which verdict."""
    area = await ask(f"areas/{PREFECTURE}")
    return None if area is None else dict(area["counts"])


async def all_online(ask: Ask) -> Facts:
    """The counts, once every station is online: the simulated ones and that of this machine."""
    counts = await count_stations(ask)
    return counts if counts is not None and counts["online"] == STATIONS + 1 else None
