"""The command line: one table of commands. A command imports its modules only when it runs."""

import argparse
import importlib
import importlib.util
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contract.errors import RemedyError
from contract.said import Said, said_by
from milepost import (
    __version__,
    account_options,
    audit_options,
    ledger_options,
    logs,
    options,
    report_options,
    routing_options,
    template_options,
)
from milepost.language import language_of
from milepost.settings import PREFIX, TABLE, Settings, UnsetError, load, unknown
from milepost.usage import ChineseParser, Parser, UsageError

if TYPE_CHECKING:
    import asyncio

log = logging.getLogger(__name__)

USAGE = 2
FAILURE = 1

_LOGGING = ("log_level", "log_format")
_KAFKA = ("kafka_servers",)
_STORED = ("database_url", "instance")
_LOCAL_URL = ("http_host", "http_port")
_GATEWAYS = ("sms_gateway", "mail_gateway")
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


class Subcommand(msgspec.Struct, frozen=True, kw_only=True):
    """One subcommand. A child of `milepost up` gets `settings` and `without_option`, and no other setting."""

    help: Said
    #: ``module:function``: a coroutine function of (settings, stop), and of the arguments if there are any of its own.
    runner: str
    #: The settings that are options of the command.
    settings: tuple[str, ...] = ()
    #: The settings that the command reads but that are no options: secrets, and values that rarely change.
    without_option: tuple[str, ...] = ()
    #: Adds the command's own arguments to its parser. Returns the parsers of its actions, if it has parsers for them.
    add_arguments: Callable[[argparse.ArgumentParser, options.Say], list[argparse.ArgumentParser] | None] | None = None
    uvloop: bool = False
    #: Whether `runner` is a plain function of (settings, arguments) that handles signals itself.
    threads: bool = False
    #: Whether the command prints its results for the person who typed it; its log then begins at warnings.
    interactive: bool = False
    #: Whether the command starts its own servers instead of looking for a running `milepost up`.
    has_own_servers: bool = False

    @property
    def server_settings(self) -> frozenset[str]:
        """The settings with the addresses of servers, which a running `milepost up` can provide."""
        return frozenset() if self.has_own_servers else _SERVERS & {*self.settings, *self.without_option}


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

COMMANDS: Mapping[str, Subcommand] = {
    "up": Subcommand(
        help=Said("run all of Milepost on this machine", "在本机运行整套 Milepost"),
        runner="milepost.commands.up:run",
        settings=("data", "http_host", "http_port", "mqtt_port", "mqtt_bind", "language"),
        add_arguments=options.up,
        interactive=True,
        has_own_servers=True,
    ),
    "demo": Subcommand(
        help=Said(
            "run all of Milepost and show in a short story that it works", "运行整套 Milepost，并用一段演示证明其可用"
        ),
        runner="milepost.demo.command:run",
        settings=("data", "http_host", "http_port", "mqtt_port", "language"),
        add_arguments=options.demo,
        interactive=True,
        has_own_servers=True,
    ),
    "bridge": Subcommand(
        help=Said("transfer messages from one MQTT broker to Kafka", "将一个 MQTT 代理的消息送入 Kafka"),
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
        without_option=("metrics_port",),
        uvloop=True,
    ),
    "ingest": Subcommand(
        help=Said("store records from Kafka in PostgreSQL", "将 Kafka 中的记录存入 PostgreSQL"),
        runner=f"{_SERVICES}:ingest",
        settings=_KAFKA,
        without_option=_STORED,
        uvloop=True,
    ),
    "judge": Subcommand(
        help=Said("decide which stations are online", "判定哪些服务点在线"),
        runner=f"{_SERVICES}:judge",
        settings=(*_KAFKA, "auto_register", "auto_register_most", "station_terminals", *_LIVENESS),
        without_option=_STORED,
        uvloop=True,
    ),
    "health": Subcommand(
        help=Said("evaluate the health rules on the records of terminals", "按健康规则评估终端的记录"),
        runner=f"{_SERVICES}:health",
        settings=(*_KAFKA, "health_rules"),
        without_option=_STORED,
        uvloop=True,
    ),
    "incidents": Subcommand(
        help=Said("open and close incidents", "建立和关闭故障"),
        runner=f"{_SERVICES}:incidents",
        settings=(*_KAFKA, "missed_heartbeats", "floor", *_MASS, *_CAUSES, *_BLIND_SPOTS),
        without_option=(
            *_STORED,
            "kafka_idempotent",
            "opening_grace",
            "never_seen_grace",
            "unusable_grace",
            "seal_late",
            "aside_after",
        ),
        uvloop=True,
    ),
    "deliver": Subcommand(
        help=Said("send notifications about incidents", "发送故障通知"),
        runner=f"{_SERVICES}:deliver",
        settings=("alert_log", "public_url", "language", "pages_days", "next_channel_after"),
        without_option=(*_STORED, *_LOCAL_URL, "alert_urls", *_GATEWAYS),
        uvloop=True,
    ),
    "notify": Subcommand(
        help=Said("send test messages to a contact", "向联系人发送测试消息"),
        runner="milepost.commands.notify:run",
        settings=("public_url",),
        without_option=("database_url", *_LOCAL_URL, *_GATEWAYS),
        add_arguments=options.notify,
        interactive=True,
    ),
    "watch": Subcommand(
        help=Said("send notifications when a part of Milepost stops", "Milepost 某部分停止工作时发送通知"),
        runner=f"{_SERVICES}:watch",
        settings=(*_KAFKA, "api_url", "watch_limit", "alert_log", "language"),
        without_option=(*_STORED, *_LOCAL_URL, "alert_urls", "deadman_url"),
        uvloop=True,
    ),
    "audit": Subcommand(
        help=Said(
            "seal the ledger, sign checkpoints, keep the figures of each day, and delete old records",
            "封存账本，签署检查点，留存每日的在线数据，并删除过期记录",
        ),
        runner="milepost.commands.audit:run",
        settings=(
            "ledger_key",
            "ledger_checkpoint",
            "ledger_witnesses",
            "ledger_copies",
            "language",
            *(f"{kind}_days" for kind in ("health", "usage", "inventory", "event", "presence", "hourly", "daily")),
        ),
        without_option=(*_STORED, "mail_gateway"),
        add_arguments=audit_options.audit,
        uvloop=True,
    ),
    "ledger": Subcommand(
        help=Said("keys of the ledger, and an export for auditors", "账本的密钥，以及供审计的导出"),
        runner="milepost.commands.ledger:run",
        settings=("ledger_key", "ledger_checkpoint"),
        without_option=("database_url",),
        add_arguments=ledger_options.ledger,
        interactive=True,
    ),
    "verify": Subcommand(
        help=Said(
            "verify an export of the ledger or the sheet of a station, without server and database",
            "核验账本的导出或服务点报告，不需要服务器和数据库",
        ),
        runner="milepost.commands.verify:run",
        add_arguments=ledger_options.verify,
        threads=True,
        interactive=True,
    ),
    "api": Subcommand(
        help=Said("serve the HTTP API and the console", "提供 HTTP API 和控制台"),
        runner=f"{_SERVICES}:api",
        settings=(*_LOCAL_URL, "admin_token_file", "public_url", "language"),
        without_option=(*_STORED, "reopen_after", "acknowledge_for", "repair_stable", "trusted_proxies", "fonts"),
        uvloop=True,
    ),
    "signin": Subcommand(
        help=Said("print a link that signs a browser in; it works once", "显示一次性的浏览器登录链接"),
        runner="milepost.signin:run",
        settings=("admin_token_file", "api_url"),
        without_option=_LOCAL_URL,
        interactive=True,
    ),
    "account": Subcommand(
        help=Said(
            "create the MQTT account of a station, for terminals on other machines",
            "为其他机器上的终端建立服务点的 MQTT 账户",
        ),
        runner="milepost.commands.account:run",
        settings=("data",),
        without_option=("database_url", "mqtt_bind", "mqtt_port"),
        add_arguments=options.account,
        interactive=True,
    ),
    "users": Subcommand(
        help=Said("create, change and disable the accounts of people", "新建、更改和停用人员的账户"),
        runner="milepost.commands.users:run",
        settings=("admin_token_file", "public_url"),
        without_option=("database_url", *_LOCAL_URL),
        add_arguments=account_options.users,
        interactive=True,
    ),
    "tokens": Subcommand(
        help=Said("create, rotate and revoke API tokens", "新建、更换和吊销 API 令牌"),
        runner="milepost.commands.tokens:run",
        without_option=("database_url",),
        add_arguments=account_options.tokens,
        interactive=True,
    ),
    "templates": Subcommand(
        help=Said("change, preview and reset the texts of messages", "更改、预览和恢复消息文字"),
        runner="milepost.commands.templates:run",
        settings=("public_url",),
        without_option=("database_url",),
        add_arguments=template_options.templates,
        interactive=True,
    ),
    "backup": Subcommand(
        help=Said(
            "write all data of `milepost up` to one file; `milepost up` may be running",
            "将 `milepost up` 的全部数据写入一个文件，运行中也可以",
        ),
        runner="milepost.commands.backup:run",
        settings=("data",),
        add_arguments=options.backup,
        interactive=True,
    ),
    "restore": Subcommand(
        help=Said(
            "create a new data directory of `milepost up` from a backup", "由备份建立 `milepost up` 的新数据目录"
        ),
        runner="milepost.commands.restore:run",
        settings=("data",),
        add_arguments=options.restore,
        interactive=True,
    ),
    "migrate": Subcommand(
        help=Said("upgrade the database to the newest schema", "将数据库结构升级到最新"),
        runner=f"{_SERVICES}:migrate",
        without_option=("database_url",),
        interactive=True,
    ),
    "history": Subcommand(
        help=Said(
            "fill a new database with made-up history, for demonstrations", "在新数据库中生成虚构的历史数据，供演示使用"
        ),
        runner="milepost.commands.history:run",
        settings=("shard", "partitions"),
        without_option=("database_url",),
        add_arguments=options.history,
        uvloop=True,
        interactive=True,
    ),
    "topics": Subcommand(
        help=Said("create missing Kafka topics and verify the others", "创建缺少的 Kafka 主题，并检查其余主题"),
        runner=f"{_SERVICES}:topics",
        settings=(*_KAFKA, "partitions", "kafka_replication"),
        interactive=True,
    ),
    "import": Subcommand(
        help=Said(
            "import areas, stations, closures, targets, opening hours, contacts, duty or routes from a file",
            "从文件导入区划、服务点、报备、覆盖目标、开放时间、联系人、值班或路由",
        ),
        runner=f"{_SERVICES}:import_file",
        without_option=("database_url",),
        add_arguments=options.import_file,
        interactive=True,
    ),
    "export": Subcommand(
        help=Said(
            "write areas, stations, contacts, duty or routes to a file that can be imported",
            "将区划、服务点、联系人、值班或路由写入可再次导入的文件",
        ),
        runner=f"{_SERVICES}:export_file",
        without_option=("database_url",),
        add_arguments=options.export_file,
        interactive=True,
    ),
    "announce-restart": Subcommand(
        help=Said(
            "announce a restart of the platform; interruptions during it send no notification",
            "公告平台重启；其间的中断不发通知",
        ),
        runner=f"{_SERVICES}:announce_restart",
        without_option=("database_url",),
        add_arguments=options.announce_restart,
        interactive=True,
    ),
    "duty": Subcommand(
        help=Said("list who is on duty", "列出谁在值班"),
        runner="milepost.commands.routing.duty:run",
        without_option=("database_url",),
        add_arguments=routing_options.duty,
        interactive=True,
    ),
    "route": Subcommand(
        help=Said(
            "say who would be told of an incident, and where and when nobody would be",
            "说明事件会通知谁，以及何时何地无人会收到通知",
        ),
        runner="milepost.commands.routing.route:run",
        without_option=("database_url",),
        add_arguments=routing_options.route,
        interactive=True,
    ),
    "report": Subcommand(
        help=Said(
            "write a report of uptime, use or an assessment as PDF, XLSX or CSV",
            "生成在线统计、服务效能或考核报告（PDF、XLSX、CSV）",
        ),
        runner="milepost.commands.report:run",
        settings=("fonts",),
        without_option=("database_url",),
        add_arguments=report_options.report,
        interactive=True,
    ),
    "assess": Subcommand(
        help=Said("assess an area for a month or a year by rules", "按规则考核一个区划的某月或某年"),
        runner="milepost.commands.assessments.assess:run",
        without_option=("database_url",),
        add_arguments=report_options.assess,
        interactive=True,
    ),
    "schedule": Subcommand(
        help=Said(
            "show how opening rules are understood, and the resulting days", "说明如何识别开放时间，以及对应的日期"
        ),
        runner=f"{_SERVICES}:schedule",
        add_arguments=options.schedule,
        interactive=True,
    ),
    "grafana": Subcommand(
        help=Said("write the dashboards to a Grafana", "将仪表盘写入 Grafana"),
        runner="milepost.commands.dashboards.grafana_sync:run",
        without_option=("grafana_url", "grafana_token", "reader_url", "database_url"),
        add_arguments=options.grafana,
        interactive=True,
    ),
    "simulate": Subcommand(
        help=Said(
            "simulate a fleet of terminals and compare Milepost's results with it",
            "模拟大量终端，并核对 Milepost 的结果",
        ),
        runner="milepost.commands.simulate:run",
        settings=("mqtt_password_file", "mqtt_ca_file"),
        without_option=("mqtt_url",),
        add_arguments=options.simulate,
        uvloop=True,
        interactive=True,
    ),
    "agent": Subcommand(
        help=Said("report the health of this machine as a terminal of a station", "作为服务点的一台终端上报本机状况"),
        runner="milepost.commands.agent_command:run",
        settings=("data", "mqtt_password_file", "mqtt_ca_file"),
        without_option=("mqtt_url",),
        add_arguments=options.agent,
        threads=True,
    ),
}


def needed(name: str) -> frozenset[str]:
    """The fields of the settings that the command `name` reads."""
    command = COMMANDS[name]
    return frozenset((*command.settings, *command.without_option, *_LOGGING))


def build_parser(language: str = "en") -> argparse.ArgumentParser:
    """The parser of the whole command line, with help and errors in `language`."""

    def say(en: str, zh: str) -> str:
        return Said(en, zh).text(language)

    about = say("Monitors thousands of small public service points.", "监测成千上万个小型公共服务点。")
    parser = (Parser if language == "en" else ChineseParser)(prog="milepost", description=about)
    version = say("show the version and exit", "显示版本并退出")
    parser.add_argument("--version", action="version", version=f"milepost {__version__}", help=version)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        text = command.help.text(language)
        sub = subparsers.add_parser(name, help=text, description=text + say(".", "。"))
        actions = None if command.add_arguments is None else command.add_arguments(sub, say)
        data = ("data",) if command.server_settings and "data" not in command.settings else ()
        for one in actions or [sub]:
            _add_settings(one, (*data, *command.settings, *_LOGGING), language)
    return parser


def _add_settings(parser: argparse.ArgumentParser, fields: Sequence[str], language: str) -> None:
    rows = {setting.field: setting for setting in TABLE}
    title, about = (
        Said("settings", "设置"),
        Said(
            "An option takes precedence over the environment variable MILEPOST_… of its name.",
            "每项优先于同名的环境变量 MILEPOST_…。",
        ),
    )
    group = parser.add_argument_group(title.text(language), about.text(language))
    for field in fields:
        row = rows[field]
        # argparse formats help texts with %.
        text = row.help.text(language).replace("%", "%%")
        group.add_argument(row.option, dest=f"setting:{field}", metavar="VALUE", help=text)


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command line and return its exit status. A mistake of the user is one line on stderr and status 2."""
    try:
        _require_own_agents()
        arguments = build_parser(language_of(environ)).parse_args(argv)
        return _execute(COMMANDS[arguments.command], arguments, environ)
    except (RemedyError, UsageError) as exc:
        sys.stderr.write(f"milepost: {_one_line(said_by(exc).text(language_of(environ)))}\n")
        return USAGE
    except KeyboardInterrupt:
        return 130
    except Exception:
        # Without a handler (logging is not configured yet) this message still reaches stderr.
        log.exception("failed")
        return FAILURE


def _execute(command: Subcommand, arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    given = {name.removeprefix("setting:"): value for name, value in vars(arguments).items() if value is not None}
    overrides = {field: value for field, value in given.items() if f"setting:{field}" in vars(arguments)}
    settings = load(environ, overrides)
    quiet = command.interactive and settings.log_level == "info"
    logs.configure(level="warning" if quiet else settings.log_level, style=settings.log_format)
    for line in unknown(environ):
        log.warning(line)
    runner = find(command.runner)
    if not command.server_settings:
        return _start(command, runner, settings, arguments)

    from milepost import running

    provided = running.given_by(environ, (*overrides, *(["mqtt_url"] if given.get("broker") else [])))
    lookup = running.ServerLookup(
        command=arguments.command,
        directory=settings.data,
        named="data" in provided,
        given=provided,
        servers=command.server_settings & provided,
    )
    found = running.find_servers(lookup)
    if found.state == "running" and "data" not in command.settings:
        for field in sorted(lookup.servers):
            log.warning("%s%s is set, and wins over what runs in %s", PREFIX, field.upper(), settings.data)
    try:
        return _start(command, runner, load(running.merged_environ(found, environ), overrides), arguments)
    except UnsetError as exc:
        raise found.remedy(exc) from exc


def _start(command: Subcommand, runner: Callable[..., Any], settings: Settings, arguments: argparse.Namespace) -> int:
    if command.threads:
        return runner(settings, arguments) or 0

    from milepost.signals import run_until_stopped

    def main(stop: "asyncio.Event") -> Awaitable[int | None]:
        result: Awaitable[int | None] = (
            runner(settings, stop) if command.add_arguments is None else runner(settings, stop, arguments)
        )
        return result

    return run_until_stopped(main, uvloop=command.uvloop) or 0


def find(runner: str) -> Callable[..., Any]:
    """Import the function of a `runner`. Raises RemedyError if a package of an extra is not installed."""
    module, _, function = runner.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as exc:
        raise _missing(exc) from exc
    return found


_OWN_PACKAGES = frozenset(
    (
        "milepost",
        "api",
        "grafana",
        "audit",
        "alerting",
        "ingest",
        "broker",
        "agents",
        "access",
        "registry",
        "store",
        "contract",
    )
)


def _missing(exc: ModuleNotFoundError) -> Exception:
    """A remedy for a missing package of an extra; a missing module of Milepost itself is returned as it is."""
    if exc.name is None or exc.name.partition(".")[0] in _OWN_PACKAGES:
        return exc
    return RemedyError(
        f"the package {exc.name} is not installed: pip install 'milepost[server,embedded]'",
        f"未安装软件包 {exc.name}：请运行 pip install 'milepost[server,embedded]'",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _require_own_agents() -> None:
    """Raise RemedyError if the package `agents` is that of the distribution openai-agents, which overwrites ours."""
    spec = importlib.util.find_spec("agents")
    here = Path(__file__).resolve().parent.parent
    if spec is None or spec.origin is None or Path(spec.origin).resolve().parent.parent != here or _has_openai_agents():
        raise RemedyError(
            "the package `agents` of this environment is not Milepost's (openai-agents has one of the same name): "
            "install Milepost into a virtual environment of its own",
            "此环境中的软件包 `agents` 不是 Milepost 的（openai-agents 有同名软件包）："
            "请将 Milepost 安装到独立的虚拟环境",
        )


def _has_openai_agents() -> bool:
    # importlib.metadata would need 3 MB more memory, which is much on a terminal.
    return any(next(Path(entry or ".").glob("openai_agents-*.dist-info"), None) for entry in sys.path)
