"""The delivery process: sends every notification to every target, and every page to its contact, at least once.

Each target has a loop of its own, so a dead target does not delay the others. A process claims a delivery with a lease,
sends it and stores the outcome. After a crash in between, the delivery is sent again with the same idempotency key.
Several processes share the work. They must have the same targets, because the first process that reads a notification
makes its deliveries.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from alerting.delivery.apprise_target import AppriseTarget, open_plugin, quiet_apprise
from alerting.delivery.bot_target import BotTarget
from alerting.delivery.facts import AlertFacts, AlertMessage, facts_from
from alerting.delivery.log_target import LogTarget
from alerting.delivery.message import write_message, write_plainly
from alerting.delivery.pages.service import CONNECTIONS, PageLoop, PagingConfig
from alerting.delivery.pages.store import AttemptPace
from alerting.delivery.retry import GIVE_UP, GiveUp, after_failure
from alerting.delivery.senders.address_target import AddressSender, SenderConfig
from alerting.delivery.senders.gateway_store import warn_of_missing_gateways
from alerting.delivery.targets import AlertTarget, Parcel, SendError
from alerting.delivery.texts import Language
from alerting.delivery.webhook_target import WebhookTarget, webhook_of
from alerting.escalation.service import CONNECTIONS as ESCALATION_CONNECTIONS
from alerting.escalation.service import EscalationConfig, EscalationLoop
from alerting.escalation.store import SERVICE
from contract.errors import RemedyError
from contract.said import SaidError
from registry.contacts.bot_address import parse_bot
from store.migrate import require_current
from store.part_guard import PartGuard
from store.pool import UNREACHABLE, Pool, listening, open_pool
from store.signs import Signs
from store.sql import queries_beside
from store.tasks import Backoff, end_tasks, finish_after_stop, repeat_while_reachable, wait_for_first, wait_for_wake

log = logging.getLogger(__name__)

QUERIES = queries_beside(__file__)
_SPREAD = 500
_DRAIN = 2.0
_LEAST_PAUSE = 0.01


class DeliverConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`urls`: apprise URLs, secret; `senders`: for the channels of contacts. `log_path`: gets one JSON line per
    notification. Times in seconds. `poll`: the longest time between two searches for what is due; LISTEN and
    due times make earlier ones."""

    database_url: str
    urls: tuple[str, ...] = ()
    log_path: Path | None = None
    public_url: str | None = None
    language: Language = "zh-CN"
    senders: SenderConfig = SenderConfig()
    instance: str = "deliver"
    poll: float = 5.0
    send_timeout: float = 15.0
    lease: float = 30.0
    keep_pages: timedelta = timedelta(days=400)
    next_channel_after: float = 8.0
    give_up: float = GIVE_UP
    sweep: float = 60.0
    max_backoff: float = 5.0

    def __repr__(self) -> str:
        return f"DeliverConfig({len(self.urls)} urls, log_path={self.log_path})"


def open_targets(config: DeliverConfig) -> list[AlertTarget]:
    """The targets of the configuration, each once. Raises RemedyError for a target that cannot work."""
    targets: list[AlertTarget] = [] if config.log_path is None else [LogTarget(config.log_path)]
    urls = dict.fromkeys(config.urls)
    return targets + [open_target(url, place, config.send_timeout) for place, url in enumerate(urls, start=1)]


def open_target(url: str, place: int, timeout: float) -> AlertTarget:
    """The target of a URL; `place`: its number in the setting. Raises RemedyError."""
    try:
        bot = parse_bot(url)
    except SaidError as exc:
        raise RemedyError(
            f"MILEPOST_ALERT_URLS: URL {place} cannot be used (it is secret and not shown): {exc}",
            f"MILEPOST_ALERT_URLS：第 {place} 个地址无法使用（地址保密，不显示）：{exc.said.zh}",
        ) from None
    if bot is not None:
        return BotTarget(bot, url, timeout)
    notifier = open_plugin(url, place)
    webhook = webhook_of(notifier)
    return AppriseTarget(notifier, url, timeout) if webhook is None else WebhookTarget(webhook, url, timeout)


async def run(config: DeliverConfig, stop: asyncio.Event) -> None:
    """Deliver until `stop`. Raises RemedyError for a wrong target, or when the database cannot be reached at the
    start."""
    quiet_apprise()
    targets = open_targets(config)
    if not targets:
        log.warning("no alert is sent, because there is no target: set MILEPOST_ALERT_URLS or MILEPOST_ALERT_LOG")
    size = len(targets) + 3 + CONNECTIONS + ESCALATION_CONNECTIONS
    name = f"deliver {config.instance}"[:60]
    async with AddressSender(config.senders) as sender, open_pool(config.database_url, name=name, size=size) as pool:
        async with pool.acquire() as connection:
            await require_current(connection)
            await warn_of_missing_gateways(connection, config.senders)
        loops = (
            DeliveryOutbox(config, pool, targets),
            PageLoop(_paging(config), pool, sender),
            EscalationLoop(EscalationConfig(poll=config.poll, max_backoff=config.max_backoff), pool),
        )
        work = asyncio.create_task(_run_together(*(loop.run(stop) for loop in loops)), name="deliver")
        await finish_after_stop(work, stop, pool, _DRAIN + 1)


def _paging(config: DeliverConfig) -> PagingConfig:
    return PagingConfig(
        public_url=config.public_url,
        poll=config.poll,
        pace=AttemptPace(hold=config.send_timeout + 2, lease=config.send_timeout + 5),
        give_up=config.give_up,
        keep=config.keep_pages,
        next_channel_after=config.next_channel_after,
        max_backoff=config.max_backoff,
    )


async def _run_together(*loops: Coroutine[Any, Any, None]) -> None:
    """Run loops until all end; when one fails the others end too."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        await asyncio.gather(*tasks)
    finally:
        await end_tasks(*tasks)


class DeliveryOutbox:
    """The tasks of the process: `_make_deliveries` makes the deliveries of new notifications, `_sweep` gives up old
    deliveries, `_listen` wakes `_make_deliveries`, and one `_send_next` for each target sends."""

    def __init__(self, config: DeliverConfig, pool: Pool, targets: Sequence[AlertTarget]) -> None:
        self._config = config
        self._pool = pool
        self._targets = targets
        self._spread_wake = asyncio.Event()
        self._wakes = {target.name: asyncio.Event() for target in targets}
        self._stopping = False
        self._signs = Signs("deliver", config.instance)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`; attempts in progress may finish within `_DRAIN` seconds."""
        spread = self._make_deliveries if self._targets else self._idle
        loops: dict[str, Callable[[], Awaitable[None]]] = {
            "listen": self._listen,
            "sweep": self._guarded("old deliveries", self._sweep),
            "spread": self._guarded("notifications", spread),
        }
        tasks = [asyncio.create_task(self._forever(step), name=f"deliver {name}") for name, step in loops.items()]
        lanes = [
            asyncio.create_task(
                self._forever(self._guarded(f"deliveries {place}", partial(self._send_next, target))),
                name=f"deliver {target.name}",
            )
            for place, target in enumerate(self._targets, start=1)
        ]
        stopped = asyncio.create_task(stop.wait(), name="deliver stop")
        try:
            await wait_for_first(stopped, *tasks, *lanes)
            self._stopping = True
            for wake in self._wakes.values():
                wake.set()
            if lanes:
                await asyncio.wait(lanes, timeout=_DRAIN)
        finally:
            await end_tasks(stopped, *tasks, *lanes)

    def _guarded(self, part: str, step: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        guard = PartGuard(self._pool, SERVICE, part)
        return lambda: guard.run(step)

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """One step after the other; while the database is away, with a back-off."""
        longest = self._config.max_backoff
        await repeat_while_reachable(
            step, log, "delivery waits for the database", goes_on=lambda: not self._stopping, longest=longest
        )

    async def _listen(self) -> None:
        """Hold a connection that wakes `_make_deliveries`; returns when the connection is lost."""
        lost = asyncio.Event()
        async with self._pool.acquire() as connection:
            connection.add_termination_listener(lambda _: lost.set())
            async with listening(connection, {"milepost_delivery": self._on_notify}):
                self._spread_wake.set()
                await lost.wait()
        await asyncio.sleep(0.2)

    def _on_notify(self, *_: object) -> None:
        self._spread_wake.set()

    async def _make_deliveries(self) -> None:
        """Make a delivery for each target of each new notification, then wait for more."""
        names = [target.name for target in self._targets]
        async with self._pool.acquire() as connection:
            spread = await connection.fetch(QUERIES.spread, names, _SPREAD)
            due = await connection.fetchval(QUERIES.next_notification)
            await self._signs.give(connection, "working", {"targets": len(names)})
        if spread:
            for wake in self._wakes.values():
                wake.set()
        if len(spread) < _SPREAD:
            await wait_for_wake(self._spread_wake, self._until(due))

    async def _idle(self) -> None:
        """Without targets: only report that the process is alive."""
        async with self._pool.acquire() as connection:
            await self._signs.give(connection, "working", {"targets": 0})
        await wait_for_wake(self._spread_wake, self._config.poll)

    async def _sweep(self) -> None:
        """Give up deliveries that are too old, with an error in the log."""
        async with self._pool.acquire() as connection:
            failed = await connection.fetch(QUERIES.give_up_old, self._config.give_up)
        for row in failed:
            log.error("an alert was NOT delivered: given up", extra=dict(row))
        await asyncio.sleep(self._config.sweep)

    async def _send_next(self, target: AlertTarget) -> None:
        """Send the next delivery of a target, or wait for one. `next_delivery` runs first: see its comment."""
        async with self._pool.acquire() as connection:
            due = await connection.fetchval(QUERIES.next_delivery, target.name)
            row = await connection.fetchrow(QUERIES.claim, target.name, self._config.lease, self._config.give_up)
        if row is None:
            await wait_for_wake(self._wakes[target.name], self._until(due))
            return
        if row["overtaken"]:
            log.info("alert overtaken", extra={"key": row["idempotency_key"]})
            await self._mark(QUERIES.mark_overtaken, row["id"])
            return
        try:
            await target.send(self._parcel(row))
        except SendError as exc:
            await self._failed(target, row, exc)
        except Exception as exc:  # any other error must cost only this delivery
            log.exception("an alert cannot be sent", extra={"key": row["idempotency_key"]})
            await self._failed(target, row, SendError(repr(exc)))
        else:
            log.info("alert delivered", extra={"key": row["idempotency_key"]})
            await self._mark(QUERIES.mark_sent, row["id"])

    def _until(self, due: float | None) -> float:
        """How long to wait for what becomes due in `due` seconds; None: nothing that has a time."""
        return self._config.poll if due is None else min(self._config.poll, max(due, _LEAST_PAUSE))

    def _parcel(self, row: asyncpg.Record) -> Parcel:
        facts = facts_from(row)
        message: AlertMessage = self._write(facts, row["now"])
        return Parcel(key=row["idempotency_key"], at=row["now"], facts=facts, message=message)

    def _write(self, facts: AlertFacts, now: datetime) -> AlertMessage:
        """The text of a notification; its kind and link only, if that text cannot be made."""
        language, url = self._config.language, self._config.public_url
        try:
            return write_message(facts, language=language, public_url=url, now=now)
        except Exception:
            log.exception("an alert cannot be written as it should", extra={"incident": facts.incident})
            return write_plainly(facts, language=language, public_url=url)

    async def _failed(self, target: AlertTarget, row: asyncpg.Record, error: SendError) -> None:
        fields = {
            "target": target.name,
            "key": row["idempotency_key"],
            "attempts": row["attempts"],
            "error": str(error),
        }
        choice = after_failure(
            status=error.status,
            refused=error.refused,
            wait=error.wait,
            attempts=row["attempts"],
            age=row["age"],
            give_up=self._config.give_up,
            roll=random.random(),  # noqa: S311 -- jitter, not for security
        )
        if isinstance(choice, GiveUp):
            log.error("an alert was NOT delivered: given up", extra={**fields, "reason": choice.value})
            await self._mark(QUERIES.mark_failed, row["id"], f"{choice.value}: {error}")
        else:
            log.warning("an alert is not delivered yet", extra={**fields, "retry_s": round(choice.seconds, 1)})
            await self._mark(QUERIES.mark_retry, row["id"], choice.seconds, str(error))

    async def _mark(self, query: str, *arguments: object) -> None:
        """Store the outcome of an attempt; retry while the database cannot be reached. An outcome that is lost with the
        process makes the delivery be sent again."""
        backoff = Backoff(longest=self._config.max_backoff)
        while True:
            try:
                async with self._pool.acquire() as connection:
                    await connection.execute(query, *arguments)
            except UNREACHABLE as exc:
                await backoff.wait_out(exc, log, "an outcome cannot be written yet")
            else:
                return
