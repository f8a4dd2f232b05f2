"""The settings of an agent. A wrong value raises `RemedyError`."""

import logging
import ssl
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

import msgspec

from contract.errors import RemedyError
from contract.topics import STATION_PATTERN, TERMINAL_PATTERN, is_station_id, is_terminal_id, terminal_name

_log = logging.getLogger(__name__)

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one terminal's agent. Times in seconds, sizes in bytes.

    `broker` is mqtt://[user@]host[:port] or mqtts://… ; `user` and `password` override what the URL says. The user
    of a password alone is the station's id, by which the broker's access rules go.
    `data` is the directory of the outbox and the run counter; it is made, its parent is not, unless that is `root`.
    `usable` is sent in every heartbeat; `usable_command`, when given, is run every `every` seconds instead and
    its exit status 0 means usable. `services` maps a name to a check: tcp://host:port or process:name.
    `wifi` names the interface of the access point. `reports` is a directory into which other programs write usage
    counts and the list of resources (see `agents.reports`). `accept_unsigned` lets commands and settings without a
    signature through.
    """

    station: str
    terminal: str = "001"
    broker: str
    user: str | None = None
    password: str | None = None
    ca: Path | None = None
    data: Path
    root: Path | None = None
    every: float = 60
    sample: float = 300
    disk: Path = Path("/")
    usable: bool | None = None
    usable_command: tuple[str, ...] = ()
    services: dict[str, str] = {}
    wifi: str | None = None
    reports: Path | None = None
    accept_unsigned: bool = False
    outbox_rows: int = 50_000
    outbox_bytes: int = 16 * 1024 * 1024
    backlog_rate: float = 20
    """Records a second that are sent of those written before the connection."""
    resend_after: float = 60
    resend_at_most: float = 600

    def __repr__(self) -> str:
        """Shows the terminal only: other fields hold secrets."""
        return f"AgentConfig(station={self.station!r}, terminal={self.terminal!r})"

    @property
    def name(self) -> str:
        """The name of the files of this agent, without their suffix."""
        return terminal_name(self.station, self.terminal)


class Broker(NamedTuple):
    """Address of the MQTT broker, and the account to log in with."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None


def parse_broker(url: str) -> Broker:
    """Parse an MQTT URL. Raises `RemedyError` when it is not one."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad_broker() from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or port == 0:
        raise _bad_broker()
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return Broker(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "mqtts", user, password)


def broker_of(config: AgentConfig) -> Broker:
    """The broker; user and password of the settings replace those of the URL."""
    found = parse_broker(config.broker)
    password = config.password or found.password
    user = config.user or found.user or (config.station if password else None)
    return found._replace(user=user, password=password)


def check(config: AgentConfig) -> None:
    """Raise `RemedyError` for the first setting that cannot work."""
    if not is_station_id(config.station):
        raise RemedyError(
            f"station {config.station!r} must match {STATION_PATTERN}: correct --station",
            f"服务点编号 {config.station!r} 须符合 {STATION_PATTERN}：请改正 --station",
        )
    if not is_terminal_id(config.terminal):
        raise RemedyError(
            f"terminal {config.terminal!r} must match {TERMINAL_PATTERN}: correct --terminal",
            f"终端编号 {config.terminal!r} 须符合 {TERMINAL_PATTERN}：请改正 --terminal",
        )
    if not 1 <= config.every <= 3600:
        raise RemedyError(
            f"every is {config.every:g} s: give --every from 1 to 3600",
            f"心跳间隔为 {config.every:g} 秒：--every 须为 1 至 3600",
        )
    if not 1 <= config.sample <= 86400:
        raise RemedyError(
            f"sample is {config.sample:g} s: give --sample from 1 to 86400",
            f"采样间隔为 {config.sample:g} 秒：--sample 须为 1 至 86400",
        )
    if config.ca is not None:
        tls_context(config.ca)
    parse_broker(config.broker)


def tls_context(path: Path | None) -> ssl.SSLContext:
    """A TLS context that trusts the CA certificate in a file, or those of the system. Raises `RemedyError`."""
    try:
        return ssl.create_default_context(cafile=str(path) if path else None)
    except OSError as exc:
        raise RemedyError(
            f"{path} is no CA certificate ({exc.strerror}): give --ca the broker's, as PEM",
            f"{path} 不是 CA 证书（{exc.strerror}）：请用 --ca 给出代理的 PEM 证书",
        ) from exc


def prepare_directory(path: Path) -> str | None:
    """Make the data directory. Returns why that failed, or None; the agent sends heartbeats without a directory."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        _log.error("the data directory %s cannot be made (%s): correct --data or mend the disk", path, exc.strerror)
        return f"it cannot be made: {exc.strerror}"
    return None


def _bad_broker() -> RemedyError:
    # The URL itself is not shown: it may hold a password.
    return RemedyError(
        "the broker's URL is not mqtt://HOST[:PORT] or mqtts://HOST[:PORT]: correct --broker",
        "MQTT 代理地址不是 mqtt://HOST[:PORT] 或 mqtts://HOST[:PORT]：请改正 --broker",
    )
