"""Every command that changes something leaves exactly its entries in the ledger, as the account `operator`."""

from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from audit.assessments.rules_yaml import default_rules
from milepost.cli import COMMANDS
from milepost.commands.archive import Contents
from milepost.commands.restore import _record
from tests.integration.milepost.test_users import PASSWORD, areas, milepost

NO_ACT = {
    "agent", "api", "audit", "backup", "bridge", "deliver", "demo", "duty", "export", "grafana", "health", "incidents",
    "ingest", "judge", "report", "route", "verify", "schedule", "simulate", "up", "watch",
}  # fmt: skip
"""Processes that run on, and commands that change nothing of Milepost's."""
SCHEMA = {"migrate", "topics"}
"""They bring database and Kafka to the newest layout; which migrations ran is in `schema_migration`."""
ELSEWHERE = {"signin", "restore", "history"}
"""`signin` asks the API (test_ledger_walk.py), `restore` makes another database: see the last test; `history` needs
an empty one (test_made_up_history.py)."""
TESTED = {"account", "announce-restart", "assess", "import", "ledger", "notify", "templates", "tokens", "users"}
ENTRIES = "SELECT kind, actor FROM ledger_entry WHERE kind <> 'registry.facts' AND id > $1 ORDER BY id"


def test_no_command_is_left_out() -> None:
    assert {*COMMANDS} == NO_ACT | SCHEMA | ELSEWHERE | TESTED


async def left_by(database: str, words: Sequence[str], *, given: str = "", status: int = 0) -> list[str]:
    """The kinds of the entries that a command leaves, with the account if it is not `operator`."""
    connection = await asyncpg.connect(database)
    try:
        before = await connection.fetchval("SELECT coalesce(max(id), 0) FROM ledger_entry")
        ran = milepost(database, *words, given=given)
        assert ran.returncode == status, ran.stderr
        rows = await connection.fetch(ENTRIES, before)
    finally:
        await connection.close()
    return [row["kind"] if row["actor"] == "operator" else f"{row['kind']} {row['actor']}" for row in rows]


async def test_ledger(database: str, tmp_path: Path) -> None:
    key = ["--ledger-key", str(tmp_path / "key")]
    for words, kinds in (
        (["key", "new", "example.org/ledger", *key], []),
        (["key", "show", *key], []),
        (["key", "rotate", "--account", "operator", "--second", "admin", *key], ["ledger.key_rotated"]),
    ):
        assert await left_by(database, ["ledger", *words], given="") == kinds, words
    assert await left_by(database, ["ledger", "key", "rotate", "--account", "admin", *key], status=2) == []
    assert await left_by(database, ["ledger", "export", str(tmp_path / "out")], status=2) == []
    reopen = ["ledger", "reopen", *key, "--ledger-checkpoint", str(tmp_path / "checkpoint"), "--account", "operator"]
    assert await left_by(database, reopen, status=2) == [], "it needs a second person"
    assert await left_by(database, [*reopen, "--second", "admin"]) == ["ledger.opened"]


async def test_users(database: str) -> None:
    await areas(database)
    for words, kinds in (
        (["add", "li", "--role", "supervisor", "--scope", "6321"], ["account.made"]),
        (["list"], []),
        (["set", "li", "--name", "李", "--role", "auditor", "--whole"], ["account.renamed", "account.rights"]),
        (["password", "li", "--password-stdin"], ["account.password"]),
        (["link", "li", "--forget-password"], ["account.password", "signin_link.made"]),
        (["disable", "li"], ["account.disabled"]),
        (["disable", "li"], []),
        (["enable", "li"], ["account.enabled"]),
    ):
        assert await left_by(database, ["users", *words], given=PASSWORD + "\n") == kinds, words


async def test_templates(database: str) -> None:
    for words, given, kinds in (
        (["list"], "", []),
        (["show", "short"], "", []),
        (["set", "short", "【文化云】{short}"], "", ["template.changed"]),
        (["set", "short", "【文化云】{short}"], "", []),
        (["set", "body", "-", "--language", "en"], "{body}\nHelp: 0979\n", ["template.changed"]),
        (["preview", "title", "--text", "! {title}"], "", []),
        (["reset", "short"], "", ["template.reset"]),
        (["reset", "short"], "", []),
    ):
        assert await left_by(database, ["templates", *words], given=given) == kinds, words


async def test_tokens(database: str) -> None:
    assert await left_by(database, ["tokens", "new", "pump", "--role", "auditor", "--whole"]) == ["token.made"]
    connection = await asyncpg.connect(database)
    token = await connection.fetchval("SELECT id FROM api_token")
    await connection.close()
    assert await left_by(database, ["tokens", "rotate", token]) == ["token.made", "token.revoked"]
    assert await left_by(database, ["tokens", "revoke", token]) == []
    assert await left_by(database, ["tokens", "list"]) == []


async def contacts(database: str) -> None:
    """Those that files of duty name."""
    connection = await asyncpg.connect(database)
    row = "INSERT INTO contact (id, name, role, edited_by) VALUES ($1, $1, 'technician', 'operator')"
    await connection.executemany(row, [("li",), ("ma",)])
    await connection.close()


async def test_import(database: str, tmp_path: Path) -> None:
    files = {
        "areas": "code,name,parent\n63,青海省,\n6321,海东,63\n",
        "stations": "id,name,area\n6321220001,吉隆,6321\n",
        "closures": "station,from,until,reason,declared_by,approved_by\n6321220001,2026-12-01,2026-12-02,装修,李,王\n",
        "targets": "id,name,metric,areas,level,threshold,deadline,programme\nt,目标,stations,63,,200,2026-12-31,\n",
        "successions": "old,new,on\n6320,6321,2026-12-01\n",
        "schedules": "kind,schedule,from\nkiosk,24x7,2026-12-01\n",
        "overrides": "area,station,from,until,hours,reason\n63,,2026-12-01,2026-12-02,off,雪\n",
        "days": "day,class,name\n2026-12-31,rest,元旦\n",
        "duty": "area,role,contact\n63,technician,li\n63,technician,ma\n",
        "substitutes": "contact,substitute,from,until\nli,ma,2026-12-01,2026-12-02\n",
        "routes": "id,name,area,steps\nall,所有,,technician\n",
    }
    acts = {"closures": ["closure.declared"], "duty": ["duty.given"] * 2, "substitutes": ["substitute.given"]}
    acts["routes"] = ["route.made"]
    await contacts(database)
    for what, text in files.items():
        path = tmp_path / f"{what}.csv"
        path.write_text(text, encoding="utf-8")
        command = ["import", what, str(path)]
        assert await left_by(database, [*command, "--dry-run"]) == [], what
        assert await left_by(database, command) == [*acts.get(what, []), "import.applied"], what
    bad = tmp_path / "bad.csv"
    bad.write_text("code,name,parent\n64,,\n", encoding="utf-8")
    assert await left_by(database, ["import", "areas", str(bad)], status=2) == []


async def test_commands_act_as_the_account_that_is_named(database: str, tmp_path: Path) -> None:
    assert await left_by(database, ["users", "add", "li", "--role", "supervisor", "--whole"]) == ["account.made"]
    connection = await asyncpg.connect(database)
    li = await connection.fetchval("SELECT id FROM account WHERE login = 'li'")
    announce = ["announce-restart", "--reason", "新内核"]
    assert await left_by(database, [*announce, "--account", "nobody"], status=2) == []
    left = await left_by(database, [*announce, "--account", "LI", "--by", "王"])
    assert left == [f"restart.announced {li}"]
    row = await connection.fetchrow("SELECT actor, remark, reason FROM announced_restart")
    assert row is not None
    assert tuple(row) == (li, "王", "新内核")
    path = tmp_path / "areas.csv"
    path.write_text("code,name,parent\n63,青海省,\n", encoding="utf-8")
    assert await left_by(database, ["import", "areas", str(path), "--account", li]) == [f"import.applied {li}"]
    await connection.close()


async def test_notify(database: str) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("INSERT INTO contact (id, name, role, edited_by) VALUES ('li', '李', 'technician', 'x')")
    await connection.execute(
        "INSERT INTO contact_channel (contact, place, kind, address) VALUES ('li', 1, 'sms', '+8613800138000')"
    )
    await connection.close()
    assert await left_by(database, ["notify", "test", "li"], status=1) == ["contact.tested"]
    assert await left_by(database, ["notify", "test", "nobody"], status=2) == []


async def test_assess(database: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(database)
    await connection.execute("INSERT INTO day_state (cut, first_day, last_day) VALUES (0, '2026-11-01', '2026-12-31')")
    await connection.execute("INSERT INTO station (id, name) VALUES ('6321220001', '吉隆')")
    await connection.close()
    scores, rules, report = tmp_path / "scores.csv", tmp_path / "rules.yaml", tmp_path / "report.csv"
    scores.write_text("place,score,source\n6321220001,81,统计局\n", encoding="utf-8")
    rules.write_text(default_rules().replace("version: 1", "version: 2"), encoding="utf-8")
    make = ["assess", "make", "--period", "2026-11"]
    for words, kinds, status in (
        (make, ["assessment.made"], 0),
        (make, [], 2),
        ([*make, "--scores", str(scores), "--rules", str(rules), "--again", "late"], ["assessment.made"], 0),
        (["assess", "check", "2"], [], 0),
        (["report", "assessment", "2", "--format", "csv", "--out", str(report)], [], 0),
    ):
        assert await left_by(database, words, status=status) == kinds, words
    reason = "satisfaction 81.00% (all points from 90.00%): −30.00, scored by 统计局"
    assert reason in report.read_text(encoding="utf-8-sig")


async def test_account(database: str, tmp_path: Path) -> None:
    command = ["account", "6321220009", "--data", str(tmp_path), "--out", str(tmp_path / "1")]
    assert await left_by(database, command) == ["broker_account.made"]
    assert await left_by(database, command, status=2) == [], "it has one already"
    renew = [*command[:-1], str(tmp_path / "2"), "--renew"]
    assert await left_by(database, renew) == ["broker_account.renewed"]
    assert await left_by(database, [*command, "--remove"]) == ["broker_account.removed"]


@pytest.mark.parametrize("schema", [27, 28])
async def test_restore(database: str, schema: int) -> None:
    """A backup from before the ledger has no place for the entry."""
    contents = Contents(
        format=1, milepost="0.1.0", made_at="2026-11-27T08:00:00Z", postgres=18, schema=schema,
        members={"database.dump": "ab" * 32},
    )  # fmt: skip
    connection = await asyncpg.connect(database)
    if schema < 28:
        await connection.execute(
            "DROP TABLE ledger_pending, ledger_salt, ledger_entry, ledger_head, ledger_tile, ledger_run, "
            "ledger_checkpoint CASCADE"
        )
    await _record(connection, contents)
    if schema >= 28:
        row = await connection.fetchrow("SELECT kind, subject, actor, body FROM ledger_entry")
        assert row is not None
        assert tuple(row)[:3] == ("database.restored", "database", "operator")
        assert b'"dump_sha256":"abab' in row["body"]
    await connection.close()
