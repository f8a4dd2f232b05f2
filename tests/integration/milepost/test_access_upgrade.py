"""`milepost up` on a fresh directory, and on one from before there were accounts: nobody loses access."""

import asyncio
import hashlib
import hmac
import re
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest

from milepost.embedded import postgres
from store.migrate import read_migrations
from tests.acceptance.stack import Stack
from tests.integration.api_world import OWN_PAGE
from tests.servers import find_free_port

BEFORE = 26
"""The last migration of the version before."""
TOKEN, NONCE, CODE = "the-admin-token-of-before", secrets.token_urlsafe(32), secrets.token_urlsafe(32)
COOKIE = f"{NONCE}.{hmac.new(TOKEN.encode(), b'milepost session ' + NONCE.encode(), hashlib.sha256).hexdigest()}"


@pytest.fixture
def place(server_dir: Path) -> Path:
    place = Path(tempfile.mkdtemp(prefix="access-", dir=server_dir))
    place.chmod(0o755)
    return place


async def fill_as_before(url: str, services_password: str) -> None:
    """The schema of the version before, with a browser that is signed in, a wall display and an unused link."""
    await postgres.wait_ready(url)
    connection = await asyncpg.connect(url)
    await connection.execute(
        "CREATE TABLE schema_migration (version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    for migration in read_migrations()[:BEFORE]:
        await connection.execute(migration.sql)
        await connection.execute(
            "INSERT INTO schema_migration (version, name, sha256) VALUES ($1, $2, $3)",
            migration.version, migration.name, migration.sha256,
        )  # fmt: skip
    await connection.execute("CREATE ROLE milepost_service NOLOGIN")
    await connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO milepost_service")
    await connection.execute(
        f"CREATE ROLE milepost_services LOGIN PASSWORD '{services_password}' IN ROLE milepost_service"
    )
    now = datetime.now(UTC)
    await connection.execute(
        "INSERT INTO session (key, account, wall, created_at, used_at) VALUES ($1, 'admin', false, $2, $2)",
        hashlib.sha256(COOKIE.encode()).digest(), now - timedelta(days=1),
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO signin_code (key, account, until_at) VALUES ($1, 'admin', $2)",
        hashlib.sha256(CODE.encode()).digest(), now + timedelta(minutes=15),
    )  # fmt: skip
    await connection.close()


@pytest.fixture
def old(place: Path) -> Path:
    """A data directory of the version before."""
    data = place / "data"
    data.mkdir(mode=0o711)
    cluster = postgres.prepare(data / "postgres", port=find_free_port())
    with (place / "postgres.log").open("wb") as log:
        process = subprocess.Popen(
            cluster.command, user=cluster.run_as, cwd="/", stdout=log, stderr=log, start_new_session=True
        )
    try:
        asyncio.run(fill_as_before(cluster.url, "the-password-of-before"))
    finally:
        process.send_signal(2)
        process.wait(timeout=20)
    for name, secret in (("admin.token", TOKEN), ("services.password", "the-password-of-before")):
        (data / name).write_text(secret + "\n")
        (data / name).chmod(0o600)
    return data


@pytest.fixture
def started() -> Iterator[list[Stack]]:
    stacks: list[Stack] = []
    yield stacks
    for stack in stacks:
        stack.end()


def test_an_upgrade_loses_nobodys_access(old: Path, started: list[Stack]) -> None:
    stack = Stack(old)
    started.append(stack)
    stack.start()
    assert (old / "admin.token").read_text().strip() == TOKEN
    assert stack.get("account")["account"]["id"] == "admin"
    with httpx.Client(base_url=stack.url, cookies={"milepost_session": COOKIE}) as browser:
        own = browser.get("/api/v1/account").json()
        assert own["account"]["id"] == "admin"
        assert "manage_accounts" in own["permissions"]
        assert browser.get("/").status_code == 200
    with httpx.Client(base_url=stack.url, headers=OWN_PAGE) as browser:
        assert browser.post("/signin", data={"code": CODE}).status_code == 303
        assert browser.get("/api/v1/account").json()["account"]["id"] == "admin"


def test_a_fresh_directory_has_a_link_and_no_password(place: Path, started: list[Stack]) -> None:
    stack = Stack(place / "data")
    started.append(stack)
    stack.start()
    link = re.search(r"http://\S+/signin\?code=(\S+)", stack.output.read_text())
    assert link is not None
    with httpx.Client(base_url=stack.url, headers=OWN_PAGE) as browser:
        assert browser.get("/").status_code == 401
        assert browser.post("/signin", data={"code": link[1]}).status_code == 303
        assert browser.get("/").status_code == 200
        assert browser.get("/api/v1/account").json()["account"]["id"] == "admin"
    found = stack.get("accounts")["items"]
    assert {one["id"] for one in found} == {"admin", "operator", "system"}
    assert not any(path.name.startswith("password") for path in stack.data.iterdir())
