"""The agent as a process of its own, against a real broker; an independent client plays the server."""

import json
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as paho
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from agents.agent import AgentConfig, run
from agents.outbox.queue import Outbox
from contract import codec
from contract.errors import RemedyError
from contract.messages import MAX_DATA_BYTES, MAX_RECORDS, Data, Event, Health, Heartbeat, Inventory, Presence, Status
from contract.topics import parse_topic
from tests import mqtt_clients
from tests.servers import IotCore, Mosquitto, find_free_port

STATION = "6321220007"
ROOT = Path(__file__).parents[3]
PROGRAM = """
import logging, pathlib, resource, signal, sys, threading
from pathlib import PosixPath
from agents.agent import AgentConfig, run
from contract.errors import RemedyError
logging.basicConfig(level=logging.INFO)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
limit = int(sys.argv[1])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    run(eval(sys.argv[2]), stop)
except RemedyError as error:
    sys.exit(f"remedy: {error}")
"""


class Message(NamedTuple):
    channel: str
    payload: bytes
    retain: bool


class Server:
    """What the other side sees and says: an MQTT client that knows the topics and nothing of the agent."""

    def __init__(self, port: int) -> None:
        self.seen: list[Message] = []
        self._arrived: queue.Queue[Message] = queue.Queue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(10)

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe(f"milepost/v1/{STATION}/+/+", qos=1)

    def _on_message(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        channel = parse_topic(message.topic).channel
        if channel in ("heartbeat", "status", "data", "reply"):
            self._arrived.put(Message(channel, bytes(message.payload), message.retain))

    def next(self, channel: str | None = None, seconds: float = 20) -> Message:
        """The next message, of a channel if named; those before it are passed over."""
        deadline = time.monotonic() + seconds
        while True:
            message = self._arrived.get(timeout=max(0.01, deadline - time.monotonic()))
            self.seen.append(message)
            if channel in (None, message.channel):
                return message

    def heartbeat(self) -> Heartbeat:
        return codec.decode_heartbeat(self.next("heartbeat").payload)

    def status(self) -> Status:
        return codec.decode_status(self.next("status").payload)

    def data(self, seconds: float = 20) -> Data:
        return codec.decode_data(self.next("data", seconds).payload)

    def record(self, wanted: Callable[[Any], bool], *, ack: bool = True, seconds: float = 30) -> Any:
        """Take data messages, acknowledging each whole, until one has the record that is wanted."""
        deadline = time.monotonic() + seconds
        while True:
            data = self.data(deadline - time.monotonic())
            records = [codec.decode_record(raw) for raw in data.records]
            if ack:
                self.ack(data.box, [record.id for record in records])
            for record in records:
                if wanted(record):
                    return record

    def sent(self) -> dict[tuple[str, int], list[bytes]]:
        """Every record seen so far, as often as it came."""
        found: dict[tuple[str, int], list[bytes]] = {}
        for data in (codec.decode_data(message.payload) for message in self.seen if message.channel == "data"):
            for raw in data.records:
                found.setdefault((data.box, codec.decode_record(raw).id), []).append(bytes(raw))
        return found

    def ack(self, box: str, ids: list[int]) -> None:
        self.say("ack", json.dumps({"v": 1, "box": box, "ids": codec.ranges(ids)}))

    def say(self, channel: str, payload: str | bytes, *, retain: bool = False) -> None:
        self._client.publish(f"milepost/v1/{STATION}/001/{channel}", payload, qos=1, retain=retain).wait_for_publish(10)

    def close(self) -> None:
        mqtt_clients.close(self._client)


class Agent:
    """The agent's process."""

    def __init__(self, config: AgentConfig, log: Path, *, file_limit: int = 0) -> None:
        self.log = log
        fields = {name: getattr(config, name) for name in config.__struct_fields__}
        text = "AgentConfig(" + ", ".join(f"{name}={value!r}" for name, value in fields.items()) + ")"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(file_limit), text], cwd=ROOT, stdout=output, stderr=output
            )

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=20)


class Field:
    """A station with its agent, or several after one another, and the server they talk to."""

    def __init__(self, broker: Mosquitto | IotCore, directory: Path) -> None:
        self.broker, self.directory = broker, directory
        self.data = directory / "data"
        self.server = Server(broker.port)
        self.agents: list[Agent] = []

    def config(self, **fields: Any) -> AgentConfig:
        usual: dict[str, Any] = {
            "station": STATION,
            "broker": self.broker.url,
            "data": self.data,
            "every": 1,
            "sample": 1,
            "resend_after": 0.5,
            "resend_at_most": 1,
            "usable": True,
        }
        return AgentConfig(**usual | fields)

    def start(self, *, file_limit: int = 0, **fields: Any) -> Agent:
        agent = Agent(self.config(**fields), self.directory / "agent.log", file_limit=file_limit)
        self.agents.append(agent)
        return agent

    def fill(self, count: int, size: int = 100) -> None:
        """An outbox that an earlier run left behind."""
        self.data.mkdir(exist_ok=True)
        outbox = Outbox(self.data / f"{STATION}-001.outbox", rows=10**6, size=10**9)
        for number in range(1, count + 1):
            outbox.append("0ldb0x", number, codec.encode(Event(id=number, at=number, name="old", detail="x" * size)))
        outbox.close()

    def close(self) -> None:
        for agent in self.agents:
            agent.process.kill()
            agent.process.wait(timeout=20)
        self.server.close()


@pytest.fixture
def field(mqtt_broker: Mosquitto | IotCore, tmp_path: Path) -> Iterator[Field]:
    opened = Field(mqtt_broker, tmp_path)
    yield opened
    opened.close()


def test_a_terminal_says_how_it_is(field: Field) -> None:
    agent = field.start(services={"broker": f"tcp://127.0.0.1:{field.broker.port}"})
    first = field.server.next()
    assert first.channel == "heartbeat", "the heartbeat comes first"
    beat = codec.decode_heartbeat(first.payload)
    assert (beat.v, beat.run, beat.conn, beat.n, beat.every, beat.usable) == (1, 1, 1, 1, 1, True)
    assert len(beat.boot) == 8
    assert abs(beat.at - time.time() * 1000) < 60_000
    status = field.server.status()
    assert (status.state, status.boot, status.run, status.conn, status.n) == ("online", beat.boot, 1, 1, 2)

    inventory = field.server.record(lambda record: isinstance(record, Inventory))
    assert inventory.mem_bytes
    health = field.server.record(lambda record: isinstance(record, Health) and record.rtt_ms is not None)
    assert health.services == {"broker": True}
    assert 0 <= health.cpu <= 1
    assert 0 < health.disk <= 1
    beats = [field.server.heartbeat() for _ in range(2)]
    assert beats[1].up is not None
    assert beats[1].up > (beat.up or 0)
    heard = [message for message in field.server.seen if message.channel in ("heartbeat", "status")]
    assert [json.loads(message.payload)["n"] for message in heard] == list(range(1, len(heard) + 1)), "n has no gaps"
    assert agent.end() == 0


def test_a_killed_agent_is_lost_and_a_restarted_one_has_a_higher_run(field: Field) -> None:
    agent = field.start()
    beat = field.server.heartbeat()
    assert field.server.status().state == "online"
    agent.end(signal.SIGKILL)
    will = field.server.status()
    assert (will.state, will.boot, will.run, will.conn) == ("lost", beat.boot, beat.run, beat.conn)
    retained = Server(field.broker.port)
    message = retained.next("status")
    assert (message.retain, codec.decode_status(message.payload).state) == (True, "lost")
    retained.close()

    field.start()
    again = field.server.heartbeat()
    assert again.run == beat.run + 1
    assert again.boot != beat.boot
    assert (again.conn, again.n) == (1, 1)


def test_a_stopped_agent_says_goodbye_and_its_will_stays_unread(field: Field) -> None:
    agent = field.start()
    field.server.status()
    assert agent.end() == 0
    away = field.server.status()
    assert (away.state, away.reason) == ("away", "shutdown")
    retained = Server(field.broker.port)
    message = retained.next("status")
    assert codec.decode_status(message.payload).state == "away"
    retained.close()
    # The goodbye was the last that was heard: a will would have come with the broken connection.
    field.start(terminal="002")
    assert field.server.next("status").payload
    assert [codec.decode_status(m.payload).state for m in field.server.seen if m.channel == "status"][:2] == [
        "online",
        "away",
    ]


def test_a_record_is_sent_until_it_is_acked_and_never_after(field: Field) -> None:
    field.start(sample=3600)
    while len(field.server.sent()) < 2 or min(map(len, field.server.sent().values())) < 3:
        field.server.data()
    bodies = field.server.sent()
    assert all(len(set(body)) == 1 for body in bodies.values()), "it never changes between sends"

    for box, number in bodies:
        field.server.ack(box, [number])
    # Two heartbeats for what was on its way, and three in which the unacknowledged would have come again and again.
    for _ in range(2):
        field.server.heartbeat()
    told = {key: len(times) for key, times in field.server.sent().items()}
    for _ in range(3):
        field.server.heartbeat()
    assert {key: len(times) for key, times in field.server.sent().items()} == told


GARBAGE = [
    b"",
    b"{",
    b"\xff",
    b"null",
    b'{"v":1}',
    b'{"v":2,"box":"BOX","ids":[[0,9]]}',
    b'{"v":1,"box":"BOX","ids":[[9,0]]}',
    b'{"v":1,"box":"another","ids":[[0,99]]}',
    b'{"v":1,"box":"BOX","ids":[[1000,2000]]}',
    b'{"v":1,"box":"BOX","ids":[]}',
    b'{"v":1,"box":"BOX","ids":[["0","99"]]}',
    b'{"v":1,"box":"BOX","ids":[[0,99999999999999999999]]}',
]


def test_a_garbage_ack_is_ignored(field: Field) -> None:
    field.start(sample=3600)
    while not {Inventory, Health} <= {type(codec.decode_record(bodies[0])) for bodies in field.server.sent().values()}:
        field.server.data()
    ((box, number), *_) = field.server.sent()
    for ack in GARBAGE:
        field.server.say("ack", ack.replace(b"BOX", box.encode()))
    told = {key: len(times) for key, times in field.server.sent().items()}
    while any(len(times) < told.get(key, 0) + 3 for key, times in field.server.sent().items()):
        field.server.data()
    field.server.ack(box, [number])
    assert field.server.heartbeat().conn == 1, "no garbage cost the connection"


def test_an_outage_becomes_one_presence_record_and_its_records_arrive(field: Field) -> None:
    field.start(sample=1)
    field.server.record(lambda record: isinstance(record, Health))
    before = field.server.heartbeat()
    handles = psutil.Process(field.agents[0].process.pid).num_fds()
    field.broker.kill()
    died = time.time() * 1000
    time.sleep(4)  # the outage itself
    came_back = time.time() * 1000  # `start` returns after the agent may have connected
    field.broker.start()

    after = field.server.heartbeat()
    while after.conn == before.conn:
        after = field.server.heartbeat()
    assert (after.boot, after.run, after.conn) == (before.boot, before.run, before.conn + 1)
    assert after.n > before.n
    # A slow start has a presence record of its own.
    presence = field.server.record(lambda record: isinstance(record, Presence) and record.until >= died)
    assert presence.at <= died + 100
    assert presence.until >= came_back
    assert presence.until_up - presence.up == pytest.approx((presence.until - presence.at) / 1000, abs=0.5)
    assert presence.usable is True

    def found() -> list[Any]:
        return [codec.decode_record(bodies[0]) for bodies in field.server.sent().values()]

    def was_written_during_the_outage(record: Any) -> bool:
        return isinstance(record, Health) and died + 500 < record.at < came_back - 500

    while not any(map(was_written_during_the_outage, found())):
        field.server.data()
    told = [record.id for record in found() if isinstance(record, Presence) and record.until >= died]
    assert told == [presence.id], "one outage, one record"
    process = psutil.Process(field.agents[0].process.pid)
    # While it writes a record one more is open for a moment.
    looks = (process.num_fds() for _ in range(5) if field.server.heartbeat())
    assert min(looks) <= handles, "attempts leave nothing open"


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["power cut", "clean stop"])
def test_an_outage_that_the_agent_does_not_outlive_is_told_by_the_next(field: Field, end: int) -> None:
    first = field.start(sample=3600)
    boot = field.server.heartbeat().boot
    field.broker.kill()
    died = time.time() * 1000
    time.sleep(4)  # the outage itself
    first.end(end)
    field.broker.start()
    field.start(sample=3600)
    found: list[Presence] = []
    while not found:
        data = field.server.data()
        records = [codec.decode_record(raw) for raw in data.records]
        told = [record for record in records if isinstance(record, Presence) and data.box == boot]
        found = [record for record in told if record.until is None or record.until >= died]
    assert len(found) == 1
    assert found[0].until is not None
    assert 1000 <= found[0].until - found[0].at <= 10_000


def test_a_link_that_died_silently_is_noticed(field: Field) -> None:
    field.start(every=5, sample=3600)
    field.server.record(lambda record: isinstance(record, Health))
    field.broker.freeze()
    frozen = time.time() * 1000
    # Long enough for the keepalive of 5 s and the answer that does not come.
    deadline = time.monotonic() + 30
    while "no connection" not in field.agents[0].log.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    field.broker.thaw()
    presence = field.server.record(lambda record: isinstance(record, Presence) and record.until >= frozen)
    assert presence.until - presence.at >= 5000


def test_what_an_earlier_run_wrote_arrives_under_its_own_box(field: Field) -> None:
    first = field.start(sample=3600)
    data = field.server.data()
    first.end(signal.SIGKILL)
    field.start(sample=3600)
    while (again := field.server.data()).box != data.box or again.boot == data.boot:
        pass
    assert again.run == data.run + 1
    # The same id never has another content.
    old = {codec.decode_record(raw).id: bytes(raw) for raw in data.records}
    new = {codec.decode_record(raw).id: bytes(raw) for raw in again.records}
    assert old.items() <= new.items()


def test_a_backlog_comes_newest_first_in_bounded_messages(field: Field) -> None:
    field.fill(1200)
    field.start(sample=3600, every=60, backlog_rate=100_000, resend_after=60, resend_at_most=60)
    arrived: list[list[int]] = []
    while sum(map(len, arrived)) < 1200:
        message = field.server.next("data")
        data = codec.decode_data(message.payload)
        assert len(message.payload) <= MAX_DATA_BYTES
        assert len(data.records) <= MAX_RECORDS
        ids = [codec.decode_record(raw).id for raw in data.records]
        field.server.ack(data.box, ids)
        if data.box == "0ldb0x":
            arrived.append(ids)
    assert sorted(number for ids in arrived for number in ids) == list(range(1, 1201)), "each once"
    assert [max(ids) for ids in arrived] == sorted((max(ids) for ids in arrived), reverse=True)
    first = next(message for message in field.server.seen)
    assert first.channel == "heartbeat"


def test_a_full_outbox_tells_how_many_it_dropped(field: Field) -> None:
    field.fill(50)
    field.start(sample=3600, outbox_rows=10)
    event = field.server.record(lambda record: isinstance(record, Event) and record.name == "outbox_dropped", ack=False)
    assert event.detail["records"] >= 41
    newest = field.server.data()
    assert newest.records


def test_a_full_disk_stops_neither_heartbeats_nor_records(field: Field) -> None:
    """No file may grow beyond 20 kB: the operating system refuses the outbox as a full disk does."""
    field.fill(40)
    field.start(sample=1, file_limit=20_000)
    event = field.server.record(lambda record: isinstance(record, Event) and record.name == "outbox_trouble", ack=False)
    assert event.detail["error"]
    field.server.record(lambda record: isinstance(record, Health), ack=False)
    beats = [field.server.heartbeat().n for _ in range(3)]
    assert beats == sorted(set(beats))
    assert "records wait in memory" in field.agents[0].log.read_text()


def test_a_corrupt_outbox_is_set_aside_and_told(field: Field) -> None:
    field.data.mkdir()
    (field.data / f"{STATION}-001.outbox").write_bytes(b"no database at all " * 500)
    field.start()
    event = field.server.record(lambda record: isinstance(record, Event) and record.name == "outbox_corrupt")
    assert event.id > 0
    assert (field.data / f"{STATION}-001.corrupt").exists()


def test_unsigned_orders_are_refused(field: Field) -> None:
    field.start(sample=3600)
    field.server.heartbeat()
    field.server.data()
    field.server.say("config", json.dumps({"v": 1, "rev": 1, "every": 7}), retain=True)
    field.server.say("command", json.dumps({"v": 1, "id": "c-1", "name": "report_now"}))
    reply = codec.decode_reply(field.server.next("reply").payload)
    assert (reply.id, reply.stage, reply.result) == ("c-1", "refused", {"reason": "unsigned"})
    assert field.server.heartbeat().every == 1
    field.server.say("command", b"garbage")
    assert field.server.heartbeat().every == 1


def test_trusted_orders_are_carried_out(field: Field) -> None:
    field.server.say("config", json.dumps({"v": 1, "rev": 3, "every": 2, "sample": 3600}), retain=True)
    field.start(every=3, sample=3600, accept_unsigned=True)
    while field.server.heartbeat().every != 2:
        pass
    field.server.say("config", json.dumps({"v": 1, "rev": 2, "every": 5}))
    field.server.record(lambda record: isinstance(record, Health))
    field.server.say("command", json.dumps({"v": 1, "id": "c-2", "name": "report_now"}))
    reply = codec.decode_reply(field.server.next("reply").payload)
    assert (reply.id, reply.stage) == ("c-2", "done")
    assert field.server.record(lambda record: isinstance(record, Health))
    assert field.server.heartbeat().every == 2, "an older revision changes nothing"
    field.server.say("command", json.dumps({"v": 1, "id": "c-3", "name": "dance"}))
    reply = codec.decode_reply(field.server.next("reply").payload)
    assert (reply.stage, reply.result) == ("refused", {"reason": "unknown_command"})


def test_usable_follows_the_check(field: Field) -> None:
    flag = field.directory / "open"
    flag.touch()
    field.start(usable=None, usable_command=("test", "-e", str(flag)))
    while field.server.heartbeat().usable is not True:
        pass
    flag.unlink()
    while field.server.heartbeat().usable is not False:
        pass


def test_two_agents_of_one_terminal_do_not_share_a_directory(field: Field) -> None:
    field.start()
    field.server.heartbeat()
    with pytest.raises(RemedyError, match="another agent"):
        run(field.config(), threading.Event())


def test_no_jump_of_the_wall_clock_moves_a_heartbeat(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [0, 4_102_444_800_000, -5, 1_795_410_000_000]
    told = iter(times * 1000)
    monkeypatch.setattr("agents.clock.wall_ms", lambda: next(told))
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(field.config(), stop))
    thread.start()
    beats = [field.server.heartbeat() for _ in range(4)]
    stop.set()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert len({beat.at for beat in beats}) > 1
    assert {beat.at for beat in beats} <= set(times)
    ups = [beat.up or 0 for beat in beats]
    assert all(0.5 < later - earlier < 10 for earlier, later in pairwise(ups))


class SlowLink:
    """A listener that passes on what terminals send at `rate` bytes a second, and what they are sent at once.

    The first connections get one of `first_answers` each, and are closed.
    """

    def __init__(self, target: int, rate: int, first_answers: Sequence[bytes] = ()) -> None:
        self._target, self._rate = target, rate
        self._answers = list(first_answers)
        self._listener = socket.socket()
        # A link does not hold half a minute of traffic, as the default buffers would.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._answers:
                with near:
                    near.recv(4096)
                    near.sendall(self._answers.pop(0))
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._pass_on, args=(near, far, self._rate // 20, 0.05), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(far, near, 65536, 0.0), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket, size: int, pause: float) -> None:
        with source, sink:
            try:
                while chunk := source.recv(size):
                    sink.sendall(chunk)
                    time.sleep(pause)
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()


WELCOME = b"\x20\x02\x00\x00"
NONSENSE = [
    b"",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\x20\x02\x00\x05",
    b"\x20\xff\xff\xff\xff\xff",
    WELCOME + b"\x00\x00",
    WELCOME + b"\x30\x05\x00\x02\xff\xfe!",
    WELCOME + b"\x32\x03\x00\xff",
    WELCOME + b"\x90\x01\x00" + b"\x40\x00",
    WELCOME + bytes(range(256)),
]
"""What no broker should answer to CONNECT."""


def test_a_broker_that_talks_nonsense_costs_a_connection_and_no_more(field: Field) -> None:
    link = SlowLink(field.broker.port, 10**6, first_answers=NONSENSE)
    agent = field.start(broker=f"mqtt://127.0.0.1:{link.port}")
    beat = field.server.heartbeat()
    assert beat.conn == len(NONSENSE) + 1
    assert beat.run == 1
    assert agent.process.poll() is None
    assert "Traceback" not in agent.log.read_text()
    link.close()


def test_a_backlog_on_a_slow_link_leaves_room_for_heartbeats(field: Field) -> None:
    rate, every = 4000, 4
    field.fill(150)
    link = SlowLink(field.broker.port, rate)
    field.start(sample=3600, every=every, backlog_rate=100_000, broker=f"mqtt://127.0.0.1:{link.port}")
    sizes: list[int] = []
    old: set[int] = set()
    while len(old) < 150:
        message = field.server.next("data")
        data = codec.decode_data(message.payload)
        sizes.append(len(message.payload))
        ids = [codec.decode_record(raw).id for raw in data.records]
        field.server.ack(data.box, ids)
        old.update(ids if data.box == "0ldb0x" else [])
    # What was sent before the link had shown what it carries may be more.
    assert max(sizes[2:]) <= rate * every / 2 * 1.25
    beats = [codec.decode_heartbeat(m.payload) for m in field.server.seen if m.channel == "heartbeat"]
    assert len(beats) >= 3
    assert {beat.conn for beat in beats} == {1}, "no message was so long that the link seemed dead"
    link.close()


OPENSSL, PASSWD = shutil.which("openssl"), shutil.which("mosquitto_passwd")


def make_certificates(directory: Path) -> None:
    def openssl(arguments: str) -> None:
        subprocess.run([OPENSSL or "", *arguments.split()], cwd=directory, check=True, capture_output=True, timeout=30)

    openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=TestCA -keyout ca.key -out ca.pem")
    openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request.pem")
    (directory / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    signing = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names"
    openssl(f"x509 -req -in request.pem {signing} -out cert.pem")


@pytest.mark.skipif(
    OPENSSL is None or PASSWD is None,
    reason="openssl or mosquitto_passwd is missing: install openssl and mosquitto",
)
def test_tls_and_password(server_dir: Path, tmp_path: Path) -> None:
    directory = server_dir / "tls"
    directory.mkdir()
    make_certificates(directory)
    (directory / "passwords").write_text(f"{STATION}:hush\n")
    subprocess.run([PASSWD or "", "-U", str(directory / "passwords")], check=True, timeout=30)
    port = find_free_port()
    lines = (
        "per_listener_settings true",
        "allow_anonymous true",
        f"listener {port} 127.0.0.1",
        "allow_anonymous false",
        f"password_file {directory / 'passwords'}",
        f"cafile {directory / 'ca.pem'}",
        f"certfile {directory / 'cert.pem'}",
        f"keyfile {directory / 'key.pem'}",
    )
    with Mosquitto(directory / "broker", lines).running() as broker, closing(Field(broker, tmp_path)) as field:
        wrong = field.start(broker=f"mqtts://localhost:{port}", ca=directory / "ca.pem", password="wrong")
        while "refused us" not in wrong.log.read_text():
            time.sleep(0.05)
        wrong.end()
        field.start(broker=f"mqtts://localhost:{port}", ca=directory / "ca.pem", password="hush")
        assert field.server.heartbeat().conn == 1
        assert "hush" not in wrong.log.read_text()


def test_the_agent_imports_nothing_that_is_not_its_own() -> None:
    program = "import agents.agent, sys; print(' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT
    )
    heavy = {"asyncio", "asyncpg", "aiokafka", "gmqtt", "numpy", "fastapi", "apprise", "store", "registry", "milepost"}
    assert not heavy & set(done.stdout.split())
