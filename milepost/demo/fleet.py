"""The demo's simulated stations: 40 of one prefecture, what happens to them, and what the system says of it."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

from agents.config import parse_broker
from agents.simulator import journal, roster
from agents.simulator.checker import check
from agents.simulator.fleet import Fleet
from agents.simulator.lives import History, history
from contract.glossary import word
from milepost.commands import check_api
from milepost.demo.story import BrokenStepError
from milepost.files import raise_file_limit
from milepost.stack.stack import Stack

STATIONS: Final = 40
TERMINALS: Final = 3
EVERY: Final = 2.0
PREFECTURE: Final = "630200000000"
COUNTY: Final = "630225"
CLONED: Final = "6302020001"
BABBLING: Final = "6302030001"
BROKEN_MESSAGES: Final = 3
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of the journal: a demo that is left running must not fill the disk."""

Ask = Callable[[str], Any]
Facts = dict[str, object] | None


class DemoFleet:
    """The fleet of the demo; what `see`s asks the system by its API only."""

    def __init__(self, stack: Stack, ask: Ask) -> None:
        self._stack, self._ask = stack, ask
        self._path = stack.logs / "fleet.jsonl"
        self._file: BinaryIO | None = None
        self._fleet: Fleet | None = None
        self._silent: dict[str, float] = {}
        self._since = 0.0
        self._known: set[int] = set()
        self._frozen: int | None = None

    async def start(self) -> None:
        """Import areas and stations, and power everybody on."""
        await self._stack.import_fleet()
        raise_file_limit(STATIONS * TERMINALS)
        profiles = roster.profiles(STATIONS, terminals=TERMINALS, every=EVERY, sample=5 * EVERY)
        self._file = self._path.open("wb")
        self._fleet = Fleet(profiles, parse_broker(str(self._stack.settings.mqtt_url)), write=self._write)
        self._fleet.start()

    def _write(self, entry: journal.Entry) -> None:
        if self._file is not None and self._file.tell() < MOST_BYTES:
            self._file.write(journal.line(entry))

    async def stop(self) -> None:
        """Whatever was done is undone; everybody leaves."""
        self.thaw()
        if self._fleet is not None:
            await self._fleet.stop()
        self._close_books()

    def _close_books(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def do(self, station: str, deed: str, value: float | None = None, *, terminal: str | None = None) -> None:
        """Do it to the terminals of a station, or of all stations whose id begins so."""
        assert self._fleet is not None  # noqa: S101  # the story begins with start
        self._fleet.do_to(lambda who: who.station.startswith(station) and terminal in (None, who.terminal), deed, value)

    # -- all -------------------------------------------------------------------------------------------------------

    async def all_online(self) -> Facts:
        """The prefecture, once every station in it is online: 40 and this machine's."""
        counts = await self._counts()
        return counts if counts is not None and counts["online"] == STATIONS + 1 else None

    async def _counts(self) -> Facts:
        area = await self._ask(f"areas/{PREFECTURE}")
        return None if area is None else dict(area["counts"])

    # -- a county's link -------------------------------------------------------------------------------------------

    async def cut(self) -> None:
        """The county's line is gone; its terminals run on."""
        self.mark()
        self._silent = {}
        self.do(COUNTY, "cut")

    async def join(self) -> None:
        self.do(COUNTY, "join")

    async def county_offline(self, *, early: float, late: float) -> Facts:
        """All stations of the county, once they are offline. BrokenStepError when one is so at a wrong time."""
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

    async def county_online(self) -> Facts:
        found = await self._county()
        return {"count": len(found)} if found and all(one["verdict"] == "online" for one in found) else None

    async def presence(self) -> Facts:
        """The outage in the history of each of the county's stations, proved by presence."""
        lasted = [await self._presence_of(station) for station in self._silent]
        known = [seconds for seconds in lasted if seconds is not None]
        return {"count": len(known), "seconds": min(known)} if known and len(known) == len(lasted) else None

    async def _presence_of(self, station: str) -> float | None:
        history_of = await self._ask(f"stations/{station}/timeline") or {"intervals": []}
        proved = [one for one in history_of["intervals"] if one["evidence"] == "presence"]
        seconds = sum(
            (datetime.fromisoformat(p["to"]) - datetime.fromisoformat(p["from"])).total_seconds() for p in proved
        )
        return seconds or None

    async def _county(self) -> list[Any]:
        listing = await self._ask(f"stations?area={COUNTY}&limit=1000") or {"items": []}
        return list(listing["items"])

    # -- our own outage --------------------------------------------------------------------------------------------

    async def freeze(self) -> None:
        """SIGSTOP: the bridge stands still, and with it everything that we could hear."""
        await self._remember_incidents()
        self.mark()
        self._frozen = self._stack.supervisor.pid("bridge")
        if self._frozen is None:
            raise BrokenStepError("the bridge does not run", "桥接进程没有运行")
        os.kill(self._frozen, signal.SIGSTOP)

    def thaw(self) -> None:
        if self._frozen is not None:
            with suppress(ProcessLookupError):
                os.kill(self._frozen, signal.SIGCONT)
        self._frozen = None

    async def thaw_again(self) -> None:
        self.mark()
        self.thaw()

    def mark(self) -> None:
        """From now on `lasted` counts."""
        self._since = time.monotonic()

    @property
    def lasted(self) -> float:
        return time.monotonic() - self._since

    async def nobody_offline_for(self, seconds: float) -> Facts:
        """After so many seconds: nobody is, and nobody was. BrokenStepError when somebody is."""
        counts = await self._counts()
        if counts is not None and counts["offline"]:
            raise BrokenStepError(
                f"{counts['offline']} stations are called offline for an outage of our own",
                f"平台自身故障期间，{counts['offline']} 个服务点被判为离线",
            )
        return counts if self.lasted >= seconds else None

    async def all_online_and_no_incident(self, seconds: float) -> Facts:
        """All online and so for `seconds`; of incidents only the pipeline's own."""
        if await self.nobody_offline_for(seconds) is None or await self.all_online() is None:
            return None
        blamed = await self._new_incidents("station_offline")
        if blamed:
            raise BrokenStepError(
                f"incidents blame stations for our own outage: {blamed}", f"平台自身故障被记为服务点故障：{blamed}"
            )
        own = await self._new_incidents("pipeline_blind")
        return {"online": STATIONS + 1, "own": len(own)} if own else None

    async def _remember_incidents(self) -> None:
        listing = await self._ask("incidents?limit=1000") or {"items": []}
        self._known = {one["id"] for one in listing["items"]}

    async def _new_incidents(self, kind: str) -> list[int]:
        listing = await self._ask(f"incidents?kind={kind}&limit=1000") or {"items": []}
        return [one["id"] for one in listing["items"] if one["id"] not in self._known]

    # -- impostors and noise ---------------------------------------------------------------------------------------

    async def clone(self) -> None:
        self.mark()
        self.do(CLONED, "clone", terminal="001")

    async def conflicting(self) -> Facts:
        """The cloned terminal, once it is named."""
        station = await self._ask(f"stations/{CLONED}")
        for terminal in station["terminals"] if station else ():
            if terminal["id"] == "001" and terminal["state"] == "conflicting":
                return {"station": CLONED, "terminal": "001", "seconds": self.lasted}
        return None

    async def end_clone(self) -> None:
        self.mark()
        self.do(CLONED, "end-clone", terminal="001")

    async def original_alone(self) -> Facts:
        """The terminal that was cloned, once it is no conflict any more. BrokenStepError when it is called offline."""
        station = await self._ask(f"stations/{CLONED}")
        for terminal in station["terminals"] if station else ():
            if terminal["id"] != "001":
                continue
            if terminal["state"] not in ("online", "conflicting"):
                raise BrokenStepError(
                    f"terminal {CLONED}-001 never stopped and is called {terminal['state']}",
                    f"终端 {CLONED}-001 从未停止，却被判为{word('verdict', terminal['state'], 'zh-CN')}",
                )
            if terminal["state"] == "online":
                return {"station": CLONED, "terminal": "001", "seconds": self.lasted}
        return None

    async def babble(self) -> None:
        self.do(BABBLING, "garbage", float(BROKEN_MESSAGES), terminal="001")

    async def refused(self) -> Facts:
        """The broken messages in the dead letters, each with its reason."""
        listing = await self._ask("deadletters?limit=1000") or {"items": []}
        reasons = [one["reason"] for one in listing["items"] if f"/{BABBLING}/" in one["topic"]]
        if len(reasons) < BROKEN_MESSAGES:
            return None
        told = sorted(set(reasons))
        chinese = "；".join(word("deadletter", reason, "zh-CN") for reason in told)
        return {"station": BABBLING, "count": len(reasons), "reasons": ", ".join(told), "reasons_zh": chinese}

    # -- the books -------------------------------------------------------------------------------------------------

    def _books(self) -> History:
        assert self._file is not None  # noqa: S101  # the story begins with start
        self._file.flush()
        with self._path.open("rb") as file:
            return history(journal.read(file))

    async def books_agree(self) -> Facts:
        """What the fleet wrote down agrees with what the system says. BrokenStepError when it never will."""
        found = self._books()
        server = (self._stack.api_url, self._stack.admin_token, found)
        seen, platform = await check_api.stations(*server), await check_api.platform(*server)
        # Life goes on meanwhile: what was stored just now is in the books of now.
        found.made = self._books().made
        findings = check(found, seen, platform=platform)
        if any(one.kind != "lost_record" for one in findings):
            said = "; ".join(f"{one.kind}: {one.station or 'Milepost'} {one.text}" for one in findings[:3])
            raise BrokenStepError(said, f"记录与系统的说法不符：{said}")
        # A record that was acknowledged just now may not be stored yet.
        records = sum(len(acked & found.made[station]) for station, acked in found.acked.items())
        if findings:
            return None
        self._close_books()
        return {"stations": len(found.stations), "records": records}
