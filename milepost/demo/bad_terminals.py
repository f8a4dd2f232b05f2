"""The demo's misbehaving terminals: a second device under a known identity, and one that sends garbage."""

from typing import Final

from contract.glossary import word
from milepost.demo.fleet import DemoFleet
from milepost.demo.questions import Ask, Facts, Stopwatch
from milepost.demo.story import BrokenStepError

CLONED: Final = "6302020001"
BABBLING: Final = "6302030001"
BROKEN_MESSAGES: Final = 3


class BadTerminals:
    """The misbehaving terminals, and what the API says of them."""

    def __init__(self, fleet: DemoFleet, ask: Ask) -> None:
        self._fleet, self._ask = fleet, ask
        self._stopwatch = Stopwatch()

    async def clone(self) -> None:
        """Start a second device with the identity of the first terminal."""
        self._stopwatch.start()
        self._fleet.do(CLONED, "clone", terminal="001")

    async def conflicting(self) -> Facts:
        """The seconds until the cloned terminal is `conflicting`, once it is."""
        station = await self._ask(f"stations/{CLONED}")
        for terminal in station["terminals"] if station else ():
            if terminal["id"] == "001" and terminal["state"] == "conflicting":
                return {"station": CLONED, "terminal": "001", "seconds": self._stopwatch.seconds}
        return None

    async def end_clone(self) -> None:
        """Switch the second device off."""
        self._stopwatch.start()
        self._fleet.do(CLONED, "end-clone", terminal="001")

    async def original_alone(self) -> Facts:
        """The seconds until the cloned terminal is online again. Raises BrokenStepError when it is neither that nor
        conflicting."""
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
                return {"station": CLONED, "terminal": "001", "seconds": self._stopwatch.seconds}
        return None

    async def send_garbage(self) -> None:
        """Send messages that cannot be read."""
        self._fleet.do(BABBLING, "garbage", float(BROKEN_MESSAGES), terminal="001")

    async def refused(self) -> Facts:
        """The broken messages in the dead letters, each with its reason."""
        listing = await self._ask("deadletters?limit=1000") or {"items": []}
        reasons = [one["reason"] for one in listing["items"] if f"/{BABBLING}/" in one["topic"]]
        if len(reasons) < BROKEN_MESSAGES:
            return None
        named = sorted(set(reasons))
        chinese = "；".join(word("deadletter", reason, "zh-CN") for reason in named)
        return {"station": BABBLING, "count": len(reasons), "reasons": ", ".join(named), "reasons_zh": chinese}
