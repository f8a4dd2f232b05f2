"""Client ids in a real Mosquitto: nobody takes the connection of a terminal or of a bridge by its name."""

import asyncio
import re
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from agents.agent import AgentConfig, run
from broker.ticks.pulse_loop import SupersededError
from contract.messages import Heartbeat
from tests.integration.bridge_kit import Running, Terminal, of_bridge, read_log, running_bridge, unique, until
from tests.integration.broker.test_acl import ACCOUNTS, API, BRIDGE, ONE, TWO, Production
from tests.servers import find_mosquitto


class Recorded(Production):
    """The broker as it is deployed, with every connection in its log."""

    def command(self) -> list[str]:
        command = super().command()
        config = self.directory / "mosquitto.conf"
        config.write_text(config.read_text().replace("connection_messages false", "connection_messages true"))
        return command

    def ids(self, beginning: str, user: str) -> list[str]:
        """The client ids that begin so and with which `user` connected, in order."""
        lines = rf"New client connected from \S+ as ({re.escape(beginning)}\S*) \(.*u'{re.escape(user)}'\)"
        return re.findall(lines, self.log.read_text())


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Recorded]:
    if find_mosquitto() is None:
        pytest.skip("Mosquitto is missing: install mosquitto")
    for number, (user, password) in enumerate(ACCOUNTS.items()):
        create = ["-c"] if number == 0 else []
        command = ["mosquitto_passwd", *create, "-b", str(tmp_path / "passwords"), user, password]
        subprocess.run(command, check=True, capture_output=True)
    with Recorded(tmp_path).running() as server:
        yield server


@asynccontextmanager
async def running_agent(broker: Recorded, data: Path) -> AsyncIterator[Terminal]:
    """An agent of the first station, and the bridge's account that hears it."""
    hears = Terminal(broker.url, client_id=unique(), subscribe="milepost/#", user=BRIDGE, password=ACCOUNTS[BRIDGE])
    config = AgentConfig(station=ONE, broker=broker.url, password=ACCOUNTS[ONE], data=data, every=1, sample=3600)
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(config, stop), name="agent under test")
    thread.start()
    try:
        yield hears
    finally:
        stop.set()
        thread.join(20)
        hears.close()


async def next_heartbeat(hears: Terminal) -> Heartbeat:
    while True:
        topic, payload = await hears.receive()
        if topic.endswith("/heartbeat"):
            return msgspec.json.decode(payload, type=Heartbeat)


def try_names(broker: Recorded, user: str, *names: str) -> None:
    """Connect as `user` under each of these client ids."""
    for name in names:
        Terminal(broker.url, client_id=name, user=user, password=ACCOUNTS[user]).close()


async def test_a_neighbour_cannot_take_a_terminals_connection(broker: Recorded, tmp_path: Path) -> None:
    async with running_agent(broker, tmp_path / "data") as hears:
        first = await next_heartbeat(hears)
        known = (f"{ONE}-001", f"{ONE}/001", ONE, first.boot, f"{ONE}-001-{first.boot}", f"{ONE}-001-")
        await asyncio.to_thread(try_names, broker, TWO, *known)
        for _ in range(4):  # a connection that was taken would have come back within a heartbeat
            beat = await next_heartbeat(hears)
            assert (beat.boot, beat.conn) == (first.boot, 1)


async def test_nobody_can_take_the_bridges_connection(broker: Recorded, kafka_servers: str) -> None:
    name = unique("bridge-")
    url = f"mqtt://{BRIDGE}@{broker.host}:{broker.port}"
    async with running_bridge(url, kafka_servers, mqtt_password=ACCOUNTS[BRIDGE], bridge=name) as bridge:
        tick, *_ = await read_log(kafka_servers, of_bridge(name), lambda seen: len(seen) >= 1)
        start = tick.entry.start  # type: ignore[union-attr]  # a tick
        known = (f"milepost-{name}", name, start, f"milepost-{name}-{start}", f"milepost-{name}-", BRIDGE)
        for user in (ONE, TWO, API):
            await asyncio.to_thread(try_names, broker, user, *known)
        ticks = bridge.counters.ticks
        await until(lambda: bridge.counters.ticks > ticks + 8)
        assert bridge.counters.connects == 1
        assert bridge.counters.ticks_spoilt == 1, "the first of the start only"


async def test_a_process_keeps_its_client_id_over_reconnects_and_the_next_has_another(
    broker: Recorded, tmp_path: Path
) -> None:
    for _ in range(2):
        async with running_agent(broker, tmp_path / "data") as hears:
            first = await next_heartbeat(hears)
            broker.restart()
            while (await next_heartbeat(hears)).conn == first.conn:
                pass
    one, same, two, again = broker.ids(f"{ONE}-001", ONE)
    assert (one, two) == (same, again)
    assert one != two
    assert re.fullmatch(rf"{ONE}-001-[0-9a-f]{{16}}", one)


async def test_a_bridge_keeps_its_client_id_until_another_client_uses_it(
    broker: Recorded, kafka_servers: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = unique("bridge-")
    url = f"mqtt://{BRIDGE}@{broker.host}:{broker.port}"
    async with running_bridge(url, kafka_servers, mqtt_password=ACCOUNTS[BRIDGE], bridge=name) as bridge:
        broker.restart()
        await until(lambda: bridge.counters.connects == 2)
        for number in (2, 3, 4):
            taken = broker.ids(f"milepost-{name}", BRIDGE)[-1]
            await asyncio.to_thread(try_names, broker, TWO, taken)
            await until(lambda number=number: bridge.counters.connects == number + 1)
        ids = broker.ids(f"milepost-{name}", BRIDGE)
        assert [one == ids[0] for one in ids] == [True, True, True, False, False]
        assert ids[3] == ids[4]
        assert bridge.counters.taken_over == 1
        assert "another client may use this bridge's client id" in caplog.text


async def test_of_two_bridges_with_one_name_the_older_stops_and_says_so(
    broker: Recorded, kafka_servers: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = unique("bridge-")
    url = f"mqtt://{BRIDGE}@{broker.host}:{broker.port}"
    async with (
        running_bridge(url, kafka_servers, mqtt_password=ACCOUNTS[BRIDGE], bridge=name) as older,
        running_bridge(url, kafka_servers, mqtt_password=ACCOUNTS[BRIDGE], bridge=name) as newer,
    ):
        with pytest.raises(SupersededError, match=f"{name}.*MILEPOST_BRIDGE"):
            await asyncio.wait_for(asyncio.shield(older.task), 20)
        await still_ticks(newer)
        assert older.counters.namesakes == newer.counters.connects == 1
    assert "two bridges have one name" in caplog.text


async def still_ticks(bridge: Running) -> None:
    ticks = bridge.counters.ticks
    await until(lambda: bridge.counters.ticks > ticks + 8)
    assert not bridge.task.done()
