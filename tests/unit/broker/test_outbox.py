"""The order that lanes keep, whatever the order in which Kafka answers, and what becomes of batches that fail."""

import asyncio
from collections import defaultdict

from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber, RequestTimedOutError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record import MemoryRecords
from hypothesis import given, settings
from hypothesis import strategies as st

from broker.acks import PendingReceipt
from broker.metrics import Counters
from broker.outbox import KafkaOutbox, needs_restart
from broker.translate import Receipt

Lane = tuple[str, int]


class Kafka:
    """Answers batches in the order and with the errors that a test wants; the batches are aiokafka's own."""

    def __init__(self) -> None:
        self.log: dict[Lane, list[bytes]] = defaultdict(list)
        self.flying: dict[Lane, tuple[BatchBuilder, asyncio.Future[object]]] = {}
        self._sent = asyncio.Event()

    async def sent(self) -> None:
        """Wait for the next batch."""
        await self._sent.wait()
        self._sent.clear()

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(300, 0)  # a handful of messages

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[object]:
        lane = (topic, partition)
        assert lane not in self.flying, "two batches of a lane at once"
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.flying[lane] = (batch, future)
        self._sent.set()
        return future

    def answer(self, lane: Lane, error: Exception | None = None) -> None:
        batch, future = self.flying.pop(lane)
        if error is not None:
            future.set_exception(error)
            return
        self.log[lane].extend(values(batch))
        future.set_result(None)


def values(batch: BatchBuilder) -> list[bytes]:
    records = MemoryRecords(bytes(batch._build()))
    found = []
    while records.has_next():
        found.extend(record.value for record in records.next_batch())
    return found


class Bench:
    """An outbox with everything that it reports."""

    def __init__(self, *, idempotent: bool = False, linger: float = 0.0) -> None:
        self.kafka = Kafka()
        self.counters = Counters()
        self.acked: list[int] = []
        self.failures: list[BaseException] = []
        self.outbox = KafkaOutbox(
            self.kafka,
            self.counters,
            on_safe=lambda pending: self.acked.extend(p.receipt.ids[0] for p in pending if p.batch_safe()),
            on_failed=self.failures.append,
            on_drained=lambda: None,
            idempotent=idempotent,
            linger=linger,
        )

    def add(self, lane: Lane, number: int) -> None:
        receipt = PendingReceipt(Receipt("s", "1", "b", (number,)), 1)
        self.outbox.append(*lane, b"key", b"%d" % number + b" " * 50, 1, receipt)


async def settle() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


LANES = [("live", 0), ("live", 1), ("records", 0)]


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.sampled_from(LANES)), st.tuples(st.just("answer"), st.sampled_from(LANES))
        ),
        max_size=120,
    )
)
def test_a_lane_keeps_its_order_and_acknowledges_all(steps: list[tuple[str, Lane]]) -> None:
    async def scenario() -> None:
        bench = Bench()
        added: dict[Lane, list[int]] = defaultdict(list)
        for number, (step, lane) in enumerate(steps):
            if step == "add":
                bench.add(lane, number)
                added[lane].append(number)
            elif lane in bench.kafka.flying:
                bench.kafka.answer(lane)
            await asyncio.sleep(0.0001)
        while bench.counters.waiting_messages:
            for lane in list(bench.kafka.flying):
                bench.kafka.answer(lane)
            await asyncio.sleep(0.0001)
        await asyncio.wait_for(bench.outbox.drain(), 5)
        for lane, numbers in added.items():
            assert [int(value) for value in bench.kafka.log[lane]] == numbers
        assert sorted(bench.acked) == sorted(number for numbers in added.values() for number in numbers)
        assert bench.counters.waiting_bytes == 0
        await bench.outbox.close()

    asyncio.run(scenario())


async def send_and_fail(error: Exception, *, idempotent: bool) -> Bench:
    bench = Bench(idempotent=idempotent)
    bench.add(LANES[0], 1)
    await bench.kafka.sent()
    bench.add(LANES[0], 2)
    bench.kafka.answer(LANES[0], error)
    await settle()
    return bench


async def test_a_batch_that_failed_is_not_acknowledged_and_the_next_is_sent() -> None:
    bench = await send_and_fail(RequestTimedOutError(), idempotent=False)
    assert len(bench.failures) == 1 and not bench.outbox.fatal.done()
    await bench.kafka.sent()
    bench.kafka.answer(LANES[0])
    await bench.outbox.drain()
    assert bench.acked == [2]
    assert (bench.counters.batches, bench.counters.batches_failed) == (2, 1)
    await bench.outbox.close()


async def test_a_gap_in_an_idempotent_sequence_is_fatal() -> None:
    bench = await send_and_fail(RequestTimedOutError(), idempotent=True)
    assert isinstance(bench.outbox.fatal.exception(), RequestTimedOutError)
    await bench.outbox.close()


async def test_an_error_that_would_come_again_is_fatal() -> None:
    bench = await send_and_fail(OutOfOrderSequenceNumber(), idempotent=False)
    assert isinstance(bench.outbox.fatal.exception(), KafkaError)
    await bench.outbox.close()


async def test_an_error_nobody_foresaw_is_fatal_and_holds_up_nothing() -> None:
    bench = await send_and_fail(ZeroDivisionError(), idempotent=False)
    assert isinstance(bench.outbox.fatal.exception(), ZeroDivisionError)
    assert bench.counters.waiting_messages == 1, "what failed waits no longer"
    await bench.outbox.close()


def test_only_errors_that_pass_let_the_bridge_go_on() -> None:
    assert not needs_restart(RequestTimedOutError())
    assert needs_restart(OutOfOrderSequenceNumber())


async def test_what_is_full_waits_for_nothing_and_the_end_waits_for_no_more() -> None:
    """However long messages are gathered: a full batch goes at once, the last one when the bridge ends."""
    bench = Bench(linger=3600.0)
    for number in range(10):
        bench.add(LANES[0], number)
    for _ in range(2):
        await asyncio.wait_for(bench.kafka.sent(), 5)
        bench.kafka.answer(LANES[0])
    await settle()
    draining = asyncio.create_task(bench.outbox.drain())
    while not draining.done():
        if LANES[0] in bench.kafka.flying:
            bench.kafka.answer(LANES[0])
        await asyncio.sleep(0.0001)
    assert [int(value) for value in bench.kafka.log[LANES[0]]] == list(range(10))
    await bench.outbox.close()
