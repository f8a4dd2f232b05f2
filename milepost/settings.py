"""Every setting, in one table: the fields of `Settings`. `docs/settings.md` is written from it.

A setting `http_port` is the environment variable ``MILEPOST_HTTP_PORT``. A secret may also stand in a file, whose
name is then in the variable with ``_FILE`` at its end.
"""

import os
import re
import socket
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from contract.errors import RemedyError
from contract.said import Said
from milepost.settings_chinese import MEANINGS

PREFIX = "MILEPOST_"
PARTITIONS = 24
LINGER = 0.02


class Secret(msgspec.Struct, frozen=True):
    """A text that no log, message or repr shows."""

    value: str

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Few = Annotated[int, Meta(ge=1, le=1000)]
Seconds = Annotated[float, Meta(ge=0.1, le=3600)]
Minutes = Annotated[float, Meta(ge=0.1, le=100_000)]
Days = Annotated[float, Meta(ge=0.001, le=3660)]
LongSeconds = Annotated[float, Meta(ge=1, le=31_536_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
SomeShare = Annotated[float, Meta(ge=0.01, le=1)]
"""A share of which none is no sense: what is over when nobody is back is over at once."""
Name = Annotated[
    str,
    Meta(
        pattern="^[0-9A-Za-z_.-]{1,64}$",
        extra={
            "allowed": "1 to 64 letters, digits, `_`, `.` and `-`",
            "allowed_zh": "1 至 64 个字母、数字、`_`、`.` 或 `-`",
        },
    ),
]
WebUrl = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^\s/]+",
        extra={"allowed": "`http://…` or `https://…`", "allowed_zh": "`http://…` 或 `https://…`", "has_ports": True},
    ),
]
MqttUrl = Annotated[
    str,
    Meta(
        pattern=r"^mqtts?://([^\s/:@]+@)?[^\s/@]+$",
        extra={
            "allowed": "`mqtt://user@host:port` or `mqtts://user@host:port`",
            "allowed_zh": "`mqtt://user@host:port` 或 `mqtts://user@host:port`",
            "has_ports": True,
        },
    ),
]
_PORT = r"(?:6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})"
_SERVER = rf"[^\s,:]+:{_PORT}"
Servers = Annotated[str, Meta(pattern=rf"^{_SERVER}(,{_SERVER})*$", extra={"allowed": "`host:port,host:port`"})]
DatabaseUrl = Annotated[
    Secret,
    Meta(
        extra={
            "allowed": "`postgresql://user:password@host:port/name`",
            "pattern": r"^postgres(ql)?://\S+$",
            "has_ports": True,
        }
    ),
]


_URL = r"[A-Za-z][A-Za-z0-9+.-]*://\S+"
# A comma belongs to some URLs (mail to several people), but not to their end, and not before the next.
AlertUrls = Annotated[
    Secret,
    Meta(
        extra={
            "allowed": "URLs such as `wecombot://KEY`, separated by white space and not by commas",
            "allowed_zh": "`wecombot://KEY` 这样的地址，以空白分隔，不用逗号",
            "pattern": rf"^(?!.*[,;](\s|$))(?!.*[,;][A-Za-z][A-Za-z0-9+.-]*://){_URL}(\s+{_URL})*$",
        }
    ),
]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What each process of Milepost is told. The description of a field is its documentation."""

    data: Annotated[
        Path,
        Meta(
            description="Where `milepost up` and the agent keep their files; other commands find a running `up` there."
        ),
    ] = Path(".milepost")
    http_host: Annotated[str, Meta(description="The address on which the API and the console listen.")] = "127.0.0.1"
    http_port: Annotated[Port, Meta(description="The port of the API and the console.")] = 8000
    mqtt_port: Annotated[Port, Meta(description="The port of the MQTT broker that `milepost up` starts.")] = 1883
    mqtt_bind: Annotated[
        str,
        Meta(
            description="The address on which that broker listens besides loopback; 0.0.0.0 is every one. Off loopback "
            "terminals need accounts (see operations.md)."
        ),
    ] = "127.0.0.1"
    public_url: Annotated[
        WebUrl | None,
        Meta(description="The address under which people reach the console; links in alerts begin with it."),
    ] = None
    database_url: Annotated[
        DatabaseUrl | None, Meta(description="PostgreSQL. `milepost up` brings its own if unset.")
    ] = None
    kafka_servers: Annotated[Servers | None, Meta(description="Kafka. `milepost up` brings its own if unset.")] = None
    kafka_replication: Annotated[
        Annotated[int, Meta(ge=1, le=9)], Meta(description="Copies of each topic; 3 in production.")
    ] = 1
    kafka_idempotent: Annotated[
        bool, Meta(description="Whether producers are idempotent; the embedded Kafka cannot do it.")
    ] = True
    kafka_memory: Annotated[
        Annotated[int, Meta(ge=32, le=1_000_000)],
        Meta(description="MiB that the Kafka of `milepost up`, which forgets nothing, may fill before it starts anew."),
    ] = 1024
    kafka_linger: Annotated[
        Annotated[float, Meta(ge=0.001, le=0.5)] | None,
        Meta(
            description="Seconds for which a bridge gathers messages before it sends them to Kafka; unset: 0.02, with "
            "the Kafka of `milepost up` 0.3."
        ),
    ] = None
    partitions: Annotated[
        Annotated[int, Meta(ge=1, le=1024)] | None,
        Meta(
            description="Partitions of each topic; unset: 24, with the Kafka of `milepost up` 1, or as many as its "
            "data directory was begun with. Fixed once stations were judged."
        ),
    ] = None
    mqtt_url: Annotated[MqttUrl | None, Meta(description="The MQTT broker. `milepost up` brings its own if unset.")] = (
        None
    )
    mqtt_ca_file: Annotated[
        Path | None,
        Meta(description="The CA certificate by which to check an `mqtts://` broker; the system's if unset."),
    ] = None
    mqtt_password_file: Annotated[Path | None, Meta(description="The file with the password for the MQTT broker.")] = (
        None
    )
    mqtt_anonymous: Annotated[
        bool | None,
        Meta(
            description="Whether the MQTT broker of `milepost up` accepts clients without a password; unset: only on "
            "loopback."
        ),
    ] = None
    metrics_port: Annotated[
        Port | None, Meta(description="The port on loopback where the bridge serves Prometheus metrics; none if unset.")
    ] = None
    shard: Annotated[Name, Meta(description="The name of the MQTT broker that this bridge serves.")] = "main"
    bridge: Annotated[Name, Meta(description="The name of this bridge, its own among all bridges.")] = "bridge-1"
    auto_register: Annotated[
        bool | None,
        Meta(description="Whether an unknown station is registered when first heard; unset: only in `milepost up`."),
    ] = None
    auto_register_most: Annotated[
        Count,
        Meta(
            description="How many stations are registered in that way; further ones are listed under "
            "`/api/v1/unregistered`."
        ),
    ] = 100_000
    station_terminals: Annotated[
        Annotated[int, Meta(ge=1, le=1000)],
        Meta(description="How many terminals a station may have; what it sends under further names is refused."),
    ] = 64
    missed_heartbeats: Annotated[
        Annotated[float, Meta(ge=1, le=100)],
        Meta(description="How many heartbeats may be missed before a terminal is offline (k)."),
    ] = 3.0
    floor: Annotated[
        Seconds,
        Meta(
            description="Seconds that all terminals of a shard may take to connect again after a gap of the pipeline "
            "(S). After a gap a terminal is offline when it is silent for two intervals and S."
        ),
    ] = 10.0
    will_grace: Annotated[
        Seconds, Meta(description="Seconds after a Last Will before it shortens a deadline; a blip fires one too.")
    ] = 10.0
    longest_tick: Annotated[
        Annotated[float, Meta(ge=1, le=60)],
        Meta(description="Seconds between two ticks of a bridge above which the interval does not count."),
    ] = 5.0
    loss_window: Annotated[
        Seconds,
        Meta(
            description="Seconds in which lost messages are counted to tell if they are our loss; in a shard of few, "
            "until all of them were heard."
        ),
    ] = 10.0
    loss_settled: Annotated[
        LongSeconds,
        Meta(description="Seconds for which a station must have been heard by a bridge before its losses count."),
    ] = 600.0
    loss_clean: Annotated[
        Few,
        Meta(description="The windows in which a station was heard and lost nothing before its loss counts in full."),
    ] = 10
    loss_share: Annotated[
        Share, Meta(description="The share of the stations heard in a window above which such losses are ours.")
    ] = 0.02
    loss_least: Annotated[
        Count,
        Meta(
            description="The fewest stations whose losses are ours; of a shard of few a twentieth is enough, but two."
        ),
    ] = 5
    loss_all_share: Annotated[
        Share, Meta(description="The share above which losses are ours, whoever lost something before.")
    ] = 0.2
    loss_all_least: Annotated[Count, Meta(description="The fewest stations for that.")] = 3
    loss_named_least: Annotated[
        Few, Meta(description="Windows with a loss from which a station is one that numbers wrongly.")
    ] = 5
    loss_named_of: Annotated[Few, Meta(description="The station's last windows of which these are counted.")] = 100
    loss_named_times: Annotated[
        Annotated[float, Meta(ge=1, le=1000)],
        Meta(description="How many times the others' share of windows with a loss that must be."),
    ] = 10.0
    loss_named_until: Annotated[
        Few, Meta(description="Windows without a loss after which such a station counts again.")
    ] = 30
    mass_share: Annotated[
        SomeShare,
        Meta(description="The share of a shard's stations that fall together from which the shard is suspected."),
    ] = 0.8
    mass_least: Annotated[Count, Meta(description="The fewest stations that fall together for that.")] = 20
    mass_margin: Annotated[
        LongSeconds,
        Meta(description="Seconds before and after its fall for which a station must be open to count for that."),
    ] = 600.0
    health_rules: Annotated[
        Path | None,
        Meta(description="A YAML file of health rules, over those that are shipped (see health-rules.md)."),
    ] = None
    opening_grace: Annotated[
        LongSeconds,
        Meta(description="Seconds after opening that a station may take to be online before it is an incident."),
    ] = 900.0
    unusable_grace: Annotated[
        LongSeconds,
        Meta(
            description="Seconds that an open station may be online and of no use to visitors before it is an incident."
        ),
    ] = 300.0
    reopen_after: Annotated[
        LongSeconds,
        Meta(description="Seconds after which an incident that a person closed opens again, if its fault goes on."),
    ] = 14_400.0
    never_seen_grace: Annotated[
        LongSeconds,
        Meta(description="Seconds after it was commissioned that a station may take to be heard for the first time."),
    ] = 86_400.0
    cause_least: Annotated[
        Annotated[int, Meta(ge=2, le=1_000_000)],
        Meta(description="The fewest stations of an area, uplink, feeder, agent version or shard that fall together."),
    ] = 5
    cause_share: Annotated[
        SomeShare, Meta(description="The share of its stations that fell together from which it is their common cause.")
    ] = 0.5
    cause_returned: Annotated[
        SomeShare, Meta(description="The share of the stations of a common cause that are back when it may be over.")
    ] = 0.5
    cause_hold: Annotated[
        Seconds,
        Meta(
            description="Seconds for which then no more came back until it is over, for stations that beat once a "
            "minute or quicker, for slower ones in proportion, up to 72 min; until then a new cut is the same."
        ),
    ] = 300.0
    flapping_slots: Annotated[
        Annotated[int, Meta(ge=2, le=100)],
        Meta(description="How many slots of time are looked at to tell whether a station flaps."),
    ] = 20
    flapping_slot: Annotated[
        Seconds | None,
        Meta(
            description="Seconds of such a slot for a station that beats once a minute, for others in proportion, "
            "between 15 s and 72 min; unset: as long as it takes to be called offline."
        ),
    ] = None
    flapping_on: Annotated[
        SomeShare, Meta(description="The weighted share of slots with a change from which a station flaps.")
    ] = 0.3
    flapping_off: Annotated[SomeShare, Meta(description="The share below which it flaps no more.")] = 0.25
    blind_never_days: Annotated[
        Days, Meta(description="Days after which a station that never reported is dark, from when it was commissioned.")
    ] = 1.0
    blind_dark_days: Annotated[Days, Meta(description="Days of silence after which a station is dark.")] = 7.0
    blind_shut_days: Annotated[
        Annotated[int, Meta(ge=1, le=30)],
        Meta(description="Opening days in a row without a station online after which it is shut."),
    ] = 3
    blind_idle_days: Annotated[Days, Meta(description="Days without a session after which a station is idle.")] = 14.0
    blind_absence_days: Annotated[
        Days, Meta(description="Days that a station is away, after which its idle days are counted anew.")
    ] = 3.0
    blind_stale_days: Annotated[
        Days, Meta(description="Days without a resource applied after which a station is stale.")
    ] = 90.0
    blind_wifi_minutes: Annotated[
        Minutes, Meta(description="Minutes without a working access point after which a station has no Wi-Fi.")
    ] = 60.0
    blind_area_minutes: Annotated[
        Minutes,
        Meta(description="Minutes without a working station, within opening hours, after which an area is dark."),
    ] = 15.0
    blind_area_least: Annotated[
        Count, Meta(description="The fewest stations of an area of which people are told that it is dark.")
    ] = 2
    alert_urls: Annotated[
        AlertUrls | None,
        Meta(description="Where alerts go: apprise URLs, or the https addresses of WeCom, DingTalk and Feishu bots."),
    ] = None
    alert_log: Annotated[Path | None, Meta(description="A file to which each alert is also written, a line each.")] = (
        None
    )
    admin_token_file: Annotated[
        Path | None, Meta(description="The file with the token of the first administrator of the API.")
    ] = None
    watch_limit: Annotated[
        Annotated[float, Meta(ge=40, le=3600)],
        Meta(description="Seconds within which `milepost watch` tells people that a part of Milepost is dead."),
    ] = 60.0
    api_url: Annotated[
        WebUrl | None,
        Meta(
            description="Where `milepost watch` and `milepost signin` find the API; the address it listens on if unset."
        ),
    ] = None
    deadman_url: Annotated[
        Annotated[
            Secret,
            Meta(
                extra={
                    "allowed": "`http://…` or `https://…`",
                    "allowed_zh": "`http://…` 或 `https://…`",
                    "pattern": r"^https?://\S+$",
                    "has_ports": True,
                }
            ),
        ]
        | None,
        Meta(
            description="A dead man's switch elsewhere: `milepost watch` asks for this address each minute while all "
            "is well; when it falls silent, that service is to raise the alarm."
        ),
    ] = None
    grafana_url: Annotated[
        WebUrl | None, Meta(description="The Grafana that `milepost grafana sync` brings the dashboards to.")
    ] = None
    grafana_token: Annotated[
        Secret | None, Meta(description="The token of a service account there, with the role Admin.")
    ] = None
    reader_url: Annotated[
        DatabaseUrl | None,
        Meta(description="PostgreSQL as that Grafana reaches it, with an account that only reads."),
    ] = None
    language: Annotated[
        Literal["zh-CN", "en"],
        Meta(description="The language of alerts; in `milepost demo` also of the story, unset: that of the locale."),
    ] = "zh-CN"
    log_format: Annotated[Literal["text", "json"], Meta(description="How log lines are written.")] = "text"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least level that is logged.")
    ] = "info"
    instance: Annotated[
        Name | None, Meta(description="The name of this process among its like; host and process id if unset.")
    ] = None

    @property
    def instance_name(self) -> str:
        """`instance`, or host-pid."""
        return self.instance or f"{socket.gethostname()}-{os.getpid()}"

    @property
    def local_url(self) -> str:
        """Where the API is for a process on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.http_host, self.http_host)  # noqa: S104
        return f"http://[{host}]:{self.http_port}" if ":" in host else f"http://{host}:{self.http_port}"

    @property
    def console_url(self) -> str:
        """Where the console is for people: `public_url`, or the address it listens on."""
        return (self.public_url or self.local_url).rstrip("/")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table. `allowed` says in words what a value must be."""

    field: str
    allowed: str
    #: The same in Chinese.
    allowed_zh: str
    default: Any
    meaning: str
    secret: bool
    is_path: bool
    #: Of a number, the least and the largest that is allowed.
    bounds: tuple[float, float] | None = None

    @property
    def help(self) -> Said:
        """What it is for and what it may be."""
        return Said(f"{self.meaning} ({self.allowed})", f"{MEANINGS[self.field]}（{self.allowed_zh}）")

    @property
    def variable(self) -> str:
        return PREFIX + self.field.upper()

    @property
    def option(self) -> str:
        return "--" + self.field.replace("_", "-")


def _rows() -> Iterator[Setting]:
    for field in msgspec.structs.fields(Settings):
        plain, metas = _unwrap(_HINTS[field.name])
        yield Setting(
            field=field.name,
            allowed=_allowed(plain, metas).en,
            allowed_zh=_allowed(plain, metas).zh,
            default=field.default,
            meaning=next(meta.description for meta in metas if meta.description),
            secret=plain is Secret,
            is_path=plain is Path,
            bounds=_bounds(metas) if plain in (int, float) else None,
        )


def _unwrap(hint: Any) -> tuple[Any, list[Meta]]:
    """The type under Annotated and ``| None``, and what is said about it."""
    if get_origin(hint) is Annotated:
        inner, *said = get_args(hint)
        plain, metas = _unwrap(inner)
        return plain, [*said, *metas]
    if get_origin(hint) in (Union, UnionType):
        return _unwrap(next(kind for kind in get_args(hint) if kind is not type(None)))
    return hint, []


def _extra(metas: list[Meta], key: str) -> str | None:
    return next((str(meta.extra[key]) for meta in metas if meta.extra and key in meta.extra), None)


def _bounds(metas: list[Meta]) -> tuple[float, float]:
    """The least and the largest number that is allowed; a setting without them is a mistake in the table."""
    low, high = (next(b for b in (getattr(m, side) for m in metas) if b is not None) for side in ("ge", "le"))
    return low, high


def _allowed(plain: Any, metas: list[Meta]) -> Said:
    said = _extra(metas, "allowed")
    if said is not None:
        return Said(said, _extra(metas, "allowed_zh") or said)
    if get_origin(plain) is Literal:
        choices = [f"`{choice}`" for choice in get_args(plain)]
        return Said("one of " + ", ".join(choices), "、".join(choices) + " 之一")
    if plain in (int, float):
        low, high = _bounds(metas)
        whole = plain is int
        return Said(
            f"a {'whole ' if whole else ''}number from {low} to {high}",
            f"{low} 至 {high} 的{'整数' if whole else '数'}",
        )
    return {bool: Said("`true` or `false`", "`true` 或 `false`"), Path: Said("a path", "路径")}.get(
        plain, Said("a text", "文字")
    )


_HINTS = get_type_hints(Settings, include_extras=True)
TABLE: tuple[Setting, ...] = tuple(_rows())
_BY_FIELD = {setting.field: setting for setting in TABLE}


ORDERED: tuple[tuple[str, str], ...] = (
    ("flapping_off", "flapping_on"),
    ("loss_share", "loss_all_share"),
    ("loss_named_least", "loss_named_of"),
)
"""Settings of which the first must not be larger than the second: together they would never end, or never begin."""


def load(environ: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> Settings:
    """The settings of `environ`, except those that `overrides` (by field) sets; an empty value is unset.

    Raises RemedyError naming the variable or option, what is wrong and what is allowed; of two that contradict each
    other both.
    """
    given = {setting.field: value for setting in TABLE if (value := _given(setting, environ))}
    sources = {field: _BY_FIELD[field].variable for field in given}
    for field, value in (overrides or {}).items():
        given[field] = value
        sources[field] = _BY_FIELD[field].option
    settings = Settings(**{field: _convert(field, value, sources[field]) for field, value in given.items()})
    for small, large in ORDERED:
        _require_order(settings, small, large, sources)
    return settings


def _require_order(settings: Settings, small: str, large: str, sources: Mapping[str, str]) -> None:
    low, high = getattr(settings, small), getattr(settings, large)
    if low > high:
        names = [sources.get(field, _BY_FIELD[field].variable) for field in (small, large)]
        raise RemedyError(
            f"{names[0]} is {low:g} and {names[1]} is {high:g}: the first must not be larger",
            f"{names[0]} 为 {low:g}，{names[1]} 为 {high:g}：前者不能大于后者",
        )


def _given(setting: Setting, environ: Mapping[str, str]) -> str | None:
    value = environ.get(setting.variable, "").strip()
    file = environ.get(f"{setting.variable}_FILE", "").strip()
    if not setting.secret or not file:
        return value or None
    if value:
        raise RemedyError(
            f"{setting.variable} and {setting.variable}_FILE are both set: keep one",
            f"{setting.variable} 和 {setting.variable}_FILE 都已设置：请只保留一个",
        )
    return secret_in(Path(file), f"{setting.variable}_FILE")


def _convert(field: str, value: str, source: str) -> Any:
    hint = _HINTS[field]
    plain, metas = _unwrap(hint)
    if plain is Path:
        return Path(value).expanduser()
    right = not _extra(metas, "has_ports") or _has_ports(value)
    if plain is Secret:
        if not right or not re.match(_extra(metas, "pattern") or "", value, re.DOTALL):
            raise RemedyError(
                f"{source} has a wrong form: it must be {_BY_FIELD[field].allowed}",
                f"{source} 的格式有误，应为：{_BY_FIELD[field].allowed_zh}",
            )
        return Secret(value)
    if not right:
        raise _wrong(field, value, source)
    try:
        return msgspec.convert(_as_bool(value) if plain is bool else value, hint, strict=False)
    except msgspec.ValidationError:
        raise _wrong(field, value, source) from None


def _wrong(field: str, value: str, source: str) -> RemedyError:
    # A URL may carry a password.
    shown, shown_zh = ("has a wrong form", "的格式有误") if "@" in value else (f"is {value!r}", f"为 {value!r}")
    return RemedyError(
        f"{source} {shown}: it must be {_BY_FIELD[field].allowed}",
        f"{source} {shown_zh}，应为：{_BY_FIELD[field].allowed_zh}",
    )


def _has_ports(url: str) -> bool:
    """Whether every port in a URL is one, of several hosts too."""
    try:
        hosts = urlsplit(url).netloc.rpartition("@")[2].split(",")
        return all(urlsplit(f"//{host}").port != 0 for host in hosts)
    except ValueError:
        return False


def _as_bool(value: str) -> str:
    """The usual spellings of a switch, brought to the two that msgspec reads."""
    return {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(value.lower(), value.lower())


class UnsetError(RemedyError):
    """A setting that a command cannot do without has no value; `up_brings_it` says whether a running `up` has one."""

    def __init__(self, variable: str, example: str, *, up_brings_it: bool = True) -> None:
        self.variable, self.example, self.up_brings_it = variable, example, up_brings_it
        en, zh = _FROM_UP if up_brings_it else ("", "")
        super().__init__(f"{variable} is not set: give it as {example}{en}", f"未设置 {variable}：请设为 {example}{zh}")


_FROM_UP = (
    ", or name the directory of a running `milepost up` with --data",
    "，或用 --data 指明正在运行的 `milepost up` 的目录",
)


def require(value: str | None, variable: str, example: str, *, up_brings_it: bool = True) -> str:
    """A setting that a command cannot do without. Raises UnsetError when it is not set."""
    if not value:
        raise UnsetError(variable, example, up_brings_it=up_brings_it)
    return value


def secret_in(path: Path | None, variable: str) -> str | None:
    """The secret in the file that `variable` names. Raises RemedyError when it cannot be read."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as exc:
        raise RemedyError(
            f"{variable} names {path}, which cannot be read: {exc}", f"{variable} 指定的 {path} 无法读取：{exc}"
        ) from exc


def unknown(environ: Mapping[str, str]) -> list[str]:
    """A line for each MILEPOST_ variable that is no setting, with the nearest that is one."""
    import difflib

    known = {setting.variable for setting in TABLE}
    known |= {f"{setting.variable}_FILE" for setting in TABLE if setting.secret}
    lines = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(PREFIX + "TEST_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            lines.append(f"{name} is not a setting" + (f": did you mean {near[0]}?" if near else ""))
    return lines


def to_environ(settings: Settings, fields: Collection[str] | None = None) -> dict[str, str]:
    """The variables that make `load` return the same settings again, or only these `fields`; for child processes."""
    result = {}
    for setting in TABLE:
        if fields is not None and setting.field not in fields:
            continue
        value = getattr(settings, setting.field)
        if value is not None:
            result[setting.variable] = _to_text(value)
    return result


def _to_text(value: Any) -> str:
    if isinstance(value, Secret):
        return value.value
    return str(value).lower() if isinstance(value, bool) else str(value)


def render_markdown() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Written from the table in `milepost/settings.py` by `python -m milepost.settings`; change it there.",
        "",
        "Each is an environment variable; most are also options of the commands that read them, and an option wins",
        "(`milepost COMMAND --help`). A wrong value ends the command with one line and exit status 2. A secret can",
        "also be put into a file: name that file in the variable with `_FILE` at its end.",
        "",
        "| variable | value | default | meaning |",
        "|---|---|---|---|",
    ]
    for setting in TABLE:
        default = "" if setting.default is None else f"`{_to_text(setting.default)}`"
        kind = setting.allowed + (", secret" if setting.secret else "")
        lines.append(f"| `{setting.variable}` | {kind} | {default} | {setting.meaning} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path("docs/settings.md").write_text(render_markdown(), encoding="utf-8")
