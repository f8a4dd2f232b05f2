"""The one-machine stack: the three servers, unless real ones are given, and every service, supervised."""

import asyncio
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import msgspec

from agents.simulator import roster
from contract.environ import bare_environ
from contract.errors import RemedyError
from contract.log import LIVE
from contract.said import BilingualError, Said
from milepost import cli, datadir, http, running, signin
from milepost.embedded import kafka, mqtt, postgres
from milepost.embedded.accounts import Accounts, are_wanted, require_possible
from milepost.language import padded
from milepost.processes import children
from milepost.processes.renewal import wait_until_stored
from milepost.processes.supervisor import GaveUpError, Program, Supervisor
from milepost.processes.wear import Wear
from milepost.settings import PARTITIONS, TABLE, Secret, Settings, to_environ
from store.accounts import let_services_in, services_url
from store.offsets import kept_partitions

log = logging.getLogger(__name__)

SERVICES = ("bridge", "ingest", "judge", "health", "incidents", "deliver", "watch", "api")
# Who listens to whom: each stage ends before what it needs does. The times add up to less than 20 s.
STOP_STAGES = (
    ("watch", "api", "deliver", "fleet"),
    ("incidents", "judge", "health", "ingest"),
    ("bridge",),
    ("mqtt", "kafka"),
    ("postgres",),
)
STOP_SECONDS = {"mqtt": 1.5, "kafka": 1.5, "postgres": 5.0, "bridge": 3.0}
READY_SECONDS = 90.0
FLEET_TERMINALS, FLEET_EVERY = "3", "10"
# Tansu looks through all that it holds of a partition at each fetch: few partitions and few batches keep it cheap. A
# tick waits so long for its batch that more than half is left of the second in which a terminal must be called offline.
EMBEDDED_PARTITIONS, EMBEDDED_LINGER = 1, 0.3
LOG_CHECK_SECONDS = 5.0
LOG_RETRY_SECONDS = 600.0
ACCOUNTS_CHECK_SECONDS = 1.0
_PROXIES = frozenset(("http_proxy", "https_proxy", "all_proxy", "no_proxy"))

_OF_ONE_PROCESS = frozenset(("data", "instance", "metrics_port", "log_level", "log_format"))

_T = TypeVar("_T")
Say = Callable[[Said | str], None]


class Servers(msgspec.Struct, frozen=True, kw_only=True):
    """The embedded servers that are to run: those that no setting replaces. Ports are on loopback."""

    postgres: int | None
    kafka: int | None
    mqtt: int | None
    #: Whether that MQTT broker requires accounts.
    accounts: bool = False


class NotReadyError(BilingualError, TimeoutError):
    """What was started does not become ready."""


class Stack:
    """All of Milepost in the data directory `directory`, which the caller holds."""

    def __init__(self, settings: Settings, directory: Path, say: Say) -> None:
        self.servers = choose_servers(settings, directory)
        self._directory = directory
        self._say = say
        self.logs = datadir.subdirectory(directory, "logs")
        self._supervisor = Supervisor(self.logs)
        self.settings = complete(settings, self.servers, directory)
        self._owner_url: Secret | None = None
        self._accounts = Accounts(directory) if self.servers.accounts else None
        self.admin_token = datadir.keep_secret(_required(self.settings.admin_token_file))

    @property
    def supervisor(self) -> Supervisor:
        return self._supervisor

    @property
    def api_url(self) -> str:
        """Where we reach the API ourselves."""
        return self.settings.local_url

    async def signin_link(self) -> str:
        """A new link that signs a browser in, once; where to sign in by hand when the API does not answer."""
        try:
            return (await signin.new_link(self.api_url, self.admin_token)).link
        except RemedyError:
            return f"{self.settings.console_url}/signin"

    async def start(self) -> None:
        """Start everything, server by server, and return once it is ready to judge.

        Raises RemedyError for what a person must mend, GaveUpError for what does not stay up, TimeoutError when
        it does not become ready.
        """
        running.remove(self._directory)
        if self.servers.postgres is not None:
            await self._report(Said("PostgreSQL", "PostgreSQL"), self._start_postgres())
        await self._report(Said("schema", "数据库结构"), self._prepare_database())
        self.settings = replace(self.settings, partitions=await self._choose_partitions())
        await self._start_kafka()
        await self._start_mqtt()
        await asyncio.gather(*(self._supervisor.start(self._service(name)) for name in SERVICES))
        await self._report(Said("services", "各项服务"), self._become_ready())
        self._supervisor.proved()
        running.write(self._directory, self._environs())

    async def watch(self) -> None:
        """Look after what runs, until cancelled. Raises GaveUpError when a program cannot be kept running."""
        tasks = [
            asyncio.create_task(self._supervisor.failed(), name="watch for failures"),
            asyncio.create_task(self._watch_log(), name="watch the log"),
            asyncio.create_task(self._watch_accounts(), name="watch the accounts"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch_log(self) -> None:
        """Tansu applies no retention to a log in memory: before it fills the machine or costs much, it starts anew."""
        limit = self.settings.kafka_memory * 1024 * 1024
        wear = Wear(time.monotonic())
        while self.servers.kafka is not None:
            await asyncio.sleep(LOG_CHECK_SECONDS)
            worn = wear.worn(time.monotonic(), self._supervisor.processor("kafka"))
            if not worn and self._supervisor.memory("kafka") <= limit:
                continue
            try:
                await self._renew_log()
            except GaveUpError:
                raise
            except Exception as exc:  # a server is away, or ingest far behind: what runs goes on
                log.warning("the log could not be renewed, it is tried later", extra={"error": repr(exc)})
                await asyncio.sleep(LOG_RETRY_SECONDS)

    async def _watch_accounts(self) -> None:
        """Bring accounts that `milepost account` makes or takes away into the broker that runs."""
        while self._accounts is not None:
            await asyncio.sleep(ACCOUNTS_CHECK_SECONDS)
            pid = self._supervisor.pid("mqtt")
            if pid is None or not self._accounts.changed():
                continue
            try:
                mqtt.write_accounts(self._directory / "mqtt", self._accounts.read())
                os.kill(pid, signal.SIGHUP)
            except OSError as exc:  # the disk is full, or the broker just ended
                log.warning("the MQTT accounts are not changed yet, it is tried again", extra={"error": repr(exc)})
                self._accounts.read_again()

    def _settings_of(self, name: str) -> Settings:
        return self.settings if self._accounts is None else self._accounts.settings_of(name, self.settings)

    async def _renew_log(self) -> None:
        """An empty log in place of the full one, once all that was acknowledged from it is stored."""
        log.warning("the log in memory is full or worn out: an empty one takes its place")
        url = self.settings.database_url
        await self._supervisor.end("bridge")
        try:
            async with asyncio.timeout(60):
                await wait_until_stored(url.value if url else "", str(self.settings.kafka_servers))
            await self._supervisor.end("kafka")
            await self._start_kafka()
        finally:
            await self._supervisor.start(self._service("bridge"))
            self._supervisor.proved()

    async def stop(self) -> list[str]:
        """End everything in order; the names of what had to be killed."""
        running.remove(self._directory)
        return await self._supervisor.stop(STOP_STAGES)

    def _environs(self) -> dict[str, dict[str, str]]:
        """By command, what each that a person runs beside us is given, to work on the same servers."""
        return {
            name: to_environ(self._settings_beside(name), cli.needed(name) - _OF_ONE_PROCESS)
            for name, command in cli.COMMANDS.items()
            if command.finds
        }

    def _settings_beside(self, name: str) -> Settings:
        here = with_whole_paths(self._settings_of(name))
        url = self._owner_url if name == "migrate" and self._owner_url else here.database_url
        return replace(here, api_url=here.api_url or self.api_url, database_url=url)

    async def _start_postgres(self) -> None:
        data, port = self._directory / "postgres", self.servers.postgres
        cluster = await asyncio.to_thread(postgres.prepare, data, port=port or 0)
        self._owner_url = Secret(cluster.url)
        self.settings = replace(self.settings, database_url=self._owner_url)

        def command() -> list[str]:
            postgres.clear_stale_pid(data)
            return cluster.command

        await self._supervisor.start(
            Program(
                name="postgres",
                command=command,
                environ=bare_environ(),
                run_as=cluster.run_as,
                # SIGINT is its fast shutdown: SIGTERM would wait for every client to leave.
                stop_signal=signal.SIGINT,
                orphan_signal=signal.SIGINT,
                stop_time=STOP_SECONDS["postgres"],
                after_start=lambda: postgres.wait_ready(cluster.url),
            )
        )

    async def _prepare_database(self) -> None:
        """The schema, made by its owner; in a database of ours the services then get a login of their own."""
        await self._one_off("migrate")
        if self.servers.postgres is None:
            return
        password = datadir.keep_secret(self._directory / "services.password")
        url = _required(self.settings.database_url).value
        connection = await asyncpg.connect(url, timeout=10)
        try:
            await let_services_in(connection, password)
        finally:
            await connection.close(timeout=5)
        self.settings = replace(self.settings, database_url=Secret(services_url(url, password)))

    async def _choose_partitions(self) -> int:
        """As many partitions as this data directory was begun with. Raises RemedyError for another number."""
        url = self.settings.database_url
        connection = await asyncpg.connect(url.value if url else "", timeout=10)
        try:
            kept = await kept_partitions(connection, LIVE)
        finally:
            await connection.close(timeout=5)
        return choose_partitions(self.settings.partitions, kept, embedded=self.servers.kafka is not None)

    async def _start_kafka(self) -> None:
        port = self.servers.kafka
        if port is None:
            await self._report(Said("topics", "Kafka 主题"), self._one_off("topics"))
            return
        home = datadir.subdirectory(self._directory, "kafka")

        async def listens_and_has_topics() -> None:
            # Each start is an empty log.
            await _listening(port)
            await self._one_off("topics")

        program = Program(
            name="kafka",
            command=lambda: kafka.command(port=port, cluster_id=kafka.new_cluster_id(), home=home),
            environ=bare_environ(),
            # At SIGTERM it waits 5 s for its clients to leave, and what it holds ends with it anyway.
            stop_signal=signal.SIGINT,
            stop_time=STOP_SECONDS["kafka"],
            after_start=listens_and_has_topics,
        )
        await self._report(Said("Kafka (Tansu, in memory)", "Kafka（Tansu，内存中）"), self._supervisor.start(program))

    async def _start_mqtt(self) -> None:
        port = self.servers.mqtt
        if port is None:
            return
        home = datadir.subdirectory(self._directory, "mqtt", mode=0o711)
        kind = mqtt.available()
        program = Program(
            name="mqtt",
            command=lambda: mqtt.command(
                port=port,
                directory=home,
                kind=kind,
                bind=self.settings.mqtt_bind,
                accounts=None if self._accounts is None else self._accounts.read(),
            ),
            environ=bare_environ(),
            stop_time=STOP_SECONDS["mqtt"],
            after_start=lambda: _listening(port),
        )
        speaks = mqtt.SPEAKS[kind]
        await self._report(Said(f"MQTT ({speaks.en})", f"MQTT（{speaks.zh}）"), self._supervisor.start(program))

    def _service(self, name: str) -> Program:
        return Program(
            name=name,
            command=lambda: own_command(name),
            environ=command_environ(name, self._settings_of(name)),
            stop_time=STOP_SECONDS.get(name, 4.0),
        )

    async def import_fleet(self) -> None:
        """Bring the demo fleet's areas and stations into the registry. Raises RemedyError."""
        for what, file in (("areas", roster.AREAS), ("stations", roster.STATIONS)):
            await self._one_off("import", what, str(file))

    async def start_fleet(self, stations: int) -> None:
        """Simulate so many stations, from the demo fleet on. Raises RemedyError, GaveUpError."""
        await self._report(Said("registry of the fleet", "模拟服务点的登记"), self.import_fleet())
        command = own_command(
            "simulate", "--stations", str(stations), "--terminals", FLEET_TERMINALS, "--every", FLEET_EVERY,
        )  # fmt: skip
        environ = command_environ("simulate", self._settings_of("simulate"))
        fleet = Program(name="fleet", command=lambda: command, environ=environ)
        what = Said(f"fleet ({stations} stations)", f"模拟终端（{stations} 个服务点）")
        await self._report(what, self._supervisor.start(fleet))

    async def _one_off(self, name: str, *arguments: str) -> None:
        """Run a command that ends by itself. Raises RemedyError with what it said."""
        log = self.logs / f"{name}.log"
        offset = log.stat().st_size if log.exists() else 0
        environ = command_environ(name, self.settings)
        process = await children.spawn(own_command(name, *arguments), log=log, environ=environ)
        try:
            status = await process.wait()
        except BaseException:
            with suppress(ProcessLookupError):
                process.kill()
            raise
        if status != 0:
            said = children.complaint(log, offset=offset)
            raise RemedyError(
                said or f"`milepost {name}` failed: see {log}", said or f"`milepost {name}` 失败：请查看 {log}"
            )

    async def _become_ready(self) -> None:
        failed = asyncio.create_task(self._supervisor.failed(), name="watch for failures")
        ready = asyncio.create_task(self._poll_ready(), name="wait for readiness")
        try:
            await asyncio.wait({failed, ready}, return_when=asyncio.FIRST_COMPLETED)
            await (failed if failed.done() else ready)
        finally:
            failed.cancel()
            ready.cancel()

    async def _poll_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            answer = await http.get(f"{self.api_url}/readyz")
            if answer.status == 200:
                return
            if time.monotonic() > deadline:
                said = answer.body.decode(errors="replace")[:300]
                raise NotReadyError(
                    f"not ready after {READY_SECONDS:.0f} s ({said}): see {self.logs}",
                    f"{READY_SECONDS:.0f} 秒后仍未就绪（{said}）：请查看 {self.logs}",
                )
            await asyncio.sleep(0.1)

    async def _report(self, what: Said, work: Awaitable[None]) -> None:
        began = time.monotonic()
        await work
        took = f"{time.monotonic() - began:.1f}"
        self._say(Said(f"{padded(what.en, 30)} ready in {took} s", f"{padded(what.zh, 30)} 已就绪，用时 {took} 秒"))


def own_command(*arguments: str) -> list[str]:
    """How to run a command of ours; -P keeps a folder named like one of our rooms from being taken for it."""
    return [sys.executable, "-P", "-m", "milepost", *arguments]


def choose_servers(settings: Settings, directory: Path) -> Servers:
    """Which servers we bring, and where they listen. Raises RemedyError for a port that is in use."""
    datadir.require_free(settings.http_port, "--http-port", settings.http_host)
    if settings.mqtt_url is None:
        _require_mqtt(settings)
    elif settings.mqtt_bind != mqtt.LOOPBACK:
        raise RemedyError(
            "--mqtt-bind is for the MQTT broker that `milepost up` brings, but MILEPOST_MQTT_URL names one of your "
            "own: unset one of them",
            "--mqtt-bind 用于 `milepost up` 自带的 MQTT 代理，而 MILEPOST_MQTT_URL 指定了您自己的代理："
            "请只保留其中一个",
        )
    ports = datadir.keep_ports(directory / "ports.json", ("postgres", "kafka"))
    return Servers(
        postgres=None if settings.database_url else ports["postgres"],
        kafka=None if settings.kafka_servers else ports["kafka"],
        mqtt=None if settings.mqtt_url else settings.mqtt_port,
        accounts=settings.mqtt_url is None and are_wanted(settings),
    )


def _require_mqtt(settings: Settings) -> None:
    """Raise RemedyError when our own broker cannot do what is asked for."""
    if settings.mqtt_port == settings.http_port:
        raise RemedyError(
            f"port {settings.mqtt_port} cannot serve HTTP and MQTT: give another with --mqtt-port",
            f"端口 {settings.mqtt_port} 不能同时用于 HTTP 和 MQTT：请用 --mqtt-port 指定其他端口",
        )
    if are_wanted(settings):
        require_possible(mqtt.available())
    for address in mqtt.addresses(settings.mqtt_bind):
        datadir.require_free(settings.mqtt_port, "--mqtt-port", address)


def choose_partitions(given: int | None, kept: int | None, *, embedded: bool) -> int:
    """`given` by a person, `kept` by the database; the embedded Kafka is cheapest with a single one.

    Raises RemedyError when the two differ.
    """
    if given is not None and kept is not None and given != kept:
        raise RemedyError(
            f"MILEPOST_PARTITIONS is {given}, but this database was begun with {kept}: the number is fixed then, "
            f"so unset MILEPOST_PARTITIONS, or give another data directory with --data",
            f"MILEPOST_PARTITIONS 为 {given}，而此数据库以 {kept} 个分区开始，此后不能更改："
            "请取消 MILEPOST_PARTITIONS，或用 --data 指定其他数据目录",
        )
    return kept or given or (EMBEDDED_PARTITIONS if embedded else PARTITIONS)


def complete(settings: Settings, servers: Servers, directory: Path) -> Settings:
    """The settings of the services: what a person gave, and for the rest what this stack brings."""
    return replace(
        settings,
        data=directory,
        kafka_servers=settings.kafka_servers or f"127.0.0.1:{servers.kafka}",
        kafka_idempotent=settings.kafka_idempotent and servers.kafka is None,
        kafka_linger=settings.kafka_linger or (EMBEDDED_LINGER if servers.kafka is not None else None),
        mqtt_url=settings.mqtt_url or f"mqtt://127.0.0.1:{servers.mqtt}",
        auto_register=True if settings.auto_register is None else settings.auto_register,
        admin_token_file=_absolute(settings.admin_token_file or directory / "admin.token"),
        alert_log=_absolute(settings.alert_log or directory / "alerts.log"),
    )


def with_whole_paths(settings: Settings) -> Settings:
    """The same settings for a process that runs in another directory."""
    paths: dict[str, Any] = {row.field: getattr(settings, row.field) for row in TABLE if row.is_path}
    return replace(settings, **{field: path.absolute() for field, path in paths.items() if path})


def _absolute(path: Path) -> Path:
    return path.absolute()


def _required(value: _T | None) -> _T:
    assert value is not None  # noqa: S101  # `complete` or an earlier step set it
    return value


def command_environ(name: str, settings: Settings) -> dict[str, str]:
    """The environment of a command of ours: the settings that it reads, and the proxies if it sends alerts."""
    fields = cli.needed(name)
    environ = bare_environ()
    if "alert_urls" in fields:
        environ |= {variable: value for variable, value in os.environ.items() if variable.lower() in _PROXIES}
    return environ | to_environ(settings, fields)


async def _listening(port: int, *, seconds: float = 20.0) -> None:
    """Wait until a server accepts connections on loopback. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
                return
