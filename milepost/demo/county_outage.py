"""The demo cuts the network of a county: its terminals go on, and the system does not hear them."""

from datetime import UTC, datetime
from typing import Any, Final

from milepost.demo.fleet import DemoFleet
from milepost.demo.questions import Ask, Facts
from milepost.demo.story import BrokenStepError

COUNTY: Final = "630225"


class CountyOutage:
    """The outage of the county, and what the API says of its stations."""

    def __init__(self, fleet: DemoFleet, ask: Ask) -> None:
        self._fleet, self._ask = fleet, ask
        # By station: the seconds of silence after which it was offline.
        self._silent: dict[str, float] = {}

    async def cut(self) -> None:
        """Cut the county's network."""
        self._silent = {}
        self._fleet.do(COUNTY, "cut")

    async def join(self) -> None:
        """Repair the county's network."""
        self._fleet.do(COUNTY, "join")

    async def offline(self, *, early: float, late: float) -> Facts:
        """The shortest and the longest silence after which the county's stations went offline, once all have.

        Raises BrokenStepError for a silence shorter than `early` or longer than `late` seconds.
        """
        found = await self._county()
        for station in found:
            if station["verdict"] != "offline" or station["id"] in self._silent:
                continue
            silent = (datetime.now(UTC) - datetime.fromisoformat(station["last_seen"])).total_seconds()
            if not early <= silent <= late:
                raise BrokenStepError(
                    f"station {station['id']} OFFLINE after {silent:.1f} s of silence",
                    f"服务点 {station['id']} 静默 {silent:.1f} 秒后判为离线",
                )
            self._silent[station["id"]] = silent
        if not found or len(self._silent) < len(found):
            return None
        return {"count": len(found), "first": min(self._silent.values()), "last": max(self._silent.values())}

    @property
    def fallen(self) -> int:
        """How many stations of the county went offline."""
        return len(self._silent)

    async def online(self) -> Facts:
        """How many stations the county has, once all of them are online."""
        found = await self._county()
        return {"count": len(found)} if found and all(one["verdict"] == "online" for one in found) else None

    async def presence(self) -> Facts:
        """The shortest outage in the histories of the county's stations, once each is proved by presence records."""
        lasted = [await self._presence_of(station) for station in self._silent]
        known = [seconds for seconds in lasted if seconds is not None]
        return {"count": len(known), "seconds": min(known)} if known and len(known) == len(lasted) else None

    async def _presence_of(self, station: str) -> float | None:
        """Seconds of a station's history that presence records prove; None when there are none."""
        history_of = await self._ask(f"stations/{station}/timeline") or {"intervals": []}
        proved = [one for one in history_of["intervals"] if one["evidence"] == "presence"]
        seconds = sum(
            (datetime.fromisoformat(p["to"]) - datetime.fromisoformat(p["from"])).total_seconds() for p in proved
        )
        return seconds or None

    async def _county(self) -> list[Any]:
        listing = await self._ask(f"stations?area={COUNTY}&limit=1000") or {"items": []}
        return list(listing["items"])
