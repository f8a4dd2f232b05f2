"""The command line: one table of commands. What a command needs is imported when it runs, and nothing else."""

import argparse
import importlib
import importlib.util
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from contract.errors import RemedyError
from milepost import __version__, logs, options
from milepost.settings import PREFIX, TABLE, Settings, UnsetError, load, unknown

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger(__name__)

USAGE = 2
FAILURE = 1

_LOGGING = ("log_level", "log_format")
_KAFKA = ("kafka_servers",)
_STORED = ("database_url", "instance")
_LOCAL_URL = ("http_host", "http_port")
_LIVENESS = (
    "missed_heartbeats",
    "floor",
    "will_grace",
    "longest_tick",
)
_LOSSES = (
    "loss_window",
    "loss_settled",
    "loss_clean",
    "loss_share",
    "loss_least",
    "loss_all_share",
    "loss_all_least",
    "loss_named_least",
    "loss_named_of",
    "loss_named_times",
    "loss_named_until",
)
_BLIND_SPOTS = (
    "blind_never_days",
    "blind_dark_days",
    "blind_shut_days",
    "blind_idle_days",
    "blind_absence_days",
    "blind_stale_days",
    "blind_wifi_minutes",
    "blind_area_minutes",
    "blind_area_least",
)


_SERVERS = frozenset(("database_url", "kafka_servers", "mqtt_url", "mqtt_bind", "admin_token_file"))


class UsageError(Exception):
    """The command line is wrong; the message says how."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One subcommand. `runner` is ``module:function``: a coroutine function of (settings, stop) or, if it `takes`
    arguments of its own, (settings, stop, arguments); one that `threads` is a plain function of (settings,
    arguments) that sees to its own end. It returns None or an exit status. Its `settings` become options; what it
    reads `besides` has none: secrets, and what is set once for all. A child of `milepost up` gets these two and no
    other setting.
    """

    help: str
    runner: str
    settings: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    takes: Callable[[argparse.ArgumentParser], None] | None = None
    uvloop: bool = False
    threads: bool = False
    # Whether its work is shown to the person who typed it; then logging is only about what goes wrong.
    interactive: bool = False
    # Whether it brings servers of its own instead of looking for those of a `milepost up` that runs.
    brings: bool = False

    @property
    def finds(self) -> frozenset[str]:
        """The settings that name the servers it works on: what a running `milepost up` can answer."""
        return frozenset() if self.brings else _SERVERS & {*self.settings, *self.besides}


_MASS = ("mass_share", "mass_least", "mass_margin")
_CAUSES = (
    "cause_least",
    "cause_share",
    "cause_returned",
    "cause_hold",
    "flapping_slots",
    "flapping_slot",
    "flapping_on",
    "flapping_off",
)

_SERVICES = "milepost.services"

COMMANDS: Mapping[str, Command] = {
    "up": Command(
        help="run all of Milepost on this machine",
        runner="milepost.up:run",
        settings=("data", "http_host", "http_port", "mqtt_port", "mqtt_bind", "language"),
        takes=options.up,
        interactive=True,
        brings=True,
    ),
    "demo": Command(
        help="run all of Milepost and tell a story that proves it works",
        runner="milepost.demo:run",
        settings=("data", "http_host", "http_port", "mqtt_port", "language"),
        takes=options.demo,
        interactive=True,
        brings=True,
    ),
    "bridge": Command(
        help="carry messages from one MQTT broker into Kafka",
        runner=f"{_SERVICES}:bridge",
        settings=(
            "mqtt_url",
            "mqtt_password_file",
            "mqtt_ca_file",
            *_KAFKA,
            "kafka_idempotent",
            "kafka_linger",
            "shard",
            "bridge",
            *_LOSSES,
            "station_terminals",
        ),
        besides=("metrics_port",),
        uvloop=True,
    ),
    "ingest": Command(
        help="store records from Kafka in PostgreSQL",
        runner=f"{_SERVICES}:ingest",
        settings=_KAFKA,
        besides=_STORED,
        uvloop=True,
    ),
    "judge": Command(
        help="judge which stations are online",
        runner=f"{_SERVICES}:judge",
        settings=(*_KAFKA, "auto_register", "auto_register_most", "station_terminals", *_LIVENESS),
        besides=_STORED,
        uvloop=True,
    ),
    "health": Command(
        help="evaluate the health rules over what terminals record",
        runner=f"{_SERVICES}:health",
        settings=(*_KAFKA, "health_rules"),
        besides=_STORED,
        uvloop=True,
    ),
    "incidents": Command(
        help="open and close incidents",
        runner=f"{_SERVICES}:incidents",
        settings=(*_KAFKA, "missed_heartbeats", "floor", *_MASS, *_CAUSES, *_BLIND_SPOTS),
        besides=(*_STORED, "kafka_idempotent", "opening_grace", "never_seen_grace", "unusable_grace"),
        uvloop=True,
    ),
    "deliver": Command(
        help="tell people about incidents",
        runner=f"{_SERVICES}:deliver",
        settings=("alert_log", "public_url", "language"),
        besides=(*_STORED, *_LOCAL_URL, "alert_urls"),
        uvloop=True,
    ),
    "watch": Command(
        help="tell people when a part of Milepost is dead",
        runner=f"{_SERVICES}:watch",
        settings=(*_KAFKA, "api_url", "watch_limit", "alert_log", "language"),
        besides=(*_STORED, *_LOCAL_URL, "alert_urls", "deadman_url"),
        uvloop=True,
    ),
    "api": Command(
        help="serve the HTTP API and the console",
        runner=f"{_SERVICES}:api",
        settings=(*_LOCAL_URL, "admin_token_file", "public_url", "language"),
        besides=(*_STORED, "reopen_after"),
        uvloop=True,
    ),
    "signin": Command(
        help="print a new link that signs a browser in, once",
        runner="milepost.signin:run",
        settings=("admin_token_file", "api_url"),
        besides=_LOCAL_URL,
        interactive=True,
    ),
    "account": Command(
        help="make the MQTT account of a station for terminals on other machines",
        runner="milepost.account:run",
        settings=("data",),
        besides=("mqtt_bind", "mqtt_port"),
        takes=options.account,
        interactive=True,
    ),
    "backup": Command(
        help="write all that `milepost up` keeps into one file, while it runs or not",
        runner="milepost.backup:backup",
        settings=("data",),
        takes=options.backup,
        interactive=True,
    ),
    "restore": Command(
        help="make a new data directory of `milepost up` from a backup",
        runner="milepost.backup:restore",
        settings=("data",),
        takes=options.restore,
        interactive=True,
    ),
    "migrate": Command(
        help="bring the database to the newest schema",
        runner=f"{_SERVICES}:migrate",
        besides=("database_url",),
        interactive=True,
    ),
    "topics": Command(
        help="create the Kafka topics that are missing and verify the rest",
        runner=f"{_SERVICES}:topics",
        settings=(*_KAFKA, "partitions", "kafka_replication"),
        interactive=True,
    ),
    "import": Command(
        help="bring areas, stations, closures, targets or opening hours into the registry from a file",
        runner=f"{_SERVICES}:import_file",
        besides=("database_url",),
        takes=options.import_file,
        interactive=True,
    ),
    "announce-restart": Command(
        help="write down that the platform is restarted now, so that this pages nobody",
        runner=f"{_SERVICES}:announce_restart",
        besides=("database_url",),
        takes=options.announce_restart,
        interactive=True,
    ),
    "schedule": Command(
        help="say how opening rules are read, and what they come to",
        runner=f"{_SERVICES}:schedule",
        takes=options.schedule,
        interactive=True,
    ),
    "grafana": Command(
        help="bring the dashboards into a Grafana",
        runner=f"{_SERVICES}:grafana",
        besides=("grafana_url", "grafana_token", "reader_url"),
        takes=options.grafana,
        interactive=True,
    ),
    "simulate": Command(
        help="simulate a fleet of terminals, and check what Milepost says of it",
        runner="milepost.simulate:run",
        settings=("mqtt_password_file", "mqtt_ca_file"),
        besides=("mqtt_url",),
        takes=options.simulate,
        uvloop=True,
        interactive=True,
    ),
    "agent": Command(
        help="report the health of this machine as a terminal of a station",
        runner="milepost.terminal:run",
        settings=("data", "mqtt_password_file", "mqtt_ca_file"),
        besides=("mqtt_url",),
        takes=options.agent,
        threads=True,
    ),
}


def needed(name: str) -> frozenset[str]:
    """The fields of the settings that the command of this name reads."""
    command = COMMANDS[name]
    return frozenset((*command.settings, *command.besides, *_LOGGING))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see `{self.prog} --help`)")


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(prog="milepost", description="Monitors thousands of small public service points.")
    parser.add_argument("--version", action="version", version=f"milepost {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    for name, command in COMMANDS.items():
        sub = subparsers.add_parser(name, help=command.help, description=f"{command.help}.")
        if command.takes is not None:
            command.takes(sub)
        looks = ("data",) if command.finds and "data" not in command.settings else ()
        _add_settings(sub, (*looks, *command.settings, *_LOGGING))
    return parser


def _add_settings(parser: argparse.ArgumentParser, fields: Sequence[str]) -> None:
    rows = {setting.field: setting for setting in TABLE}
    group = parser.add_argument_group("settings", "Each overrides the environment variable of its name, MILEPOST_….")
    for field in fields:
        row = rows[field]
        group.add_argument(row.option, dest=f"setting:{field}", metavar="VALUE", help=f"{row.meaning} ({row.allowed})")


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command line and return its exit status: 2 with one line on stderr for what a person must mend."""
    try:
        _require_own_agents()
        arguments = build_parser().parse_args(argv)
        return _execute(COMMANDS[arguments.command], arguments, environ)
    except (RemedyError, UsageError) as exc:
        sys.stderr.write(f"milepost: {_one_line(str(exc))}\n")
        return USAGE
    except KeyboardInterrupt:
        return 130
    except Exception:
        # Without a handler (logging not yet configured) this still reaches stderr.
        log.exception("failed")
        return FAILURE


def _execute(command: Command, arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    given = {name.removeprefix("setting:"): value for name, value in vars(arguments).items() if value is not None}
    overrides = {field: value for field, value in given.items() if f"setting:{field}" in vars(arguments)}
    settings = load(environ, overrides)
    quiet = command.interactive and settings.log_level == "info"
    logs.configure(level="warning" if quiet else settings.log_level, style=settings.log_format)
    for line in unknown(environ):
        log.warning(line)
    runner = find(command.runner)
    if not command.finds:
        return _start(command, runner, settings, arguments)

    from milepost import running

    provided = running.given_by(environ, (*overrides, *(["mqtt_url"] if given.get("broker") else [])))
    asked = running.Asked(
        command=arguments.command,
        directory=settings.data,
        named="data" in provided,
        given=provided,
        servers=command.finds & provided,
    )
    found = running.find(asked)
    if found.state == "running" and "data" not in command.settings:
        for field in sorted(asked.servers):
            log.warning("%s%s is set, and wins over what runs in %s", PREFIX, field.upper(), settings.data)
    try:
        return _start(command, runner, load(running.merged(found, environ), overrides), arguments)
    except UnsetError as exc:
        raise found.remedy(exc) from exc


def _start(command: Command, runner: Callable[..., Any], settings: Settings, arguments: argparse.Namespace) -> int:
    if command.threads:
        return runner(settings, arguments) or 0

    from milepost.signals import run_until_stopped

    def main(stop: "asyncio.Event") -> Awaitable[int | None]:
        result: Awaitable[int | None] = (
            runner(settings, stop) if command.takes is None else runner(settings, stop, arguments)
        )
        return result

    return run_until_stopped(main, uvloop=command.uvloop) or 0


def find(runner: str) -> Callable[..., Any]:
    """The function behind a `runner`. Raises RemedyError when a package of an extra is not installed."""
    module, _, function = runner.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as exc:
        raise _missing(exc) from exc
    return found


def _missing(exc: ModuleNotFoundError) -> Exception:
    """What to install when a package of an extra is not there; anything else is a fault of ours."""
    if exc.name is None or exc.name.partition(".")[0] in {
        "milepost",
        "api",
        "grafana",
        "ingest",
        "alerting",
        "broker",
        "store",
    }:
        return exc
    return RemedyError(f"the package {exc.name} is not installed: pip install 'milepost[server,embedded]'")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _require_own_agents() -> None:
    """The distribution openai-agents installs a package `agents` too, over ours."""
    spec = importlib.util.find_spec("agents")
    here = Path(__file__).resolve().parent.parent
    if spec is None or spec.origin is None or Path(spec.origin).resolve().parent.parent != here or _has_openai_agents():
        raise RemedyError(
            "the package `agents` of this environment is not Milepost's (openai-agents has one of the same name): "
            "install Milepost into a virtual environment of its own"
        )


def _has_openai_agents() -> bool:
    # importlib.metadata would answer too, at 3 MB of memory that a terminal has better use for.
    return any(next(Path(entry or ".").glob("openai_agents-*.dist-info"), None) for entry in sys.path)
