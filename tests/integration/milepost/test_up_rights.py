"""What the processes of `milepost up` hold that they need not, and what of theirs others can read."""

import json
import os
import pwd
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import asyncpg
import psutil
import pytest

from milepost import datadir
from milepost.cli import needed
from milepost.embedded import as_user, postgres
from milepost.settings import TABLE
from store.migrate import migrate, read_migrations
from tests.acceptance.stack import SERVICES, Stack, read_below, read_each
from tests.integration.broker.test_embedded import running
from tests.servers import find_free_port

PARENT = {
    "MILEPOST_ALERT_URLS": "json://127.0.0.1:9/alert-secret",
    "MILEPOST_DEADMAN_URL": "http://127.0.0.1:9/deadman-secret",
    "MILEPOST_GRAFANA_TOKEN": "grafana-secret",
    "FOO_SECRET": "foreign-secret",
    "PGPASSWORD": "libpq-secret",
    "https_proxy": "http://u:proxy-secret@127.0.0.1:9",
}


@pytest.fixture
def place(server_dir: Path) -> Path:
    return make_place(server_dir)


def make_place(server_dir: Path) -> Path:
    place = Path(tempfile.mkdtemp(prefix="rights-", dir=server_dir))
    place.chmod(0o755)
    return place


@pytest.fixture(scope="module")
def stack(server_dir: Path) -> Iterator[Stack]:
    place = make_place(server_dir)
    stack = Stack(place / "data", **PARENT)
    stack.start()
    yield stack
    stack.end()


def children(stack: Stack) -> list[psutil.Process]:
    assert stack.process is not None
    return psutil.Process(stack.process.pid).children(recursive=True)


def raw_environ(process: psutil.Process) -> bytes:
    return Path(f"/proc/{process.pid}/environ").read_bytes()


def environ(process: psutil.Process) -> dict[str, str]:
    raw = raw_environ(process)
    return dict(os.fsdecode(pair).partition("=")[::2] for pair in raw.split(b"\0") if pair)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_holds_the_settings_that_it_reads(stack: Stack, name: str) -> None:
    (process,) = stack.processes(name)
    held = {variable for variable in environ(process) if variable.startswith("MILEPOST_")}
    assert held <= {setting.variable for setting in TABLE if setting.field in needed(name)}
    assert ("MILEPOST_ALERT_URLS" in held) == (name in {"deliver", "watch"})
    assert ("MILEPOST_ADMIN_TOKEN_FILE" in held) == (name == "api")


def test_nothing_foreign_is_handed_on(stack: Stack) -> None:
    for process, raw in read_each(children(stack), lambda one: (one, raw_environ(one))):
        # PostgreSQL writes its title over the beginning of its environment: it is looked through as a text.
        for secret in (b"grafana-secret", b"foreign-secret", b"libpq-secret"):
            assert secret not in raw, process


def test_the_servers_hold_no_setting_at_all(stack: Stack) -> None:
    for name in ("postgres", "kafka", "mqtt"):
        for process, raw in read_each(stack.processes(name), lambda one: (one, raw_environ(one))):
            assert b"MILEPOST_" not in raw, process


def test_no_file_of_the_data_directory_can_be_read_by_others(stack: Stack) -> None:
    modes = read_below(stack.data, lambda path: path.lstat().st_mode)
    assert {"ports.json", "up.log", "judge.log", "PG_VERSION"} <= {path.name for path in modes}
    assert {path: oct(mode) for path, mode in modes.items() if stat.S_ISREG(mode) and mode & 0o077} == {}
    # As root the servers run as users of their own, who must be able to pass, but not to list.
    passed = {stack.data / "mqtt"} if os.geteuid() == 0 else set()
    assert {path for path, mode in modes.items() if stat.S_ISDIR(mode) and mode & 0o077} <= passed
    assert stat.S_IMODE(stack.data.stat().st_mode) == (0o711 if passed else 0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="as an ordinary user it is one's own: run the tests as root")
def test_the_configuration_of_the_broker_is_for_the_broker(stack: Stack) -> None:
    (broker,) = stack.processes("mqtt")
    if "mosquitto" not in broker.cmdline()[0]:
        pytest.skip("mosquitto is missing: install mosquitto")
    for name in ("mosquitto.conf", "mosquitto.acl"):
        info = (stack.data / "mqtt" / name).stat()
        assert (stat.S_IMODE(info.st_mode), info.st_uid) == (0o600, broker.uids().real)


async def test_no_service_is_a_superuser_of_the_database(stack: Stack) -> None:
    port = json.loads((stack.data / "ports.json").read_text())["postgres"]
    password = (stack.data / "postgres.password").read_text()
    owner = await asyncpg.connect(host="127.0.0.1", port=port, user="milepost", password=password, database="postgres")
    try:
        rows = await owner.fetch(
            "SELECT DISTINCT a.application_name, r.rolname, r.rolsuper OR r.rolcreatedb OR r.rolcreaterole AS mighty "
            "FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid "
            "WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()"
        )
        owned = await owner.fetchval(
            "SELECT count(*) FROM pg_class "
            "WHERE relowner IN ('milepost_services'::regrole, 'milepost_console'::regrole)"
        )
    finally:
        await owner.close()
    assert {(row["rolname"], row["mighty"]) for row in rows} == {
        ("milepost_services", False),
        ("milepost_console", False),
        ("milepost_sealer", False),
    }, rows
    assert {row["rolname"] for row in rows if row["application_name"].startswith("milepost audit")} == {
        "milepost_sealer"
    }
    assert {row["rolname"] for row in rows if row["application_name"].startswith("milepost api")} == {
        "milepost_console"
    }
    assert len(rows) >= len(SERVICES) - 1, "all but the bridge are connected"
    assert owned == 0
    for name in set(SERVICES) - {"bridge"}:
        (process,) = stack.processes(name)
        assert password not in environ(process)["MILEPOST_DATABASE_URL"]


BEFORE_SCOPES = list(takewhile(lambda one: one.name != "scope", read_migrations()))


async def test_a_data_directory_from_before_the_scopes_goes_on(place: Path) -> None:
    """There the API shares the login of the services, and the database has neither its role nor a policy."""
    stack = Stack(place / "data")
    with datadir.hold(stack.data) as directory:
        cluster = postgres.prepare(directory / "postgres", port=find_free_port())
        with running(cluster.command, place / "log", cluster.run_as):
            await postgres.wait_ready(cluster.url)
            connection = await asyncpg.connect(cluster.url)
            await migrate(connection, BEFORE_SCOPES)
            password = datadir.keep_secret(directory / "services.password")
            await connection.execute(
                f"CREATE ROLE milepost_services LOGIN PASSWORD '{password}' IN ROLE milepost_service; "
                "DROP ROLE milepost_api"
            )
            await connection.execute("INSERT INTO station (id, name) VALUES ('kept', 'kept')")
            await connection.close()
    try:
        stack.start()
        assert [station["id"] for station in stack.items("stations")] == ["kept"]
        assert {"services.password", "api.password"} <= {path.name for path in stack.data.iterdir()}
        assert stack.stop() == 0
    finally:
        stack.end()


async def test_a_data_directory_of_an_older_version_goes_on(place: Path) -> None:
    """There the database knows its superuser alone."""
    stack = Stack(place / "data")
    with datadir.hold(stack.data) as directory:
        cluster = postgres.prepare(directory / "postgres", port=find_free_port())
        with running(cluster.command, place / "log", cluster.run_as):
            await postgres.wait_ready(cluster.url)
            connection = await asyncpg.connect(cluster.url)
            await migrate(connection)
            await connection.execute("DROP OWNED BY milepost_service, milepost_api")
            await connection.execute("DROP ROLE milepost_service, milepost_api")
            await connection.execute("INSERT INTO station (id, name) VALUES ('kept', 'kept')")
            await connection.close()
    try:
        stack.start()
        assert [station["id"] for station in stack.items("stations")] == ["kept"]
        assert stack.stop() == 0
        stack.start()
        assert stack.stop() == 0
    finally:
        stack.end()


AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives rights to others: run the tests as root")
_READ_SEARCH = 1 << 2


class Rights(NamedTuple):
    user: int
    capabilities: int
    no_new_privileges: bool


def rights(process: psutil.Process) -> Rights:
    status = Path(f"/proc/{process.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    held = int(fields["CapEff"], 16) | int(fields["CapPrm"], 16)
    return Rights(int(fields["Uid"].split()[0]), held, fields["NoNewPrivs"] == "1")


def is_server(process: psutil.Process) -> bool:
    """And not the process of Milepost that starts a server or stands for one."""
    return process.name() != "python" and "iotcore" not in process.cmdline()


@AS_ROOT
def test_the_servers_have_no_capability(stack: Stack) -> None:
    (program,) = set(read_each(stack.processes("postgres"), psutil.Process.exe))
    if as_user.closed_directory(Path(program), "nobody") is not None:
        pytest.skip("this environment lies in a closed directory: put it where users can enter")
    found = [*stack.processes("postgres"), *stack.processes("mqtt")]
    servers = [held for server, held in read_each(found, lambda one: (is_server(one), rights(one))) if server]
    assert {(held.user > 0, held.capabilities) for held in servers} == {(True, 0)}


def test_a_process_that_ended_meanwhile_is_passed_over() -> None:
    with subprocess.Popen(["/bin/sleep", "600"]) as short:
        ended = psutil.Process(short.pid)
        short.kill()
    own = psutil.Process()
    assert read_each([ended, own], raw_environ) == [raw_environ(own)]
    assert read_each([ended, own], rights) == [rights(own)]
    assert read_each([ended, own], is_server) == [is_server(own)]
    with pytest.raises(AssertionError, match="none of the processes runs"):
        read_each([ended], psutil.Process.exe)


@AS_ROOT
@pytest.mark.skipif(not as_user.can_confine(), reason="this kernel has no Landlock: take a newer one")
def test_in_a_closed_directory_the_servers_may_pass_and_are_confined(place: Path) -> None:
    place.chmod(0o700)
    stack = Stack(place / "data")
    try:
        stack.start()
        found = {name: read_each(stack.processes(name), rights) for name in ("postgres", "mqtt")}
        for held in (held for name in found for held in found[name] if held.user > 0):
            assert (held.capabilities, held.no_new_privileges) == (_READ_SEARCH, True)
        assert {held.user for held in found["postgres"]} == {pwd.getpwnam(postgres.service_user()).pw_uid}
        assert stack.stop() == 0
    finally:
        stack.end()
