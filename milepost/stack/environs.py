"""The settings of the processes of a stack, and the environments in which they get them."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from contract.environ import bare_environ
from milepost import cli
from milepost.settings import TABLE, Settings, to_environ
from milepost.stack.servers import Servers

# A tick waits up to this many seconds for its batch; more than half is left of the second in which a terminal must be
# called offline.
EMBEDDED_LINGER = 0.3
_PROXIES = frozenset(("http_proxy", "https_proxy", "all_proxy", "no_proxy"))
_OF_ONE_PROCESS = frozenset(("data", "instance", "metrics_port", "log_level", "log_format"))
_T = TypeVar("_T")


def complete(settings: Settings, servers: Servers, directory: Path) -> Settings:
    """The settings of the services: those that a person gave, and for the rest those of this stack."""
    return replace(
        settings,
        data=directory,
        kafka_servers=settings.kafka_servers or f"127.0.0.1:{servers.kafka}",
        kafka_idempotent=settings.kafka_idempotent and servers.kafka is None,
        kafka_linger=settings.kafka_linger or (EMBEDDED_LINGER if servers.kafka is not None else None),
        mqtt_url=settings.mqtt_url or f"mqtt://127.0.0.1:{servers.mqtt}",
        auto_register=True if settings.auto_register is None else settings.auto_register,
        admin_token_file=(settings.admin_token_file or directory / "admin.token").absolute(),
        alert_log=(settings.alert_log or directory / "alerts.log").absolute(),
        ledger_key=(settings.ledger_key or directory / "ledger" / "key").absolute(),
        ledger_checkpoint=(settings.ledger_checkpoint or directory / "ledger" / "checkpoint").absolute(),
    )


def with_whole_paths(settings: Settings) -> Settings:
    """The same settings for a process that runs in another directory."""
    paths: dict[str, Any] = {row.field: getattr(settings, row.field) for row in TABLE if row.is_path}
    return replace(settings, **{field: path.absolute() for field, path in paths.items() if path})


def required(value: _T | None) -> _T:
    """A setting that `complete` or an earlier step has set."""
    assert value is not None  # noqa: S101  # a fault of ours otherwise
    return value


def own_command(*arguments: str) -> list[str]:
    """How to run a command of Milepost; -P keeps a folder named like a package of ours from being imported for it."""
    return [sys.executable, "-P", "-m", "milepost", *arguments]


def command_environ(name: str, settings: Settings) -> dict[str, str]:
    """The environment of a command of Milepost: the settings that it reads, and the proxies if it sends alerts."""
    fields = cli.needed(name)
    environ = bare_environ()
    if "alert_urls" in fields:
        environ |= {variable: value for variable, value in os.environ.items() if variable.lower() in _PROXIES}
    return environ | to_environ(settings, fields)


def environ_beside(name: str, settings: Settings) -> dict[str, str]:
    """The settings of a command that a person runs beside the stack, to work on the same servers."""
    return to_environ(with_whole_paths(settings), cli.needed(name) - _OF_ONE_PROCESS)
