"""The bridge between a real MQTT broker and a real Kafka-protocol broker."""

import asyncio
import urllib.request
from pathlib import Path

import msgspec
import pytest
import uvloop

from broker.bridge import BridgeConfig, run
from broker.log_identity import LogReplacedError
from broker.ticks.pulse import Pulse
from contract.codec import decode_heartbeat
from contract.errors import RemedyError
from contract.log import DeadLetter, HeartbeatEntry, StatusEntry, Tick
from contract.messages import Ack, Heartbeat
from tests.integration.bridge_kit import (
    Running,
    Seen,
    Terminal,
    heartbeat,
    ids_of,
    of_bridge,
    of_station,
    read_log,
    records,
    running_bridge,
    unique,
    until,
)
from tests.servers import ApacheKafka, IotCore, Mosquitto, Tansu, find_free_port

FAULTS = [
    ("{station}/001/heartbeat", b"{", "bad_json"),
    ("{station}/001/heartbeat", b'{"v":1,"boot":7,"run":1,"n":1,"at":1,"every":60}', "wrong_type"),
    ("{station}/001/heartbeat", b'{"v":1,"boot":"b","run":1,"n":1,"at":1,"every":9999}', "out_of_range"),
    ("{station}/001/data", b" " * (300 * 1024), "too_large"),
    ("{station}/heartbeat", b"{}", "bad_topic"),
    ("{station}/001/status", b"\xff\xfe\xfd", "not_utf8"),
    ("{station}/001/data", records(7, kind="weather"), "unknown_kind"),
    ("{station}/001/weather", b"{}", "unknown_channel"),
    ("{station}/001/heartbeat", heartbeat(1).replace(b'"v":1', b'"v":9'), "unknown_version"),
    ("{station}/001/heartbeat", b'{"v":1}', "missing_field"),
]


async def test_every_fault_is_a_dead_letter_and_its_neighbours_are_stored(
    mqtt_broker: Mosquitto | IotCore, kafka_servers: str
) -> None:
    station = unique()
    async with running_bridge(mqtt_broker.url, kafka_servers):
        terminal = Terminal(mqtt_broker.url, client_id=f"{station}-001")
        for number, (topic, payload, _) in enumerate(FAULTS):
            terminal.publish(f"milepost/v1/{station}/001/heartbeat", heartbeat(number), 1)
            terminal.publish("milepost/v1/" + topic.format(station=station), payload, 1)
        seen = await read_log(kafka_servers, of_station(station), lambda s: len(s) >= 2 * len(FAULTS))
        terminal.close()
    letters = [s.entry for s in seen if isinstance(s.entry, DeadLetter)]
    assert [letter.reason for letter in letters] == [reason for _, _, reason in FAULTS]
    assert all(letter.detail and letter.shard == "main" for letter in letters)
    beats = [s.entry.body.n for s in seen if isinstance(s.entry, HeartbeatEntry)]
    assert beats == list(range(len(FAULTS)))


async def test_records_are_acknowledged_when_kafka_has_them_and_not_before(mosquitto: Mosquitto, tansu: Tansu) -> None:
    station = unique()
    async with running_bridge(mosquitto.url, tansu.servers) as bridge:
        terminal = Terminal(mosquitto.url, client_id=f"{station}-001", subscribe=f"milepost/v1/{station}/001/ack")
        tansu.freeze()
        topic = f"milepost/v1/{station}/001/data"
        terminal.publish_all([(topic, records(1, 2)), (topic, records(3, kind="weather")), (topic, records(9))])
        await until(lambda: bridge.counters.received == 3)
        ticks = bridge.counters.ticks
        await until(lambda: bridge.counters.ticks > ticks + 2, what="pulses stopped although there was room")
        assert bridge.counters.acks == 0 and terminal.inbox.empty()
        tansu.thaw()
        acked: set[int] = set()
        while acked != {1, 2, 3, 9}:
            where, payload = await terminal.receive()
            ack = msgspec.json.decode(payload, type=Ack)
            assert (where, ack.box) == (f"milepost/v1/{station}/001/ack", "box1")
            acked |= {number for first, last in ack.ids for number in range(first, last + 1)}
        seen = await read_log(tansu.servers, of_station(station), lambda s: len(s) >= 3)
        terminal.close()
    assert ids_of(seen) == [1, 2, 9]
    assert [s.entry.refused for s in seen if isinstance(s.entry, DeadLetter)] == [1]


async def test_ticks_stand_behind_everything_received_before_them(mosquitto: Mosquitto, kafka_servers: str) -> None:
    stations = [unique() for _ in range(12)]
    async with running_bridge(mosquitto.url, kafka_servers) as bridge:
        terminal = Terminal(mosquitto.url, client_id="many")
        until_ticks = bridge.counters.ticks + 8
        number = 0
        while bridge.counters.ticks < until_ticks:
            for station in stations:
                terminal.publish(f"milepost/v1/{station}/001/heartbeat", heartbeat(number), 0)
            number += 1
            await asyncio.sleep(0.001)
        await until(lambda: bridge.counters.received == number * len(stations))
        name = bridge.config.bridge
        terminal.close()

    def mine(s: Seen) -> bool:
        return s.key in stations or of_bridge(name)(s)

    seen = await read_log(
        kafka_servers, mine, lambda s: sum(isinstance(one.entry, HeartbeatEntry) for one in s) == number * len(stations)
    )
    for partition in {s.partition for s in seen}:
        monos = [s.entry.mono for s in seen if s.partition == partition and isinstance(s.entry, Tick | HeartbeatEntry)]
        assert monos == sorted(monos)
        ticks = [s.entry.seq for s in seen if s.partition == partition and isinstance(s.entry, Tick)]
        assert ticks == list(range(ticks[0], ticks[0] + len(ticks))) and len(ticks) >= 8


async def ticks_of(bridge: Running, servers: str, enough: int) -> list[Tick]:
    """The ticks of one partition, in order."""
    seen = await read_log(
        servers,
        lambda s: of_bridge(bridge.config.bridge)(s) and s.partition == 0,
        lambda s: len(s) >= enough,
    )
    return [s.entry for s in seen if isinstance(s.entry, Tick)]


async def lose_the_broker(mqtt_broker: Mosquitto | IotCore, kafka_servers: str) -> None:
    station = unique()
    async with running_bridge(mqtt_broker.url, kafka_servers) as bridge:
        await until(lambda: bridge.counters.ticks >= 3)
        mqtt_broker.kill()
        await until(lambda: not bridge.counters.connected)
        before = bridge.counters.ticks
        mqtt_broker.start()
        await until(lambda: bridge.counters.ticks >= before + 3, what="no ticks after the broker came back")
        terminal = Terminal(mqtt_broker.url, client_id=f"{station}-001")
        terminal.publish_all([(f"milepost/v1/{station}/001/heartbeat", heartbeat(1))])
        await read_log(kafka_servers, of_station(station), lambda s: len(s) == 1)
        terminal.close()
        ticks = await ticks_of(bridge, kafka_servers, before + 3)
    assert [tick.whole for tick in ticks[: before + 3]] == [False] + [True] * (before - 1) + [False, True, True]


async def test_a_killed_mqtt_broker_is_found_again_and_one_tick_says_so(
    mqtt_broker: Mosquitto | IotCore, kafka_servers: str
) -> None:
    await lose_the_broker(mqtt_broker, kafka_servers)


def test_a_killed_mqtt_broker_is_found_again_in_the_loop_of_production(
    mqtt_broker: Mosquitto | IotCore, kafka_servers: str
) -> None:
    uvloop.run(lose_the_broker(mqtt_broker, kafka_servers))


async def push_back(mosquitto: Mosquitto, server: Tansu | ApacheKafka, *, idempotent: bool) -> None:
    station, total = unique(), 4000
    async with running_bridge(mosquitto.url, server.servers, max_messages=300, idempotent=idempotent) as bridge:
        terminal = Terminal(mosquitto.url, client_id=f"{station}-001")
        server.freeze()
        messages = [(f"milepost/v1/{station}/001/data", records(number)) for number in range(total)]
        await asyncio.to_thread(terminal.publish_all, messages)
        await until(lambda: bridge.counters.paused, what="the bridge read on beyond its budget")
        assert bridge.counters.received < total
        assert bridge.counters.waiting_messages < total / 2
        server.thaw()
        await until(lambda: bridge.counters.received == total, 60)
        await until(lambda: not bridge.counters.paused)
        seen = await read_log(server.servers, of_station(station), lambda s: len(s) >= total)
        terminal.close()
    assert ids_of(seen) == list(range(total))


async def test_backpressure_loses_nothing(mosquitto: Mosquitto, apache_kafka: ApacheKafka) -> None:
    await push_back(mosquitto, apache_kafka, idempotent=True)


def test_backpressure_loses_nothing_in_the_loop_of_production(mosquitto: Mosquitto, tansu: Tansu) -> None:
    uvloop.run(push_back(mosquitto, tansu, idempotent=False))


async def test_messages_larger_than_a_batch_keep_their_order(mosquitto: Mosquitto, tansu: Tansu) -> None:
    station = unique()
    async with running_bridge(mosquitto.url, tansu.servers) as bridge:
        terminal = Terminal(mosquitto.url, client_id=f"{station}-001")
        tansu.freeze()
        for number in range(8):
            large = records(number).replace(b'"at":1}]', b'"at":1,"detail":"%s"}]' % (b"x" * 200_000))
            terminal.publish(f"milepost/v1/{station}/001/data", large)
        await until(lambda: bridge.counters.received == 8)
        tansu.thaw()
        seen = await read_log(tansu.servers, of_station(station), lambda s: len(s) >= 8)
        terminal.close()
    assert ids_of(seen) == list(range(8))


async def test_a_killed_kafka_gets_everything_once_it_is_back(mosquitto: Mosquitto, apache_kafka: ApacheKafka) -> None:
    station = unique()
    topic = f"milepost/v1/{station}/001/data"
    async with running_bridge(mosquitto.url, apache_kafka.servers, idempotent=True) as bridge:
        terminal = Terminal(mosquitto.url, client_id=f"{station}-001")
        terminal.publish_all([(topic, records(number)) for number in range(50)])
        apache_kafka.kill()
        terminal.publish_all([(topic, records(number)) for number in range(50, 100)])
        await until(lambda: bridge.counters.received == 100)
        await asyncio.to_thread(apache_kafka.start)
        seen = await read_log(apache_kafka.servers, of_station(station), lambda s: len(s) >= 100)
        assert not bridge.task.done()
        terminal.close()
    assert ids_of(seen) == list(range(100))


async def test_another_log_ends_the_bridge(mosquitto: Mosquitto, tansu: Tansu) -> None:
    async with running_bridge(mosquitto.url, tansu.servers) as bridge:
        tansu.restart()
        with pytest.raises(LogReplacedError):
            await asyncio.wait_for(asyncio.shield(bridge.task), 30)


async def test_a_batch_that_is_given_up_is_not_acknowledged_and_a_tick_says_so(
    mosquitto: Mosquitto, tansu: Tansu
) -> None:
    station = unique()
    async with running_bridge(mosquitto.url, tansu.servers, delivery_timeout=1.0) as bridge:
        terminal = Terminal(mosquitto.url, client_id=f"{station}-001", subscribe=f"milepost/v1/{station}/001/ack")
        await until(lambda: bridge.counters.ticks_spoilt == 1)
        tansu.freeze()
        terminal.publish(f"milepost/v1/{station}/001/data", records(1))
        await until(lambda: bridge.counters.batches_failed)
        await until(lambda: bridge.counters.ticks_spoilt > 1, what="no tick tells of the failed batch")
        assert terminal.inbox.empty() and bridge.counters.acks == 0
        tansu.thaw()
        await until(lambda: not bridge.counters.waiting_messages)
        # The batch may be given up once more, as Kafka has little time here: a terminal sends until it is acknowledged.
        while terminal.inbox.empty():
            terminal.publish(f"milepost/v1/{station}/001/data", records(1))
            await until(lambda: not terminal.inbox.empty() or not bridge.counters.waiting_messages)
            await asyncio.sleep(0.2)
        assert msgspec.json.decode((await terminal.receive())[1], type=Ack).ids == [(1, 1)]
        assert not bridge.task.done()
        terminal.close()


async def test_every_tick_says_how_the_whole_shard_is(mosquitto: Mosquitto, kafka_servers: str) -> None:
    station = unique()
    async with running_bridge(mosquitto.url, kafka_servers) as bridge:
        terminal = Terminal(mosquitto.url, client_id=f"{station}-001")
        for number in range(3):
            terminal.publish(f"milepost/v1/{station}-{number}/001/heartbeat", heartbeat(1), qos=0)
        terminal.publish(f"milepost/v1/{station}-0/001/heartbeat", heartbeat(9), qos=0)
        mine = of_bridge(bridge.config.bridge)
        seen = await read_log(kafka_servers, mine, lambda s: any(_counts(one) == (3, 0, False) for one in s))
        terminal.close()
    assert (0, 0, False) in {_counts(one) for one in seen}, "it counted nobody before"
    told: dict[int, set[object]] = {}
    for one in seen:
        assert isinstance(one.entry, Tick)
        told.setdefault(one.entry.seq, set()).add(_counts(one))
    assert all(len(counts) == 1 for counts in told.values()), "the same in every partition"


def _counts(seen: Seen) -> tuple[int | None, int, bool]:
    assert isinstance(seen.entry, Tick)
    return seen.entry.kept, seen.entry.missed, seen.entry.losses


async def test_a_fault_of_ours_costs_one_message(
    mosquitto: Mosquitto, kafka_servers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_on_seven(payload: bytes) -> Heartbeat:
        if payload == heartbeat(7):
            raise RuntimeError("never foreseen")
        return decode_heartbeat(payload)

    monkeypatch.setattr("broker.translate.decode_heartbeat", break_on_seven)
    station = unique()
    async with running_bridge(mosquitto.url, kafka_servers) as bridge:
        terminal = Terminal(mosquitto.url, client_id=f"{station}-001")
        for number in (6, 7, 8):
            terminal.publish(f"milepost/v1/{station}/001/heartbeat", heartbeat(number))
        seen = await read_log(kafka_servers, of_station(station), lambda s: len(s) >= 3)
        assert bridge.counters.connects == 1
        await until(lambda: bridge.counters.ticks_spoilt == 2)
        terminal.close()
    assert sorted(s.entry.body.n for s in seen if isinstance(s.entry, HeartbeatEntry)) == [6, 8]
    assert [s.entry.reason for s in seen if isinstance(s.entry, DeadLetter)] == ["bridge_fault"]


async def test_a_broker_that_falls_silent_is_left_and_found_again(
    mosquitto: Mosquitto, kafka_servers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broker.ticks.pulse_loop.SILENT_PULSES", 1)
    monkeypatch.setattr(Pulse.__init__, "__kwdefaults__", {"interval": 0.05, "lost_after": 0.3})
    async with running_bridge(mosquitto.url, kafka_servers) as bridge:
        mosquitto.freeze()
        await until(lambda: not bridge.counters.connected, what="a silent connection was kept")
        mosquitto.thaw()
        await until(lambda: bridge.counters.connects == 2)
        ticks = bridge.counters.ticks
        await until(lambda: bridge.counters.ticks > ticks + 1)


async def test_a_wished_end_leaves_nothing_behind(mosquitto: Mosquitto, kafka_servers: str) -> None:
    station = unique()
    async with running_bridge(mosquitto.url, kafka_servers) as bridge:
        terminal = Terminal(mosquitto.url, client_id=f"{station}-001")
        terminal.publish_all([(f"milepost/v1/{station}/001/data", records(number)) for number in range(500)])
        await until(lambda: bridge.counters.received > 0)
        await bridge.end()
        terminal.close()
        received = bridge.counters.received
        assert bridge.counters.waiting_messages == 0
    seen = await read_log(kafka_servers, of_station(station), lambda s: len(s) >= received)
    assert ids_of(seen) == list(range(received))


async def test_an_end_is_not_held_up_by_a_kafka_that_does_not_answer(mosquitto: Mosquitto, tansu: Tansu) -> None:
    station = unique()
    async with running_bridge(mosquitto.url, tansu.servers) as bridge:
        tansu.freeze()
        terminal = Terminal(mosquitto.url, client_id=f"{station}-001")
        terminal.publish_all([(f"milepost/v1/{station}/001/data", records(1))])
        await until(lambda: bridge.counters.received)
        await bridge.end()
        assert bridge.counters.acks == 0
        terminal.close()
        tansu.thaw()


async def test_a_retained_status_is_marked_and_a_live_one_is_not(mosquitto: Mosquitto, kafka_servers: str) -> None:
    station = unique()
    status = b'{"v":1,"boot":"b","run":1,"state":"away","at":1}'
    terminal = Terminal(mosquitto.url, client_id=f"{station}-001")
    terminal.publish(f"milepost/v1/{station}/001/status", status, retain=True).wait_for_publish(10)
    async with running_bridge(mosquitto.url, kafka_servers):
        terminal.publish(f"milepost/v1/{station}/001/status", status, retain=True)
        seen = await read_log(kafka_servers, of_station(station), lambda s: len(s) >= 2)
        terminal.close()
    assert [s.entry.retain for s in seen if isinstance(s.entry, StatusEntry)] == [True, False]


async def test_a_broker_that_knows_only_mqtt_3_is_served(kafka_servers: str, tmp_path: Path) -> None:
    station = unique()
    with IotCore(tmp_path).running() as broker:
        async with running_bridge(broker.url, kafka_servers) as bridge:
            terminal = Terminal(broker.url, client_id=f"{station}-001", subscribe=f"milepost/v1/{station}/001/ack")
            terminal.publish(f"milepost/v1/{station}/001/data", records(1, 2))
            _, payload = await terminal.receive()
            assert msgspec.json.decode(payload, type=Ack).ids == [(1, 2)]
            await until(lambda: bridge.counters.ticks > 3)
            assert bridge.counters.letters == {}, "our own acks are nobody's dead letters"
            terminal.close()


async def test_a_broker_that_is_away_at_the_start_is_waited_for(mosquitto: Mosquitto, kafka_servers: str) -> None:
    mosquitto.kill()
    running = Running(
        BridgeConfig(mqtt_url=mosquitto.url, kafka_servers=kafka_servers, bridge=unique("b"), idempotent=False)
    )
    with pytest.raises(TimeoutError):
        await until(lambda: running.task.done(), 1)
    mosquitto.start()
    await running.connected()
    await running.end()


async def test_a_stop_is_heard_while_the_broker_is_away(mosquitto: Mosquitto, kafka_servers: str) -> None:
    mosquitto.kill()
    running = Running(
        BridgeConfig(mqtt_url=mosquitto.url, kafka_servers=kafka_servers, bridge=unique("b"), idempotent=False)
    )
    await asyncio.sleep(0)
    await running.end()


async def test_metrics_are_answered_until_the_end(mosquitto: Mosquitto, kafka_servers: str) -> None:
    port = find_free_port()
    async with running_bridge(mosquitto.url, kafka_servers, metrics_port=port):
        url = f"http://127.0.0.1:{port}/metrics"
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read().decode())
        assert "milepost_bridge_connected 1.0" in text and "milepost_bridge_ticks_total" in text
        again = BridgeConfig(mqtt_url=mosquitto.url, kafka_servers=kafka_servers, metrics_port=port)
        with pytest.raises(RemedyError, match="choose another port"):
            await run(again, asyncio.Event())


@pytest.mark.parametrize("url", ["http://127.0.0.1", "mqtt://", "mqtt://h:x", "127.0.0.1:1883"])
async def test_a_wrong_address_names_its_setting(url: str) -> None:
    with pytest.raises(RemedyError, match="MILEPOST_MQTT_URL"):
        await run(BridgeConfig(mqtt_url=url, kafka_servers="127.0.0.1:1"), asyncio.Event())


async def test_missing_topics_name_the_command(mosquitto: Mosquitto, tansu: Tansu) -> None:
    tansu.restart()
    with pytest.raises(RemedyError, match="milepost topics"):
        await run(BridgeConfig(mqtt_url=mosquitto.url, kafka_servers=tansu.servers, idempotent=False), asyncio.Event())


async def test_a_topic_at_which_nothing_is_retained_is_not_cleared(mosquitto: Mosquitto, kafka_servers: str) -> None:
    """A broker may keep each topic that was ever cleared: names without end would fill it."""
    room = f"milepost/v1/{unique()}"
    async with running_bridge(mosquitto.url, kafka_servers, clear_every=0.05) as bridge:
        watching = Terminal(mosquitto.url, client_id=unique(), subscribe=f"{room}/#")
        terminal = Terminal(mosquitto.url, client_id=unique())
        for topic, retain in [(f"{room}/{number}/nonsense", False) for number in range(5)] + [(f"{room}/9/data", True)]:
            terminal.publish(topic, b"x", retain=retain).wait_for_publish(30)
        heard = [await watching.receive() for _ in range(7)]
        assert [topic for topic, payload in heard if not payload] == [f"{room}/9/data"]
        assert bridge.counters.cleared == 1
        terminal.close()
        watching.close()


async def test_retained_messages_that_are_not_to_be_kept_are_cleared(mosquitto: Mosquitto, kafka_servers: str) -> None:
    station = unique()
    room = f"milepost/v1/{station}"
    status = b'{"v":1,"boot":"b","run":1,"state":"away","at":1}'
    large = b'{"v":1,"boot":"b","run":1,"state":"away","at":1,"x":"%s"}' % (b"x" * 300_000)
    async with running_bridge(mosquitto.url, kafka_servers, clear_every=0.05) as bridge:
        terminal = Terminal(mosquitto.url, client_id=f"{station}-001")
        kept = [f"{room}/001/status"]
        gone = [f"{room}/{number:03}/status" for number in range(2, 12)] + [f"{room}/001/data", f"{room}/001/nonsense"]
        for topic in kept:
            terminal.publish(topic, status, retain=True).wait_for_publish(30)
        for topic in gone:
            terminal.publish(topic, large, retain=True).wait_for_publish(30)
        await until(lambda: bridge.counters.cleared >= len(gone))
        letters = bridge.counters.letters["too_large"]
        await until(lambda: bridge.counters.ticks > 2 + bridge.counters.ticks_spoilt)
        assert bridge.counters.letters == {"too_large": letters, "unknown_channel": 1}, "a clearing is no message"
        newcomer = Terminal(mosquitto.url, client_id=unique(), subscribe=f"{room}/#")
        assert (await newcomer.receive())[0] == kept[0]
        terminal.publish(f"{room}/001/heartbeat", heartbeat(1))
        assert (await newcomer.receive())[0] == f"{room}/001/heartbeat", "nothing else was retained"
        terminal.close()
        newcomer.close()
