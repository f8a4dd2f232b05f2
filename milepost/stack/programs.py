"""The programs of a stack: how each is started, and in which order all of them end."""

import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from contract.environ import bare_environ
from milepost import datadir
from milepost.embedded import kafka, mqtt, postgres
from milepost.embedded.accounts import Accounts
from milepost.processes.supervisor import Program
from milepost.settings import Settings
from milepost.stack.environs import command_environ, own_command
from milepost.stack.readiness import wait_until_listening

SERVICES = ("bridge", "ingest", "judge", "health", "incidents", "deliver", "audit", "watch", "api")
# Each stage ends before the servers and services that it uses. The times add up to less than 20 s.
STOP_STAGES = (
    ("watch", "api", "audit", "deliver", "fleet"),
    ("incidents", "judge", "health", "ingest"),
    ("bridge",),
    ("mqtt", "kafka"),
    ("postgres",),
)
STOP_SECONDS = {"mqtt": 1.5, "kafka": 1.5, "postgres": 5.0, "bridge": 3.0}
# A ledger that refuses to go on says so in its log, and must not end the monitoring of stations.
NOT_VITAL = frozenset({"audit"})
FLEET_TERMINALS, FLEET_EVERY = "3", "10"


def postgres_program(cluster: postgres.PostgresCluster, data: Path) -> Program:
    """The embedded PostgreSQL, ready once it answers."""

    def command() -> list[str]:
        postgres.clear_stale_pid(data)
        return cluster.command

    return Program(
        name="postgres",
        command=command,
        environ=bare_environ(),
        run_as=cluster.run_as,
        # SIGINT is its fast shutdown: at SIGTERM it would wait until every client has left.
        stop_signal=signal.SIGINT,
        orphan_signal=signal.SIGINT,
        stop_time=STOP_SECONDS["postgres"],
        after_start=lambda: postgres.wait_ready(cluster.url),
    )


def kafka_program(port: int, home: Path, make_topics: Callable[[], Awaitable[None]]) -> Program:
    """The embedded Kafka, ready once `make_topics` is done: each start begins with an empty log."""

    async def listens_and_has_topics() -> None:
        await wait_until_listening(port)
        await make_topics()

    return Program(
        name="kafka",
        command=lambda: kafka.command(port=port, cluster_id=kafka.new_cluster_id(), home=home),
        environ=bare_environ() | kafka.ENVIRON,
        # At SIGTERM it waits 5 s for its clients to leave; what it holds is lost at its end in any case.
        stop_signal=signal.SIGINT,
        stop_time=STOP_SECONDS["kafka"],
        after_start=listens_and_has_topics,
    )


def mqtt_program(
    port: int, directory: Path, *, kind: mqtt.Kind, bind: str, accounts: Accounts | None, connections: int
) -> Program:
    """The embedded MQTT broker, ready once it listens. `directory`: the data directory of the stack."""
    home = datadir.subdirectory(directory, "mqtt", mode=0o711)
    return Program(
        name="mqtt",
        command=lambda: mqtt.command(
            port=port,
            directory=home,
            kind=kind,
            bind=bind,
            accounts=None if accounts is None else accounts.read(),
            connections=connections,
        ),
        environ=bare_environ(),
        stop_time=STOP_SECONDS["mqtt"],
        after_start=lambda: wait_until_listening(port),
    )


def service_program(name: str, settings: Settings) -> Program:
    """A service of Milepost with the settings that it reads."""
    return Program(
        name=name,
        command=lambda: own_command(name),
        environ=command_environ(name, settings),
        stop_time=STOP_SECONDS.get(name, 4.0),
        vital=name not in NOT_VITAL,
    )


def fleet_program(stations: int, settings: Settings) -> Program:
    """The fleet simulator with as many stations."""
    options = ("--stations", str(stations), "--terminals", FLEET_TERMINALS, "--every", FLEET_EVERY)
    command = own_command("simulate", *options)
    return Program(name="fleet", command=lambda: command, environ=command_environ("simulate", settings))
