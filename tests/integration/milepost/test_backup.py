"""`milepost backup` and `milepost restore` over a real `milepost up`: what comes back, and what is refused."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from api.http.middleware import COOKIE
from milepost import datadir
from milepost.commands import backup as module
from milepost.embedded import accounts as accounts_module
from milepost.embedded import postgres
from milepost.embedded.serving import serve
from store.migrate import migrate, read_migrations
from tests.acceptance.stack import Stack, wait_until
from tests.acceptance.terminals import Terminal
from tests.integration.milepost.test_up import milepost, one_line, up

pytestmark = pytest.mark.timeout(300)
STATIONS = ("6321220001", "6321220002")


@pytest.fixture(scope="module")
def place(server_dir: Path) -> Path:
    path = Path(tempfile.mkdtemp(prefix="backup-", dir=server_dir))
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def lived(place: Path) -> Iterator[Stack]:
    """A stack that ran, had an incident, and signed a browser in; it is stopped."""
    stack = Stack(place / "old")
    terminals = [Terminal(stack.mqtt_port, station, every=1.0) for station in STATIONS]
    try:
        stack.start()
        for terminal in terminals:
            terminal.start()
        terminals[0].record("usage", until=0, sessions=3, minutes=20)
        wait_until(lambda: list(stack.verdicts().values()).count("online") == 2, 30, "they are not online")
        wait_until(lambda: terminals[0].acked_ids, 20, "the record is not acknowledged")
        terminals[1].power_off()
        wait_until(lambda: stack.items("incidents", station=STATIONS[1]), 60, "no incident")
        wait_until(lambda: stack.get(f"stations/{STATIONS[0]}/usage")["total"]["sessions"] == 3, 20, "not stored")
        yield stack
    finally:
        for terminal in terminals:
            terminal.power_off()
        stack.end()


def backup(stack: Stack, file: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return milepost("backup", "--data", str(stack.data), str(file), **environ)


def restore(file: Path, data: Path) -> subprocess.CompletedProcess[str]:
    return milepost("restore", "--data", str(data), str(file))


def what_is_known(stack: Stack, moment: str) -> dict[str, Any]:
    """What `stack` knows, without incidents that opened after `moment`: no terminal reports to a restored stack."""
    incidents = [each for each in stack.items("incidents", status="open") if each["opened_at"] <= moment]
    return {
        "stations": [(each["id"], each["name"], each["lifecycle"]) for each in stack.items("stations")],
        "incidents": [(each["id"], each["kind"], each["opened_at"]) for each in incidents],
        "usage": stack.get(f"stations/{STATIONS[0]}/usage")["total"],
        "first heard": stack.get(f"stations/{STATIONS[0]}/timeline")["intervals"][:2][-1]["from"],
    }


def sql(stack: Stack, statement: str) -> Any:
    """In the database of the running stack."""
    port = json.loads((stack.data / "ports.json").read_text())["postgres"]
    return asyncio.run(ask(postgres.url_of(stack.data / "postgres", port), statement))


async def ask(url: str, statement: str) -> Any:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def sql_at_rest(data: Path, statement: str) -> Any:
    """In the database of a stack that does not run."""

    async def run() -> Any:
        with datadir.hold(data) as held:
            async with serve(held) as url:
                return await ask(url, statement)

    return asyncio.run(run())


def signed_in(stack: Stack) -> str:
    """The cookie of a browser that signed in."""
    link = milepost("signin", "--data", str(stack.data)).stdout.strip()
    with httpx.Client(base_url=stack.url) as browser:
        browser.post("/signin", data={"code": link.partition("code=")[2]}, headers={"Origin": stack.url})
        assert browser.get("/").status_code == 200
        (cookie,) = [one for one in browser.cookies.jar if one.name == COOKIE]
        return f"{cookie.name}={cookie.value}"


def test_a_running_milepost_is_backed_up_and_restored_elsewhere(lived: Stack, place: Path) -> None:
    sql(lived, "CREATE ROLE dashboards LOGIN PASSWORD 'x' IN ROLE milepost_reader")
    cookie = signed_in(lived)
    moment = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    known = what_is_known(lived, moment)
    file = place / "hot.zip"

    done = backup(lived, file, LC_ALL="zh_CN.UTF-8")

    assert done.returncode == 0, done
    assert "请妥善保管" in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert lived.is_ready(), "it ran on"
    one_line(backup(lived, file))
    lived.stop()

    again = Stack(place / "new")
    try:
        done = restore(file, again.data)
        assert done.returncode == 0, done
        assert "is as it was at 20" in done.stdout
        assert not [path for path in place.iterdir() if ".restoring" in path.name or ".part" in path.name]
        for name in ("admin.token", "services.password", "postgres.password"):
            assert stat.S_IMODE((again.data / name).stat().st_mode) == 0o600
        again.start()
        assert (again.data / "admin.token").read_text() == (lived.data / "admin.token").read_text()
        assert what_is_known(again, moment) == known
        assert httpx.get(again.url, headers={"Cookie": cookie}).status_code == 401, "sessions do not come back"
        assert sql(again, "SELECT pg_has_role('dashboards', 'milepost_reader', 'member')")
        terminal = Terminal(again.mqtt_port, STATIONS[1], every=1.0, run=2).start()
        try:
            wait_until(lambda: again.verdicts()[STATIONS[1]] == "online", 30, "it does not go on")
            wait_until(lambda: not again.items("incidents", station=STATIONS[1], status="open"), 60, "it stays open")
        finally:
            terminal.power_off()
        kinds = {each["kind"] for each in again.items("incidents")}
        assert kinds <= {"station_offline", "pipeline_blind"}
        assert again.stop() == 0
    finally:
        again.end()


def test_a_stopped_milepost_is_backed_up_too_and_what_is_there_is_not_touched(lived: Stack, place: Path) -> None:
    if lived.process is not None:
        lived.stop()
    file = place / "cold.zip"
    done = backup(lived, file)
    assert done.returncode == 0, done
    assert "only you can read it" in done.stdout
    line = one_line(restore(file, lived.data))
    assert "is there already: name another with --data, or move it away" in line
    (place / "empty").mkdir()
    assert restore(file, place / "empty").returncode == 0
    cut = place / "cut.zip"
    cut.write_bytes(file.read_bytes()[:-100])
    assert "use another copy of the backup" in one_line(restore(cut, place / "other"))
    assert not (place / "other").exists()


def test_a_database_that_is_newer_than_the_code_is_refused_with_the_remedy(place: Path, lived: Stack) -> None:
    file = place / "newer.zip"
    if lived.process is not None:
        lived.stop()
    assert backup(lived, file).returncode == 0
    stack = Stack(place / "newer")
    assert restore(file, stack.data).returncode == 0
    sql_at_rest(stack.data, "INSERT INTO schema_migration (version, name, sha256) VALUES (9999, 'later', '')")
    line = one_line(up("--data", str(stack.data)))
    assert "the database is at schema 9999" in line
    assert "install the newer Milepost, or restore the backup from before the upgrade" in line
    assert backup(stack, place / "of-newer.zip").returncode == 0, "whoever has the older code can still save it"
    assert "with schema 9999" in one_line(restore(place / "of-newer.zip", place / "never"))


def test_a_backup_from_before_there_were_sessions_is_restored(place: Path, lived: Stack) -> None:
    if lived.process is not None:
        lived.stop()
    old, data = place / "of-old.zip", place / "old-schema"
    assert backup(lived, place / "plain.zip").returncode == 0
    assert restore(place / "plain.zip", data).returncode == 0
    sql_at_rest(data, "DROP TABLE session, signin_code")
    sql_at_rest(data, "DELETE FROM schema_migration WHERE version >= 24")
    assert milepost("backup", "--data", str(data), str(old)).returncode == 0
    done = restore(old, place / "old-restored")
    assert done.returncode == 0, done


def test_a_start_brings_an_older_database_to_the_newest_schema(place: Path) -> None:
    """An upgrade: what an older Milepost wrote is there afterwards."""
    stack = Stack(place / "older")
    known = read_migrations()

    async def as_before() -> None:
        with datadir.hold(stack.data) as held:
            async with serve(held) as url:
                connection = await asyncpg.connect(url)
                await migrate(connection, known[:12])
                await connection.execute(
                    "INSERT INTO area (code, name, level, path) VALUES ('63', 'a', 'province', '{63}')"
                )
                await connection.execute("INSERT INTO station (id, name, area) VALUES ('6321220001', 'b', '63')")
                await connection.close()

    asyncio.run(as_before())
    try:
        stack.start()
        assert [(each["id"], each["name"]) for each in stack.items("stations")] == [("6321220001", "b")]
        assert sql(stack, "SELECT max(version) FROM schema_migration") == len(known)
        assert stack.stop() == 0
    finally:
        stack.end()


def test_files_of_another_postgresql_are_refused_with_the_remedy(place: Path) -> None:
    data = place / "other-major"
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "PG_VERSION").write_text("12\n")
    (data / "postgres.password").write_text("x")
    for line in (
        one_line(up("--data", str(data))),
        one_line(milepost("backup", "--data", str(data), str(place / "x"))),
    ):
        assert "was written by PostgreSQL 12" in line
        assert "milepost backup" in line
    assert not (place / "x").exists()


@pytest.mark.parametrize("name", ["none", "empty-directory"])
def test_a_directory_without_a_milepost_is_named_and_not_made(place: Path, name: str) -> None:
    data = place / name
    if name != "none":
        data.mkdir()
    line = one_line(milepost("backup", "--data", str(data), str(place / "y.zip")))
    assert f"{data} has no database of `milepost up`" in line
    assert not (place / "y.zip").exists()
    assert not data.exists() or not any(data.iterdir())


def test_ctrl_c_leaves_nothing(place: Path, lived: Stack) -> None:
    if lived.process is not None:
        lived.stop()
    file = place / "for-ctrl-c.zip"
    assert backup(lived, file).returncode == 0
    command = [sys.executable, "-P", "-m", "milepost", "restore", "--data", str(place / "half"), str(file)]
    process = subprocess.Popen(command, env=os.environ.copy())
    unfinished = place / "half.restoring"
    wait_until(lambda: (unfinished / "postgres.password").exists(), 30, "it does not begin")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert not unfinished.exists()
    assert not (place / "half").exists()


def test_every_secret_of_the_data_directory_is_kept(lived: Stack, tmp_path: Path) -> None:
    """Whatever secret a later version puts there: its name must be among the patterns, or it is made anew."""
    found = {path.name for path in lived.data.iterdir() if path.is_file()}
    kept = {path.name for path in module.secrets_of(lived.data)}
    assert found - kept <= {"lock", "ports.json", "postgres.password", "running.json", "alerts.log"}
    assert {"admin.token", "services.password"} <= kept

    accounts = {accounts_module.FILE, *(f"{name}.password" for name in accounts_module.OWN.values())}
    for name in (*accounts, "postgres.password", "alerts.log"):
        (tmp_path / name).write_text("x")
    assert {path.name for path in module.secrets_of(tmp_path)} == accounts
