"""What a running `milepost up` leaves for the other commands: the settings by which each of them works on it.

They stand in a file of its data directory that only its owner can read, from when it is ready until it ends.
"""

import pwd
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from contract.errors import RemedyError
from contract.said import Said
from milepost import datadir
from milepost.settings import PREFIX, Settings, UnsetError

WHERE: Final = "running.json"

State = Literal["running", "unused", "starting", "stopped", "absent", "closed"]

_GO_WITH: Final = {
    "mqtt_url": ("mqtt_password_file", "mqtt_ca_file"),
    "kafka_servers": ("kafka_idempotent", "kafka_linger", "partitions"),
    "api_url": ("admin_token_file",),
    "admin_token_file": ("api_url",),
}
"""Settings that belong to a server: if a person names another server, it must not receive the secrets of this one."""


class ServerLookup(msgspec.Struct, frozen=True, kw_only=True):
    """One command that looks for its servers."""

    command: str
    directory: Path
    #: Whether a person named the directory, or it is only the usual one.
    named: bool
    #: The settings that a person gave, by variable or option.
    given: frozenset[str]
    #: Those of them that name servers of this command.
    servers: frozenset[str]


class FoundServers(msgspec.Struct, frozen=True):
    """What there is for a command in a data directory: the variables it is given, or the reason why there are none."""

    asked: ServerLookup
    state: State
    environ: Mapping[str, str] = {}

    def remedy(self, unset: UnsetError) -> RemedyError:
        """What to do about a setting that is needed and has no value."""
        if not unset.up_brings_it or (self.state == "absent" and not self.asked.named):
            return unset
        why = _WHY[self.state]
        place = {"place": self.asked.directory, "owner": _owner(self.asked.directory)}
        return RemedyError(
            f"{why.en.format(**place)}, or set {unset.variable} to {unset.example}",
            f"{why.zh.format(**place)}，或将 {unset.variable} 设为 {unset.example}",
        )


_UNUSED: Final = Said(
    "other servers are set, so `milepost up` in {place} is not used: name it with --data {place}",
    "已设置其他服务器，因此未使用 {place} 中的 `milepost up`：请用 --data {place} 指明",
)
_STOPPED: Final = Said(
    "`milepost up` is not running in {place}: start it",
    "`milepost up` 没有在 {place} 中运行：请启动它",
)
_WHY: Final[Mapping[State, Said]] = {
    "running": _UNUSED,
    "unused": _UNUSED,
    "starting": Said(
        "`milepost up` in {place} is not ready yet: wait until it says so",
        "{place} 中的 `milepost up` 尚未就绪：请等它就绪",
    ),
    "stopped": _STOPPED,
    "absent": _STOPPED,
    "closed": Said(
        "{place} belongs to {owner}, who alone can read it: run this command as {owner}",
        "{place} 属于 {owner}，只有该用户可以读取：请以 {owner} 身份运行此命令",
    ),
}


def find_servers(asked: ServerLookup) -> FoundServers:
    """What a `milepost up` that runs in the directory has for the command.

    One whose servers a person names works on those, and on those of the directory only when that is named too: never on
    the database of one system and the log of another by accident.
    """
    state, environs = _look(asked.directory)
    if state == "running" and asked.servers and not asked.named:
        return FoundServers(asked, "unused")
    return FoundServers(asked, state, _allowed(environs.get(asked.command, {}), asked.given))


def _look(directory: Path) -> tuple[State, Mapping[str, Mapping[str, str]]]:
    try:
        if not datadir.is_held(directory):
            return ("stopped" if directory.is_dir() else "absent"), {}
        text = (directory / WHERE).read_bytes()
        return "running", msgspec.json.decode(text, type=dict[str, dict[str, str]])
    except PermissionError:
        return "closed", {}
    except (OSError, msgspec.MsgspecError):
        return "starting", {}


def _allowed(found: Mapping[str, str], given: frozenset[str]) -> dict[str, str]:
    closed = given.union(*(_GO_WITH.get(field, ()) for field in given))
    return {name: value for name, value in found.items() if name.removeprefix(PREFIX).lower() not in closed}


def given_by(environ: Mapping[str, str], overrides: Iterable[str]) -> frozenset[str]:
    """The settings that the environment or an option gives; an empty variable gives nothing."""
    names = {name.removeprefix(PREFIX).lower() for name, value in environ.items() if value.strip()}
    # A secret may stand in a file, which the variable with this ending names.
    return frozenset((*names, *(name.removesuffix("_file") for name in names), *overrides))


def merged_environ(found: FoundServers, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with what was found."""
    return {**found.environ, **{name: value for name, value in environ.items() if value.strip()}}


def data_option(directory: Path) -> str:
    """What a command is given, after a space, to find this directory; nothing where it looks by itself."""
    return "" if directory == Path(Settings().data).absolute() else f" --data {shlex.quote(str(directory))}"


def write(directory: Path, environs: Mapping[str, Mapping[str, str]]) -> None:
    """Write down, by command, the variables by which it works on what runs here."""
    datadir.write_whole(directory / WHERE, msgspec.json.encode(environs).decode())


def remove(directory: Path) -> None:
    """Remove that file: no stack runs here, or it is not ready yet."""
    (directory / WHERE).unlink(missing_ok=True)


def _owner(directory: Path) -> str:
    try:
        uid = directory.stat().st_uid
        return pwd.getpwuid(uid).pw_name
    except OSError:
        return "?"
    except KeyError:
        return str(uid)
