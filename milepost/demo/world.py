"""What the demo does and sees: this machine's agent, and the system from outside, by its API and its alert log."""

import asyncio
import signal
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from contract.environ import bare_environ
from milepost import datadir, http
from milepost.demo.bad_terminals import BadTerminals
from milepost.demo.bridge_outage import BridgeOutage
from milepost.demo.county_outage import CountyOutage
from milepost.demo.fleet import DemoFleet
from milepost.demo.journal_check import JournalCheck
from milepost.demo.past import DemoPast
from milepost.demo.people import DemoPeople
from milepost.demo.questions import Facts, all_online
from milepost.demo.story import BrokenStepError
from milepost.processes import children
from milepost.stack.environs import own_command
from milepost.stack.stack import Stack

STATION = "6321220007"
EVERY = "2"


class DemoWorld:
    """The station of this machine, the simulated stations, and what happens to them."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._agent: asyncio.subprocess.Process | None = None
        self._last_seen: datetime | None = None
        self._began = time.monotonic()
        self._incident: int | None = None
        self._fleet = DemoFleet(stack)
        self._journal = JournalCheck(self._fleet, stack)
        self.county = CountyOutage(self._fleet, self._ask)
        self.bridge = BridgeOutage(stack, self._ask)
        self.bad = BadTerminals(self._fleet, self._ask)
        self.people = DemoPeople(stack, self._ask)
        self.past = DemoPast(stack, self._ask)

    @property
    def silent(self) -> float:
        """Seconds since the last heartbeat that the system heard."""
        return 0.0 if self._last_seen is None else (datetime.now(UTC) - self._last_seen).total_seconds()

    @property
    def incident(self) -> int | None:
        """The incident of the station of this machine, once it was seen."""
        return self._incident

    async def start_all(self) -> None:
        """Import the fleet's stations, and start all terminals, the agent of this machine too."""
        await self._fleet.start()
        await self.people.arrive()
        await self.start_agent()

    async def stop(self) -> None:
        """End what was started, in good order."""
        self.bridge.undo()
        await self.people.leave()
        await self._fleet.stop()
        await self.stop_agent()

    async def start_agent(self) -> None:
        """Start this machine's agent, as a person would on a terminal."""
        home = datadir.subdirectory(self._stack.settings.data, "agent")
        command = own_command("agent", "--station", STATION, "--every", EVERY, "--sample", EVERY, "--usable", "yes")
        command += ["--broker", str(self._stack.settings.mqtt_url), "--data", str(home)]
        self._agent = await children.spawn(command, log=self._stack.logs / "agent.log", environ=bare_environ())

    async def repair_station(self) -> None:
        """Let the technician say what was wrong, and start the agent again."""
        await self.people.repair(self._incident)
        await self.start_agent()

    async def kill_agent(self) -> None:
        """kill -9: the agent sends no farewell."""
        if self._agent is not None:
            children.send(self._agent, signal.SIGKILL)
            await self._agent.wait()

    async def stop_agent(self) -> None:
        """End the agent in good order, if it still runs."""
        if self._agent is None or self._agent.returncode is not None:
            return
        children.send(self._agent, signal.SIGTERM)
        try:
            async with asyncio.timeout(4):
                await self._agent.wait()
        except TimeoutError:
            children.send(self._agent, signal.SIGKILL)

    async def verdict_is(self, verdict: str) -> Facts:
        """The station, once its verdict is this one."""
        self._require_agent_alive(verdict)
        station = await self._ask(f"stations/{STATION}")
        if station is None:
            return None
        self._note_last_seen(station)
        return {"station": STATION} if station["verdict"] == verdict else None

    async def all_online(self) -> Facts:
        """The counts, once every station of the prefecture is online."""
        return await all_online(self._ask)

    async def journal_agrees(self) -> Facts:
        """How much was compared, once the fleet's journal and the system agree. Raises BrokenStepError."""
        return await self._journal.agree()

    async def online_for(self, seconds: float) -> Facts:
        """Whether it has been so long since the story began and the station is online."""
        return await self.verdict_is("online") if time.monotonic() - self._began >= seconds else None

    async def health(self) -> Facts:
        """The newest health sample that has values of processor, memory and disk."""
        listing = await self._ask(f"stations/{STATION}/health") or {"items": []}
        for item in listing["items"]:
            if all(item.get(name) is not None for name in ("cpu", "mem", "disk")):
                return {name: item[name] for name in ("cpu", "mem", "disk")}
        return None

    async def incident_opened(self) -> Facts:
        """The station's incident, once it is open."""
        listing = await self._ask("incidents?status=open&kind=station_offline") or {"items": []}
        for item in listing["items"]:
            if item["station"] == STATION:
                self._incident = item["id"]
                return {"incident": item["id"], "silent": self.silent}
        return None

    async def alert(self, phase: Literal["opened", "closed"]) -> Facts:
        """The notification about the incident in the alert log, as `milepost deliver` wrote it."""
        for alert in await asyncio.to_thread(self._alerts):
            if (alert["incident"], alert["phase"]) == (self._incident, phase):
                return {"title": alert["title"], "silent": self.silent}
        return None

    async def county_notified(self, phase: Literal["opened", "closed"]) -> Facts:
        """The one alert about the county's outage. BrokenStepError when one of its stations has an alert too."""
        listing = await self._ask("incidents?kind=area_outage&limit=1") or {"items": []}
        for outage in listing["items"]:
            alerts = await asyncio.to_thread(self._alerts)
            notified = [alert["station"] for alert in alerts if alert["incident"] in outage["children"]]
            if notified:
                raise BrokenStepError(
                    f"alerts were sent of {', '.join(notified)}, and not only of the outage",
                    f"除这次中断外，还通知了：{'、'.join(notified)}",
                )
            titles = [a["title"] for a in alerts if (a["incident"], a["phase"]) == (outage["id"], phase)]
            if titles and len(outage["children"]) == self.county.fallen:
                return {"count": self.county.fallen, "title": titles[0]}
        return None

    def _require_agent_alive(self, verdict: str) -> None:
        if verdict == "online" and self._agent is not None and self._agent.returncode is not None:
            said = children.complaint(self._stack.logs / "agent.log")
            raise BrokenStepError(
                f"the agent ended with status {self._agent.returncode}: {said}",
                f"终端程序退出，状态码 {self._agent.returncode}：{said}",
            )

    def _alerts(self) -> list[Any]:
        log = self._stack.settings.alert_log
        text = log.read_bytes() if log is not None and log.is_file() else b""
        return [
            msgspec.json.decode(line) for line in text.splitlines() if line.startswith(b"{") and line.endswith(b"}")
        ]

    def _note_last_seen(self, station: Mapping[str, Any]) -> None:
        if station["last_seen"] is not None:
            self._last_seen = datetime.fromisoformat(station["last_seen"])

    async def _ask(self, path: str) -> Any:
        """What the API answers, or None when it has no answer (yet)."""
        url = f"{self._stack.api_url}/api/v1/{path}"
        answer = await http.get(url, token=self._stack.admin_token)
        return msgspec.json.decode(answer.body) if answer.status == 200 else None
