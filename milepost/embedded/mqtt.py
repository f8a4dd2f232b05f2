"""An MQTT broker on loopback, as a foreground process: mosquitto if it is installed, the wheel `iotcore` if not."""

import importlib.util
import os
import pwd
import shutil
import sys
from pathlib import Path
from typing import Literal

from contract.errors import RemedyError
from milepost.embedded import as_user

Kind = Literal["mosquitto", "iotcore"]

# One over what the contract allows, so that the bridge sees what is too big and can say so.
MAX_MESSAGE = 1024 * 1024

_MOSQUITTO = """\
# Written at each start by Milepost; changes are lost.
listener {port} 127.0.0.1
allow_anonymous true
acl_file {acl}
persistence false
persistent_client_expiration 1h
message_size_limit {max_message}
# 20 by default, which at 10 ms of Kafka latency is 2,000 messages/s.
max_inflight_messages 4000
max_queued_messages 200000
max_queued_bytes 268435456
connection_messages false
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
log_type notice
"""

# What lies elsewhere nobody carries, and nobody would clear what is retained there.
_ACL = """\
pattern readwrite milepost/#
pattern readwrite milepost-pulse/#
"""

_RUMQTTD = """\
# Written at each start by Milepost; changes are lost.
id = 0

[router]
id = 0
max_connections = 10010
max_outgoing_packet_count = 200
max_segment_size = 16777216
max_segment_count = 10

[v4.1]
name = "mqtt-3-1-1"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = {max_message}
max_inflight_count = 500
dynamic_filters = true
"""

# rumqttd writes an ERROR line for every packet: only its panics are worth a log.
_SERVE = (
    "import sys; sys.path[:] = [p for p in sys.path if p not in ('', '.')]; "
    "import logging; logging.basicConfig(level='CRITICAL'); "
    "from iotcore.iotcore import IotCoreBroker; "
    "IotCoreBroker(config_path=sys.argv[1]).run_forever()"
)


def available() -> Kind:
    """Which broker `command` starts. Raises RemedyError when there is none."""
    if mosquitto_binary() is not None:
        return "mosquitto"
    if importlib.util.find_spec("iotcore") is not None:
        return "iotcore"
    raise RemedyError(
        "no MQTT broker is installed: install mosquitto, or pip install 'milepost[embedded]', or set MILEPOST_MQTT_URL"
    )


def mosquitto_binary() -> str | None:
    """Where mosquitto is; Debian puts it where ordinary users do not look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def command(*, port: int, directory: Path, kind: Kind | None = None) -> list[str]:
    """How to serve MQTT on 127.0.0.1:`port` to everybody there; the configuration is written into `directory`.

    mosquitto speaks MQTT 3.1.1 and 5, iotcore 3.1.1 only. As root mosquitto runs as its own user. Raises
    RemedyError when there is no broker.
    """
    kind = kind or available()
    template, name = (_MOSQUITTO, "mosquitto.conf") if kind == "mosquitto" else (_RUMQTTD, "rumqttd.toml")
    config, acl = directory / name, directory / "mosquitto.acl"
    user = service_user() if kind == "mosquitto" and os.geteuid() == 0 else None
    _write_for(user, config, template.format(port=port, max_message=MAX_MESSAGE, acl=acl))
    _write_for(user, acl, _ACL)
    if kind == "iotcore":
        return [sys.executable, "-c", _SERVE, str(config)]
    binary = str(mosquitto_binary())
    return [*_user_prefix(directory, Path(binary), user), binary, "-c", str(config)]


def _write_for(user: str | None, path: Path, text: str) -> None:
    """Write a file that only `user` (None: we ourselves) can read, whatever was there."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        if user is not None:
            os.fchown(file.fileno(), pwd.getpwnam(user).pw_uid, -1)


def service_user() -> str:
    """The account as which mosquitto runs when we are root."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("mosquitto", "nobody") if name in names), "root")


def _user_prefix(directory: Path, binary: Path, user: str | None) -> list[str]:
    # mosquitto would change its user itself, and by that forget that it is to end when we do.
    if user is None:
        return []
    closed = as_user.closed_directory(directory, user)
    if closed is None:
        return as_user.prefix(user)
    if not as_user.can_confine():
        raise RemedyError(as_user.why_not(user, "Mosquitto", closed, "MILEPOST_MQTT_URL"))
    return as_user.prefix(user, read=(directory, binary))
