"""The accounts of the MQTT broker of `milepost up`: one for each station, as in production.

A file of the data directory has the accounts of stations as Mosquitto reads them, with hashes of the passwords. The
password itself is only in the file that is written for the terminals of the station.
"""

import base64
import hashlib
import re
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Final

from contract.errors import RemedyError
from contract.topics import STATION_PATTERN
from milepost import datadir
from milepost.embedded import mqtt
from milepost.settings import Settings

FILE: Final = "terminals.passwd"
"""The file in the data directory: a line `station:hash` for each account."""
MOST: Final = 100_000
OWN: Final = {"bridge": "milepost.bridge", "simulate": "milepost.fleet"}
"""The accounts of our own commands, which send for all stations. No id of a station has a dot."""
_ROUNDS: Final = 101
"""Mosquitto's default. A password has 256 random bits, so more rounds would not make it harder to guess."""
_LINE: Final = re.compile(rf"({STATION_PATTERN}):(\$7\$\S+)")


def are_wanted(settings: Settings) -> bool:
    """Whether the embedded MQTT broker requires accounts: MILEPOST_MQTT_ANONYMOUS decides; unset, only off loopback.

    Raises RemedyError when MILEPOST_MQTT_BIND is no IP address.
    """
    loopback = mqtt.is_loopback(settings.mqtt_bind)
    return not loopback if settings.mqtt_anonymous is None else not settings.mqtt_anonymous


def require_possible(kind: mqtt.Kind) -> None:
    """Raise RemedyError for a broker that does not support accounts."""
    if kind != "mosquitto":
        raise RemedyError(
            f"the MQTT broker that is installed ({kind}) knows no passwords, which are needed where --mqtt-bind is not "
            "loopback or MILEPOST_MQTT_ANONYMOUS is off: install mosquitto, or give a broker of your own with "
            "MILEPOST_MQTT_URL, or let everybody in with MILEPOST_MQTT_ANONYMOUS=yes",
            f"已安装的 MQTT 代理（{kind}）不支持密码；--mqtt-bind 不是本机回环地址或 MILEPOST_MQTT_ANONYMOUS 关闭时"
            "必须使用密码：请安装 mosquitto，或用 MILEPOST_MQTT_URL 指定自己的代理，或以 MILEPOST_MQTT_ANONYMOUS=yes "
            "允许任何人连接",
        )


class Accounts:
    """The accounts of one data directory, for the broker that uses it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._version: tuple[int, int] | None = None

    def read(self) -> dict[str, str]:
        """{name: hash of its password} of all accounts, of stations and of our own."""
        self._version = version(self._directory)
        own = {name: hashed(datadir.keep_secret(self._password_file(name))) for name in OWN.values()}
        return {**read(self._directory), **own}

    def changed(self) -> bool:
        """Whether the accounts of stations changed since they were read."""
        return version(self._directory) != self._version

    def read_again(self) -> None:
        """Let `changed` be true, so that the accounts are read again."""
        self._version = (0, 0)

    def settings_of(self, command: str, settings: Settings) -> Settings:
        """The settings with which a command of ours connects under its account."""
        if command not in OWN:
            return settings
        name = OWN[command]
        return replace(
            settings,
            mqtt_url=f"mqtt://{name}@{mqtt.LOOPBACK}:{settings.mqtt_port}",
            mqtt_password_file=self._password_file(name),
        )

    def _password_file(self, name: str) -> Path:
        return self._directory / f"{name}.password"


def read(directory: Path) -> dict[str, str]:
    """{station: hash} of a data directory. Lines of another form are ignored."""
    try:
        lines = (directory / FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return {match[1]: match[2] for line in lines if (match := _LINE.fullmatch(line))}


def version(directory: Path) -> tuple[int, int] | None:
    """A value that changes whenever the accounts do; None: there is no file."""
    try:
        info = (directory / FILE).stat()
    except FileNotFoundError:
        return None
    return info.st_ino, info.st_mtime_ns


def hashed(password: str, salt: bytes | None = None) -> str:
    """A password as Mosquitto 2 stores it: PBKDF2 with SHA-512."""
    salt = secrets.token_bytes(12) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
