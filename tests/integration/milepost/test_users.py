"""`milepost users` and `milepost tokens` as processes, on a real database."""

import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from access.passwords import is_password
from access.store import find_login, find_token
from tests.servers import clean_environ

PASSWORD = "correct horse battery"


def milepost(
    database: str, *words: str, given: str = "", language: str = "C.UTF-8", token_file: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environ = {**clean_environ(), "MILEPOST_DATABASE_URL": database, "LC_ALL": language}
    if token_file is not None:
        environ["MILEPOST_ADMIN_TOKEN_FILE"] = str(token_file)
    return subprocess.run(
        [sys.executable, "-P", "-m", "milepost", *words],
        env=environ, input=given, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def done(database: str, *words: str, given: str = "") -> str:
    ran = milepost(database, *words, given=given)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


async def areas(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute(
        "INSERT INTO area (code, name, parent, level, path) VALUES"
        " ('630000000000', '青海', NULL, 'province', '{630000000000}'),"
        " ('632100000000', '海东', '630000000000', 'city', '{630000000000,632100000000}')"
    )
    await connection.close()


async def test_the_life_of_an_account(database: str) -> None:
    await areas(database)
    said = done(database, "users", "add", "li", "--name", "李四", "--role", "supervisor", "--scope", "6321")
    assert "milepost users link li" in said
    assert done(database, "users", "password", "li", "--password-stdin", given=PASSWORD + "\n")
    connection = await asyncpg.connect(database)
    login = await find_login(connection, "LI")
    assert login is not None
    assert is_password(login.password, PASSWORD)
    listed = done(database, "users", "list")
    (line,) = [line for line in listed.splitlines() if line.startswith("li ")]
    assert line.split() == ["li", "李四", "Supervisor", "632100000000", "Enabled", login.account]
    assert "Auditor, everything" in done(database, "users", "set", "li", "--role", "auditor", "--whole")
    link = milepost(database, "users", "link", "li", "--forget-password")
    assert link.stdout.startswith("http://127.0.0.1:8000/signin?code=")
    assert "signs li in once" in link.stderr
    assert link.stdout.count("\n") == 1
    assert "No password yet" in done(database, "users", "list")
    assert "is disabled" in done(database, "users", "disable", login.account)
    assert "was disabled already" in done(database, "users", "disable", "li")
    assert "is enabled" in done(database, "users", "enable", "li")
    by = await connection.fetchval("SELECT created_by FROM account WHERE id = $1", login.account)
    assert by == "operator"
    await connection.close()


async def test_the_life_of_a_token(database: str) -> None:
    await areas(database)
    done(database, "users", "add", "li", "--role", "auditor", "--whole")
    other = milepost(database, "tokens", "new", "lamp", "--account", "li", "--role", "auditor", "--whole")
    assert f"{other.stdout.split('_')[1]}  lamp  li " in done(database, "tokens", "list"), "the login, not the id"
    new = milepost(database, "tokens", "new", "pump", "--role", "auditor", "--scope", "6321", "--days", "30")
    assert new.returncode == 0, new.stderr
    text = new.stdout.removesuffix("\n")
    token = text.split("_")[1]
    assert token in new.stderr
    assert text not in new.stderr
    connection = await asyncpg.connect(database)
    actor = await find_token(connection, text, datetime.now(UTC))
    assert actor is not None
    assert (actor.account, actor.scope.setting) == ("admin", "632100000000")
    listed = done(database, "tokens", "list")
    assert "DAYS LEFT" in listed
    assert f"{token}  pump  admin    Auditor  632100000000  Valid" in listed
    assert "  29         never" in listed
    rotated = milepost(database, "tokens", "rotate", token, "--overlap", "24")
    assert re.search(rf"token {token} is good until \S+ \S+ Beijing time$", rotated.stderr, re.MULTILINE)
    second = rotated.stdout.strip()
    for good in (text, second):
        assert await find_token(connection, good, datetime.now(UTC)) is not None
    done(database, "tokens", "rotate", second.split("_")[1])
    assert await find_token(connection, second, datetime.now(UTC)) is None
    assert second.split("_")[1] not in done(database, "tokens", "list")
    assert "Revoked" in done(database, "tokens", "list", "--all")
    assert "is revoked" in done(database, "tokens", "revoke", token)
    assert await find_token(connection, text, datetime.now(UTC)) is None
    await connection.close()


@pytest.mark.parametrize(
    ("words", "en", "zh"),
    [
        (["users", "disable", "nobody"], "no account has the login 'nobody': `milepost users list`", "没有登录名为"),
        (["users", "disable", "admin"], "'admin' belongs to Milepost", "属于 Milepost 本身"),
        (["users", "set", "system", "--name", "x"], "'system' belongs to Milepost", "属于 Milepost 本身"),
        (["users", "password", "admin", "--password-stdin"], "'admin' belongs to Milepost", "属于 Milepost 本身"),
        (["users", "password", "admin"], "give --password-stdin", "请给出 --password-stdin"),
        (["users", "add", "a b", "--role", "admin", "--whole"], "without spaces", "不含空格"),
        (["users", "add", "x", "--role", "admin", "--scope", "9"], "no area has the code '9'", "没有代码为 '9' 的区划"),
        (["users", "add", "Admin", "--role", "admin", "--whole"], "'Admin' is taken", "已被使用"),
        (["users", "add", "x", "--role", "admin"], "--scope --whole is required", ""),
        (["users", "set", "operator"], "nothing to change: give --name", "没有要更改的内容"),
        (["tokens", "revoke", "abc"], "there is no token 'abc': `milepost tokens list`", "没有编号为 'abc' 的令牌"),
        (["tokens", "new", "x", "--role", "admin", "--whole", "--days", "500"], "1 to 400 days", "1 至 400 天"),
        (["tokens", "new", "x", "--role", "admin", "--whole", "--account", "system"], "has no tokens", "不能有令牌"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_remedy(database: str, words: list[str], en: str, zh: str) -> None:
    for language, text in (("C.UTF-8", en), ("zh_CN.UTF-8", zh)):
        ran = milepost(database, *words, given=PASSWORD, language=language)
        assert ran.returncode == 2
        assert text in ran.stderr
        assert ran.stdout == ""


def test_the_last_administrator(database: str, tmp_path: Path) -> None:
    done(database, "users", "add", "only", "--role", "admin", "--whole")
    refused = milepost(database, "users", "disable", "only")
    assert refused.returncode == 2
    assert "last administrator" in refused.stderr
    file = tmp_path / "admin.token"
    file.write_text("")
    assert milepost(database, "users", "disable", "only", token_file=file).returncode == 2
    file.write_text("secret")
    assert milepost(database, "users", "disable", "only", token_file=file).returncode == 0


@pytest.mark.parametrize(("again", "status"), [(PASSWORD, 0), ("another one", 2)])
def test_a_password_is_typed_twice_and_not_shown(database: str, again: str, status: int) -> None:
    done(database, "users", "add", "li", "--role", "auditor", "--whole")
    environ = {**clean_environ(), "MILEPOST_DATABASE_URL": database, "LC_ALL": "C.UTF-8"}
    pid, terminal = pty.fork()
    if pid == 0:  # the child
        words = [sys.executable, "-P", "-m", "milepost", "users", "password", "li"]
        os.execve(words[0], words, environ)  # noqa: S606
    shown = b""
    for question, answer in ((b"New password: ", PASSWORD), (b"Again: ", again)):
        while question not in shown:
            shown += os.read(terminal, 1000)
        os.write(terminal, answer.encode() + b"\n")
    try:
        while more := os.read(terminal, 1000):
            shown += more
    except OSError:  # Linux says so at the end of a terminal
        pass
    os.close(terminal)
    _, state = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(state) == status, shown
    assert PASSWORD.encode() not in shown
