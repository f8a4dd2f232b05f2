"""An MQTT broker as a foreground process: mosquitto if it is installed, the wheel `iotcore` if not."""

import importlib.util
import ipaddress
import os
import pwd
import resource
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import broker
from contract.errors import RemedyError
from contract.said import Said
from milepost.embedded import as_user

Kind = Literal["mosquitto", "iotcore"]

LOOPBACK: Final = "127.0.0.1"
_PASSWORDS: Final = "mosquitto.passwd"
SPEAKS: Final[Mapping[Kind, Said]] = {
    "mosquitto": Said("Mosquitto, 3.1.1 and 5", "Mosquitto，支持 3.1.1 和 5"),
    "iotcore": Said("iotcore, 3.1.1 only", "iotcore，仅支持 3.1.1"),
}

# More than the contract allows, so that the bridge receives a message that is too big and can report it.
MAX_MESSAGE = 1024 * 1024
MAX_PACKET = 2 * MAX_MESSAGE
"""Bytes of a packet of any kind: the broker ends the connection before it reads a larger one."""
MAX_CONNECTIONS: Final = 10_000
"""Connections at a time, by default."""
_OWN_FILES: Final = 8
"""Files that mosquitto itself has open. Its option max_connections counts too few once clients have gone (2.0.11), and
not those that send no CONNECT: so its open files are bounded."""

_MOSQUITTO = """\
# Written at each start by Milepost; changes are lost.
{listeners}
{access}
acl_file {acl}
persistence false
persistent_client_expiration 1h
message_size_limit {max_message}
max_packet_size {max_packet}
# 20 by default, which at 10 ms of Kafka latency is 2,000 messages/s.
max_inflight_messages 4000
max_queued_messages 200000
max_queued_bytes 268435456
max_inflight_bytes 268435456
memory_limit 1073741824
connection_messages false
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
log_type notice
"""

# Messages outside these topics would reach no bridge, and retained ones would never be cleared.
_ACL = """\
pattern readwrite milepost/#
pattern readwrite milepost-pulse/#
"""

# The simulator publishes for all its stations with one account.
_FLEET_ACL = """
user milepost.fleet
topic readwrite milepost/v1/#
"""

_RUMQTTD = """\
# Written at each start by Milepost; changes are lost.
id = 0

[router]
id = 0
max_connections = {connections}
max_outgoing_packet_count = 200
max_segment_size = 16777216
max_segment_count = 10

"""
_RUMQTTD_LISTENER = """
[v4.{number}]
name = "mqtt-3-1-1-{number}"
listen = "{address}:{port}"
next_connection_delay_ms = 1

[v4.{number}.connections]
connection_timeout_ms = 60000
max_payload_size = {max_message}
max_inflight_count = 500
dynamic_filters = true
"""

# rumqttd logs an ERROR line for every packet, so only its panics are logged.
_SERVE = (
    "import sys; sys.path[:] = [p for p in sys.path if p not in ('', '.')]; "
    "import logging; logging.basicConfig(level='CRITICAL'); "
    "from iotcore.iotcore import IotCoreBroker; "
    "IotCoreBroker(config_path=sys.argv[1]).run_forever()"
)


def available() -> Kind:
    """The kind of broker that `command` starts. Raises RemedyError when none is installed."""
    if mosquitto_binary() is not None:
        return "mosquitto"
    if importlib.util.find_spec("iotcore") is not None:
        return "iotcore"
    raise RemedyError(
        "no MQTT broker is installed: install mosquitto, or pip install 'milepost[embedded]', or set MILEPOST_MQTT_URL",
        "未安装 MQTT 代理：请安装 mosquitto，或运行 pip install 'milepost[embedded]'，或设置 MILEPOST_MQTT_URL",
    )


def mosquitto_binary() -> str | None:
    """The path of mosquitto; Debian installs it in a directory that is not in the PATH of ordinary users."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def command(
    *,
    port: int,
    directory: Path,
    kind: Kind | None = None,
    bind: str = LOOPBACK,
    accounts: Mapping[str, str] | None = None,
    connections: int = MAX_CONNECTIONS,
) -> list[str]:
    """The command that serves MQTT on `port` of loopback and of the address `bind`; it writes the configuration into
    `directory`.

    `accounts` are hashes of passwords by user name: with them the broker applies the access rules of production,
    without them it accepts every client. Beyond so many `connections` further ones are refused.
    mosquitto supports MQTT 3.1.1 and 5; iotcore supports 3.1.1 only, and no accounts. As root mosquitto runs as its
    own user. Raises RemedyError when there is no broker.
    """
    kind = kind or available()
    if kind == "iotcore":
        config = directory / "rumqttd.toml"
        _write_for(None, config, _rumqttd(port, bind, connections))
        return [sys.executable, "-c", _SERVE, str(config)]
    config, acl, user = directory / "mosquitto.conf", directory / "mosquitto.acl", _user()
    access = "allow_anonymous true"
    if accounts is not None:
        access = f"allow_anonymous false\npassword_file {directory / _PASSWORDS}"
        write_accounts(directory, accounts)
    listeners = "\n".join(f"listener {port} {address}" for address in addresses(bind))
    text = _MOSQUITTO.format(
        listeners=listeners, access=access, acl=acl, max_message=MAX_MESSAGE, max_packet=MAX_PACKET
    )
    _write_for(user, config, text)
    _write_for(user, acl, _ACL if accounts is None else _account_acl())
    binary = str(mosquitto_binary())
    return [*_files_prefix(connections), *_user_prefix(directory, Path(binary), user), binary, "-c", str(config)]


def _files_prefix(connections: int) -> list[str]:
    """Runs the rest of a command with a bound on open files: as asked, or less if this user may not have so many."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = connections + _OWN_FILES
    files = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    return ["sh", "-c", 'ulimit -n "$0" && exec "$@"', str(files)]


def write_accounts(directory: Path, accounts: Mapping[str, str]) -> None:
    """Write the accounts for mosquitto, which reads them at SIGHUP and ends connections that they no longer allow."""
    _write_for(_user(), directory / _PASSWORDS, "".join(f"{name}:{value}\n" for name, value in accounts.items()))


def _account_acl() -> str:
    return (Path(broker.__path__[0]) / "acl").read_text(encoding="utf-8") + _FLEET_ACL


def _rumqttd(port: int, bind: str, connections: int) -> str:
    listeners = (
        _RUMQTTD_LISTENER.format(number=number, address=_in_url(address), port=port, max_message=MAX_MESSAGE)
        for number, address in enumerate(addresses(bind), 1)
    )
    return _RUMQTTD.format(connections=connections) + "".join(listeners)


def addresses(bind: str) -> list[str]:
    """The addresses to listen on: `bind`, and always loopback, for our own services."""
    return [bind] if bind in (LOOPBACK, "0.0.0.0") else [bind, LOOPBACK]  # noqa: S104


def is_loopback(bind: str) -> bool:
    """Whether only this machine can reach the address. Raises RemedyError when it is no IP address."""
    try:
        return ipaddress.ip_address(bind).is_loopback
    except ValueError:
        raise RemedyError(
            f"MILEPOST_MQTT_BIND is {bind!r}: give an IP address of this machine, or 0.0.0.0 for all of them",
            f"MILEPOST_MQTT_BIND 为 {bind!r}：请填写本机的 IP 地址，或填 0.0.0.0 表示全部地址",
        ) from None


def reachable(bind: str) -> str:
    """The address by which other machines reach a server on `bind`; the word ADDRESS when it is not known."""
    if not ipaddress.ip_address(bind).is_unspecified:
        return bind
    family, far = (socket.AF_INET6, "2001:db8::1") if ":" in bind else (socket.AF_INET, "192.0.2.1")
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((far, 9))  # nothing is sent: the kernel only chooses the route
            return str(probe.getsockname()[0])
        except OSError:
            return "ADDRESS"


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _user() -> str | None:
    return service_user() if os.geteuid() == 0 else None


def _write_for(user: str | None, path: Path, text: str) -> None:
    """Write a file, or replace one, that only `user` (None: this user) can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        if user is not None:
            os.fchown(file.fileno(), pwd.getpwnam(user).pw_uid, -1)


def service_user() -> str:
    """The user under which mosquitto runs when this process is root's."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("mosquitto", "nobody") if name in names), "root")


def _user_prefix(directory: Path, binary: Path, user: str | None) -> list[str]:
    # If mosquitto changed its user itself, it would not end with this process any more.
    if user is None:
        return []
    closed = as_user.closed_directory(directory, user)
    if closed is None:
        return as_user.prefix(user)
    if not as_user.can_confine():
        raise RemedyError(*as_user.why_not(user, "Mosquitto", closed, "MILEPOST_MQTT_URL"))
    return as_user.prefix(user, read=(directory, binary))
