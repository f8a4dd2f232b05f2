"""A child of `milepost up` gets the settings that it reads, and nothing else of our environment."""

import ast
import inspect
import os
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from contract.errors import RemedyError
from milepost.cli import COMMANDS, needed
from milepost.embedded import postgres
from milepost.settings import TABLE, Secret, Settings, load
from milepost.stack.environs import command_environ
from milepost.stack.programs import SERVICES
from registry.importing.sheets.sheet import XLSX
from registry.importing.sheets.sheet_process import read_apart

FIELDS = {setting.field for setting in TABLE}
LOGGING = {"log_level", "log_format"}
# They hand settings on to everything that they start.
PARENTS = {"up", "demo"}


def _attributes(node: ast.AST, name: str) -> set[str]:
    """The `x` of each `NAME.x` in the node."""
    found = (n for n in ast.walk(node) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name))
    return {n.attr for n in found if isinstance(n.value, ast.Name) and n.value.id == name}


def _behind(attribute: str) -> set[str]:
    """The fields that an attribute of the settings comes from: itself, or those that a property reads."""
    if attribute in FIELDS:
        return {attribute}
    tree = ast.parse(inspect.getsource(import_module("milepost.settings.table")))
    (body,) = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == attribute)
    return set().union(*map(_behind, _attributes(body, "self")))


def _read_by(functions: dict[str, ast.AST], name: str) -> set[str]:
    """The fields that a function of a module reads, with those of its functions that it hands the settings to."""
    body = functions[name]
    read = set().union(*map(_behind, _attributes(body, "settings")))
    for call in (n for n in ast.walk(body) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)):
        given = any(isinstance(argument, ast.Name) and argument.id == "settings" for argument in call.args)
        if given and isinstance(call.func, ast.Name) and call.func.id in functions:
            read |= _read_by(functions, call.func.id)
    return read


def read_by(runner: str) -> set[str]:
    module, _, name = runner.partition(":")
    tree = ast.parse(inspect.getsource(import_module(module)))
    functions: dict[str, ast.AST] = {
        node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return _read_by(functions, name)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - PARENTS))
def test_a_command_is_given_what_it_reads_and_nothing_else(name: str) -> None:
    assert needed(name) == read_by(COMMANDS[name].runner) | LOGGING


def test_how_reading_is_found() -> None:
    assert {"database_url", "kafka_servers", "blind_stale_days"} <= read_by("milepost.services:incidents")
    assert {"http_host", "public_url", "instance"} <= read_by("milepost.services:deliver")
    assert {"mqtt_password_file"} <= read_by("milepost.commands.simulate:run")


@pytest.mark.parametrize(
    ("field", "readers"),
    [
        ("alert_urls", {"deliver", "watch"}),
        ("sms_gateway", {"deliver", "notify"}),
        ("mail_gateway", {"audit", "deliver", "notify"}),
        ("deadman_url", {"watch"}),
        ("admin_token_file", {"api", "signin", "users"}),
        ("grafana_token", {"grafana"}),
        ("mqtt_password_file", {"bridge", "simulate", "agent"}),
    ],
)
def test_each_secret_has_few_readers(field: str, readers: set[str]) -> None:
    assert {name for name in set(COMMANDS) - PARENTS if field in needed(name)} == readers


@pytest.fixture
def parent(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in {
        "FOO_SECRET": "of another program",
        "PGPASSWORD": "of libpq",
        "MILEPOST_GRAFANA_TOKEN": "of a command",
        "MILEPOST_TEST_DATABASE_URL": "of the tests",
        "https_proxy": "http://user:secret@proxy",
        "LC_ALL": "C.UTF-8",
        "PATH": "/usr/bin",
    }.items():
        monkeypatch.setenv(name, value)
    return Settings(database_url=Secret("postgresql://h/d"), alert_urls=Secret("json://h"), kafka_servers="h:1")


def test_a_child_gets_what_any_program_needs(parent: Settings) -> None:
    environ = command_environ("ingest", parent)
    assert (environ["PATH"], environ["LC_ALL"]) == ("/usr/bin", "C.UTF-8")
    read = load(environ)
    assert (read.database_url, read.kafka_servers, read.alert_urls) == (parent.database_url, "h:1", None)


@pytest.mark.parametrize("name", sorted({*SERVICES, "migrate", "topics", "import", "simulate"}))
def test_a_child_gets_no_secret_that_it_does_not_read(parent: Settings, name: str) -> None:
    environ = command_environ(name, parent)
    theirs = {"FOO_SECRET", "PGPASSWORD", "MILEPOST_GRAFANA_TOKEN", "MILEPOST_TEST_DATABASE_URL"}
    assert not theirs & set(environ)
    assert ("MILEPOST_ALERT_URLS" in environ) == (name in {"deliver", "watch"})
    assert ("https_proxy" in environ) == (name in {"deliver", "watch"})
    assert {variable for variable in environ if variable.startswith("MILEPOST_")} <= {
        setting.variable for setting in TABLE if setting.field in needed(name)
    }


def spied(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The environments that processes are run with from now on."""
    seen: list[dict[str, str]] = []
    run = subprocess.run

    def spy(*arguments: Any, **options: Any) -> Any:
        seen.append(options.get("env") or dict(os.environ))
        return run(*arguments, **options)

    monkeypatch.setattr(subprocess, "run", spy)
    return seen


def test_who_reads_a_workbook_holds_no_secret(parent: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = spied(monkeypatch)
    with pytest.raises(RemedyError):
        read_apart(XLSX + b"no workbook")
    (environ,) = seen
    assert environ["PATH"] == "/usr/bin"
    assert not {"FOO_SECRET", "MILEPOST_GRAFANA_TOKEN", "https_proxy"} & set(environ)


def test_who_makes_the_database_holds_no_secret(
    parent: Settings, server_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = spied(monkeypatch)
    postgres.prepare(server_dir / "environ", port=1)
    (environ,) = seen
    assert not {"FOO_SECRET", "PGPASSWORD", "MILEPOST_GRAFANA_TOKEN"} & set(environ)
