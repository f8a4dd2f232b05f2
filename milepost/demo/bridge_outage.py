"""The demo stops the bridge: an outage of the platform, for which no station may be called offline."""

import os
import signal
from contextlib import suppress

from milepost.demo.fleet import STATIONS
from milepost.demo.questions import Ask, Facts, Stopwatch, all_online, count_stations
from milepost.demo.story import BrokenStepError
from milepost.stack.stack import Stack


class BridgeOutage:
    """The stopped bridge, and what the API says meanwhile."""

    def __init__(self, stack: Stack, ask: Ask) -> None:
        self._stack, self._ask = stack, ask
        self._stopwatch = Stopwatch()
        self._known: set[int] = set()
        self._frozen: int | None = None

    async def stop_bridge(self) -> None:
        """SIGSTOP: the bridge stands still, and no message of any terminal arrives."""
        await self._remember_incidents()
        self._stopwatch.start()
        self._frozen = self._stack.supervisor.pid("bridge")
        if self._frozen is None:
            raise BrokenStepError("the bridge does not run", "桥接进程没有运行")
        os.kill(self._frozen, signal.SIGSTOP)

    def undo(self) -> None:
        """Let the bridge go on, if it was stopped."""
        if self._frozen is not None:
            with suppress(ProcessLookupError):
                os.kill(self._frozen, signal.SIGCONT)
        self._frozen = None

    async def continue_bridge(self) -> None:
        """SIGCONT: the bridge goes on."""
        self._stopwatch.start()
        self.undo()

    async def none_offline_for(self, seconds: float) -> Facts:
        """The counts, once so many seconds have passed. Raises BrokenStepError as soon as a station is offline."""
        counts = await count_stations(self._ask)
        if counts is not None and counts["offline"]:
            raise BrokenStepError(
                f"{counts['offline']} stations are called offline for an outage of our own",
                f"平台自身故障期间，{counts['offline']} 个服务点被判为离线",
            )
        return counts if self._stopwatch.seconds >= seconds else None

    async def all_online_and_no_incident(self, seconds: float) -> Facts:
        """Once so many seconds have passed, all stations are online, and the only new incident is of the platform."""
        if await self.none_offline_for(seconds) is None or await all_online(self._ask) is None:
            return None
        wrong = await self._new_incidents("station_offline")
        if wrong:
            raise BrokenStepError(
                f"incidents blame stations for our own outage: {wrong}", f"平台自身故障被记为服务点故障：{wrong}"
            )
        own = await self._new_incidents("pipeline_blind")
        return {"online": STATIONS + 1, "own": len(own)} if own else None

    async def _remember_incidents(self) -> None:
        listing = await self._ask("incidents?limit=1000") or {"items": []}
        self._known = {one["id"] for one in listing["items"]}

    async def _new_incidents(self, kind: str) -> list[int]:
        listing = await self._ask(f"incidents?kind={kind}&limit=1000") or {"items": []}
        return [one["id"] for one in listing["items"] if one["id"] not in self._known]
