"""A browser's line of 20 kbit/s that loses requests, and what goes over it."""

import asyncio
import random
from typing import Any, Final, Self

BYTES_PER_SECOND: Final = 2500.0
"""20 kbit/s."""
LATENCY_MS: Final = 600.0
"""From the request until its answer begins, as on 2G."""
_PAGES: Final = [{"urlPattern": "*/i/*"}]


class SlowLine:
    """The line of one page. `lost`: the share of requests for pages that fail, half of them after the server has
    answered; by a seed, so that every run loses the same. Requests for files are not lost."""

    def __init__(self, session: Any, lost: float = 0.0, seed: int = 1) -> None:
        self._session, self._lost, self._dice = session, lost, random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent = self.received = self.requests = self.dropped = 0

    @classmethod
    async def of(cls, page: Any, *, slow: bool = True, lost: float = 0.0, seed: int = 1) -> Self:
        """The line of a page from now on."""
        line = cls(await page.context.new_cdp_session(page), lost, seed)
        await line._open(slow=slow)
        return line

    @property
    def bytes(self) -> int:
        """Everything that went over the line in both directions, with headers."""
        return self.sent + self.received

    async def _open(self, *, slow: bool) -> None:
        self._session.on("Network.requestWillBeSent", self._count_body)
        self._session.on("Network.requestWillBeSentExtraInfo", self._count_request)
        self._session.on("Network.loadingFinished", self._count_answer)
        self._session.on("Fetch.requestPaused", self._decide)
        await self._session.send("Network.enable")
        if slow:
            throughput = {"downloadThroughput": BYTES_PER_SECOND, "uploadThroughput": BYTES_PER_SECOND}
            await self._session.send(
                "Network.emulateNetworkConditions", {"offline": False, "latency": LATENCY_MS, **throughput}
            )
        if self._lost:
            stages = [{**one, "requestStage": stage} for one in _PAGES for stage in ("Request", "Response")]
            await self._session.send("Fetch.enable", {"patterns": stages})

    def _count_body(self, event: dict[str, Any]) -> None:
        self.sent += len(event["request"].get("postData", "").encode())

    def _count_request(self, event: dict[str, Any]) -> None:
        self.requests += 1
        self.sent += sum(len(name) + len(value) + 4 for name, value in event["headers"].items())

    def _count_answer(self, event: dict[str, Any]) -> None:
        self.received += int(event["encodedDataLength"])

    def _decide(self, event: dict[str, Any]) -> None:
        fails = self._dice.random() < self._lost / 2
        self.dropped += fails
        given = {"requestId": event["requestId"], **({"errorReason": "ConnectionReset"} if fails else {})}
        step = asyncio.create_task(self._session.send("Fetch.failRequest" if fails else "Fetch.continueRequest", given))
        self._tasks.add(step)
        step.add_done_callback(self._tasks.discard)
