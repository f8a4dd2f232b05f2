"""A country's heartbeats as its bridge would write them to `milepost.live`: an hour at once, or as time goes by.

`python -m bench.kit.latency_feed hour|live …` is started by `bench_latency`. Values are spliced as the bridge splices
them, and go out by the bridge's own batches and producer.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from array import array

from broker.bridge import BridgeConfig, open_producer
from broker.metrics import Counters
from broker.outbox import KafkaOutbox
from broker.partition import partition_of
from contract.codec import encode
from contract.log import LIVE, Tick

PARTITIONS = 24
TICK = 250
"""Milliseconds between two ticks."""
STEP = 0.02
_MOST_WAITING = 32 * 2**20


def station_id(number: int) -> str:
    return f"{number:010d}"


def heartbeat(number: int, *, start: str, run: int, n: int, every: int, received: int, mono: int) -> bytes:
    """An entry with the heartbeat of a full agent; the boot is made of the run and the number."""
    return (
        b'{"channel":"heartbeat","terminal":"001","shard":"main","start":"%s","received":%d,"mono":%d,"body":'
        b'{"v":1,"boot":"%x-%x","run":%d,"conn":1,"n":%d,"at":%d,"up":86400.5,"every":%d,"usable":true,"users":3}}'
    ) % (start.encode(), received, mono, run, number, run, n, received, every)


def tick(start: str, seq: int, at: int, mono: int) -> bytes:
    return encode(Tick(shard="main", bridge="bridge-1", start=start, seq=seq, at=at, mono=mono, whole=seq > 0))


class Feed:
    """Writes what is due. Station number i beats at i/stations of each period, the last time in `last` (wall ms)."""

    def __init__(self, outbox: KafkaOutbox, *, stations: int, every: int, run: int) -> None:
        self._outbox = outbox
        self.stations, self.every, self.run = stations, every, run
        self.start = f"start-{run}"
        self.keys = [station_id(number).encode() for number in range(stations)]
        self.homes = array("b", (partition_of(key.decode(), PARTITIONS) for key in self.keys))
        self.last = array("q", bytes(8 * stations))
        self.dead: set[int] = set()
        self.sent = 0
        self._seq = 0
        self._done = 0

    def beat(self, mono: int, wall: int) -> None:
        """The heartbeats of all living stations that are due until `mono` (ms since the start)."""
        until = self.stations * mono // (1000 * self.every)
        for turn in range(self._done, until):
            n, number = divmod(turn, self.stations)
            if number not in self.dead:
                value = heartbeat(
                    number, start=self.start, run=self.run, n=n, every=self.every, received=wall, mono=mono
                )
                self._outbox.append(LIVE, self.homes[number], self.keys[number], value, wall)
                self.last[number] = wall
                self.sent += 1
        self._done = until

    def tick(self, mono: int, wall: int) -> None:
        value = tick(self.start, self._seq, wall, mono)
        for partition in range(PARTITIONS):
            self._outbox.append(LIVE, partition, None, value, wall)
        self._seq += 1


async def feed_hour(feed: Feed, outbox: KafkaOutbox, counters: Counters, *, began: int, seconds: int) -> None:
    """So many seconds of log from wall time `began` (ms) on, as fast as Kafka takes it."""
    for mono in range(TICK, seconds * 1000 + 1, TICK):
        feed.beat(mono, began + mono)
        feed.tick(mono, began + mono)
        if counters.waiting_bytes > _MOST_WAITING:
            await outbox.drain()
        if mono % 1000 == 0:
            await asyncio.sleep(0)


async def feed_live(feed: Feed, *, deaths: float, stop: asyncio.Event) -> None:
    """Heartbeats and ticks at their times; `deaths` stations a second die at random, from the first period's end on."""
    mono0, wall0 = time.monotonic(), time.time() * 1000
    ticked, died = 0, 0
    rng = random.Random(1)
    while not stop.is_set():
        mono = round((time.monotonic() - mono0) * 1000)
        wall = round(wall0) + mono
        feed.beat(mono, wall)
        if mono - ticked >= TICK:
            feed.tick(mono, wall)
            ticked = mono
        while died < (mono / 1000 - feed.every) * deaths:
            feed.dead.add(rng.randrange(feed.stations))
            died += 1
        await asyncio.sleep(max(0.0, mono0 + (mono / 1000) + STEP - time.monotonic()))


async def until_told(stop: asyncio.Event) -> None:
    """Wait for the end of standard input, which ends the feed."""
    await asyncio.to_thread(sys.stdin.read)
    stop.set()


def _give_up(error: BaseException) -> None:
    raise SystemExit(f"a batch was lost, so nothing can be measured: {error!r}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=("hour", "live"))
    parser.add_argument("--servers", required=True)
    parser.add_argument("--stations", type=int, required=True)
    parser.add_argument("--every", type=int, required=True)
    parser.add_argument("--run", type=int, required=True)
    parser.add_argument("--idempotent", type=int, default=1)
    parser.add_argument("--began", type=int, default=0, help="wall ms of the hour's beginning")
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--deaths", type=float, default=20.0, help="stations a second")
    given = parser.parse_args()
    counters = Counters()
    config = BridgeConfig(mqtt_url="mqtt://none:1", kafka_servers=given.servers, idempotent=bool(given.idempotent))
    producer = open_producer(config)
    await producer.start()
    outbox = KafkaOutbox(
        producer,
        counters,
        on_safe=lambda _: None,
        on_failed=_give_up,
        on_drained=lambda: None,
        idempotent=bool(given.idempotent),
        linger=config.linger,
    )
    feed = Feed(outbox, stations=given.stations, every=given.every, run=given.run)
    try:
        if given.mode == "hour":
            await feed_hour(feed, outbox, counters, began=given.began, seconds=given.seconds)
        else:
            stop = asyncio.Event()
            telling = asyncio.create_task(until_told(stop), name="until told")
            await feed_live(feed, deaths=given.deaths, stop=stop)
            await telling
        await outbox.drain()
    finally:
        await outbox.close()
        await producer.stop()
    dead = {station_id(number): feed.last[number] for number in sorted(feed.dead)}
    print(json.dumps({"sent": feed.sent, "dead": dead}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
