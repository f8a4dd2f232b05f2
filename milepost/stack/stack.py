"""The one-machine stack: the three servers, unless other servers are given, and every service, supervised."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from agents.simulator import roster
from contract.errors import RemedyError
from contract.said import Said
from milepost import cli, datadir, running, signin
from milepost.embedded import mqtt, postgres
from milepost.embedded.accounts import Accounts
from milepost.language import padded
from milepost.processes.supervisor import Program, Supervisor
from milepost.settings import Secret, Settings
from milepost.stack.account_watch import watch_accounts
from milepost.stack.database import DatabaseUrls, make_logins, read_partitions
from milepost.stack.environs import complete, environ_beside, required
from milepost.stack.log_renewal import LogRenewal
from milepost.stack.one_off import run_one_off
from milepost.stack.programs import (
    SERVICES,
    STOP_STAGES,
    fleet_program,
    kafka_program,
    mqtt_program,
    postgres_program,
    service_program,
)
from milepost.stack.readiness import wait_until_ready
from milepost.stack.servers import choose_partitions, choose_servers

Say = Callable[[Said | str], None]


class MadeUpHistory(msgspec.Struct, frozen=True):
    """How much history of how many simulated stations."""

    stations: int
    days: int


class Stack:
    """All of Milepost in the data directory `directory`, which the caller holds. `history`: what to make up before the
    services start, in a new database."""

    def __init__(self, settings: Settings, directory: Path, say: Say, history: MadeUpHistory | None = None) -> None:
        self._history = history
        self.servers = choose_servers(settings, directory)
        self._directory = directory
        self._say = say
        self.logs = datadir.subdirectory(directory, "logs")
        self.supervisor = Supervisor(self.logs)
        self.settings = complete(settings, self.servers, directory)
        self._urls: DatabaseUrls | None = None
        self._accounts = Accounts(directory) if self.servers.accounts else None
        self.admin_token = datadir.keep_secret(required(self.settings.admin_token_file))

    @property
    def api_url(self) -> str:
        """Where processes of this machine reach the API."""
        return self.settings.local_url

    async def signin_link(self) -> str:
        """A new link that signs a browser in, once; where to sign in by hand when the API does not answer."""
        try:
            return (await signin.new_link(self.api_url, self.admin_token)).link
        except RemedyError:
            return f"{self.settings.console_url}/signin"

    # -- start and end ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start everything, server by server, and return once all services are ready.

        Raises RemedyError for what a person must mend, GaveUpError for a program that does not stay up, TimeoutError
        when the services do not become ready.
        """
        running.remove(self._directory)
        if self.servers.postgres is not None:
            await self._report(Said("PostgreSQL", "PostgreSQL"), self._start_postgres(self.servers.postgres))
        await self._report(Said("schema", "数据库结构"), self._prepare_database())
        await self._fix_partitions()
        if self._history is not None:
            await self._report(Said("made-up history", "虚构的历史数据"), self._make_history(self._history))
        await self._start_kafka()
        await self._start_mqtt()
        await asyncio.gather(*(self.supervisor.start(self._service(name)) for name in SERVICES))
        await self._report(Said("services", "各项服务"), self._become_ready())
        self.supervisor.note_working()
        running.write(self._directory, self._environs_beside())

    async def watch(self) -> None:
        """Look after what runs, until cancelled. Raises GaveUpError when a program cannot be kept running."""
        tasks = [asyncio.create_task(self.supervisor.failed(), name="watch for failures")]
        if self.servers.kafka is not None:
            renewal = LogRenewal(
                self.settings,
                self.supervisor,
                start_kafka=self._start_kafka,
                bridge=lambda: self._service("bridge"),
            )
            tasks.append(asyncio.create_task(renewal.watch(), name="watch the log"))
        if self._accounts is not None:
            watching = watch_accounts(self._accounts, self.supervisor, self._directory)
            tasks.append(asyncio.create_task(watching, name="watch the accounts"))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def stop(self) -> list[str]:
        """End everything in order; the names of the programs that had to be killed."""
        running.remove(self._directory)
        return await self.supervisor.stop(STOP_STAGES)

    # -- the simulated fleet ---------------------------------------------------------------------------------------

    async def import_fleet(self) -> None:
        """Import the areas and stations of the demo fleet into the registry. Raises RemedyError."""
        for what, file in (("areas", roster.AREAS), ("stations", roster.STATIONS)):
            await self._one_off("import", what, str(file))

    async def start_fleet(self, stations: int) -> None:
        """Simulate as many stations, those of the demo fleet first. Raises RemedyError, GaveUpError."""
        await self._report(Said("registry of the fleet", "模拟服务点的登记"), self.import_fleet())
        what = Said(f"fleet ({stations} stations)", f"模拟终端（{stations} 个服务点）")
        program = fleet_program(stations, self._settings_of("simulate"))
        await self._report(what, self.supervisor.start(program))

    async def run_beside(self, name: str, *arguments: str) -> None:
        """Run a command that ends by itself on the servers of the stack. Raises RemedyError with its error message."""
        await run_one_off(name, *arguments, settings=self._settings_of(name), logs=self.logs)

    # -- the steps of the start ------------------------------------------------------------------------------------

    async def _start_postgres(self, port: int) -> None:
        data = self._directory / "postgres"
        cluster = await asyncio.to_thread(postgres.prepare, data, port=port)
        self.settings = replace(self.settings, database_url=Secret(cluster.url))
        await self.supervisor.start(postgres_program(cluster, data))

    async def _prepare_database(self) -> None:
        """Make the schema as its owner; in the embedded database the services and the API then get logins."""
        await self._one_off("migrate")
        if self.servers.postgres is not None:
            self._urls = await make_logins(self._database_url, self._directory)
            self.settings = replace(self.settings, database_url=self._urls.services)

    async def _fix_partitions(self) -> None:
        """As many partitions as this database was begun with. Raises RemedyError for another number."""
        kept = await read_partitions(self._database_url)
        number = choose_partitions(self.settings.partitions, kept, embedded=self.servers.kafka is not None)
        self.settings = replace(self.settings, partitions=number)

    async def _make_history(self, history: MadeUpHistory) -> None:
        await self.run_beside("history", "--stations", str(history.stations), "--days", f"{history.days}d")

    async def _start_kafka(self) -> None:
        port = self.servers.kafka
        if port is None:
            await self._report(Said("topics", "Kafka 主题"), self._one_off("topics"))
            return
        home = datadir.subdirectory(self._directory, "kafka")
        program = kafka_program(port, home, lambda: self._one_off("topics"))
        await self._report(Said("Kafka (Tansu, in memory)", "Kafka（Tansu，内存中）"), self.supervisor.start(program))

    async def _start_mqtt(self) -> None:
        port = self.servers.mqtt
        if port is None:
            return
        kind = mqtt.available()
        settings = self.settings
        program = mqtt_program(
            port,
            self._directory,
            kind=kind,
            bind=settings.mqtt_bind,
            accounts=self._accounts,
            connections=settings.mqtt_connections,
        )
        speaks = mqtt.SPEAKS[kind]
        await self._report(Said(f"MQTT ({speaks.en})", f"MQTT（{speaks.zh}）"), self.supervisor.start(program))

    async def _become_ready(self) -> None:
        """Wait for the services; raises GaveUpError as soon as one of them cannot be kept running."""
        failed = asyncio.create_task(self.supervisor.failed(), name="watch for failures")
        ready = asyncio.create_task(wait_until_ready(self.api_url, self.logs), name="wait for readiness")
        try:
            await asyncio.wait({failed, ready}, return_when=asyncio.FIRST_COMPLETED)
            await (failed if failed.done() else ready)
        finally:
            failed.cancel()
            ready.cancel()

    async def _report(self, what: Said, work: Awaitable[None]) -> None:
        """Do `work`, then say how long it took."""
        began = time.monotonic()
        await work
        took = f"{time.monotonic() - began:.1f}"
        self._say(Said(f"{padded(what.en, 30)} ready in {took} s", f"{padded(what.zh, 30)} 已就绪，用时 {took} 秒"))

    # -- settings of the parts -------------------------------------------------------------------------------------

    @property
    def _database_url(self) -> str:
        return required(self.settings.database_url).value

    def _settings_of(self, name: str) -> Settings:
        settings = self.settings
        if self._urls is not None:
            settings = replace(settings, database_url=self._urls.of(name, settings.database_url))
        return settings if self._accounts is None else self._accounts.settings_of(name, settings)

    def _service(self, name: str) -> Program:
        return service_program(name, self._settings_of(name))

    async def _one_off(self, name: str, *arguments: str) -> None:
        await run_one_off(name, *arguments, settings=self.settings, logs=self.logs)

    def _environs_beside(self) -> dict[str, dict[str, str]]:
        """By command: the environment for a person who runs it beside the stack."""
        return {
            name: environ_beside(name, self._settings_beside(name))
            for name, command in cli.COMMANDS.items()
            if command.server_settings
        }

    def _settings_beside(self, name: str) -> Settings:
        here = self._settings_of(name)
        return replace(here, api_url=here.api_url or self.api_url)
