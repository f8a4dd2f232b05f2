"""Who may connect to the MQTT broker of `milepost up`: an account for each station, as in production.

The file of the data directory holds the accounts of terminals as Mosquitto reads them, without the passwords: such a
password is in the file that is written for the terminal, and nowhere else.
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
"""In the data directory: a line `station:hash` for each account."""
MOST: Final = 100_000
OWN: Final = {"bridge": "milepost.bridge", "simulate": "milepost.fleet"}
"""The accounts of our commands that send for all stations; a dot is in no station's id."""
_ROUNDS: Final = 101
"""As Mosquitto has it. A password is 256 random bits, which no number of rounds makes harder to guess."""
_LINE: Final = re.compile(rf"({STATION_PATTERN}):(\$7\$\S+)")


def are_wanted(settings: Settings) -> bool:
    """Whether the embedded MQTT broker requires accounts: MILEPOST_MQTT_ANONYMOUS decides; unset, only off loopback.

    Raises RemedyError when MILEPOST_MQTT_BIND is no IP address.
    """
    loopback = mqtt.is_loopback(settings.mqtt_bind)
    return not loopback if settings.mqtt_anonymous is None else not settings.mqtt_anonymous


def require_possible(kind: mqtt.Kind) -> None:
    """Raise RemedyError for a broker that knows no accounts."""
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
    """The accounts of one data directory, for the broker that runs over it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._version: tuple[int, int] | None = None

    def read(self) -> dict[str, str]:
        """All accounts, of terminals and our own: hashes of passwords by name."""
        self._version = version(self._directory)
        own = {name: hashed(datadir.keep_secret(self._password_file(name))) for name in OWN.values()}
        return {**read(self._directory), **own}

    def changed(self) -> bool:
        """Whether those of terminals changed since they were read."""
        return version(self._directory) != self._version

    def read_again(self) -> None:
        """Let them count as changed."""
        self._version = (0, 0)

    def settings_of(self, command: str, settings: Settings) -> Settings:
        """The settings by which a command of ours connects with its account."""
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
    """The accounts of a data directory: hashes by station. A line that is none is passed over."""
    try:
        lines = (directory / FILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return {match[1]: match[2] for line in lines if (match := _LINE.fullmatch(line))}


def version(directory: Path) -> tuple[int, int] | None:
    """Changes whenever the accounts do."""
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
