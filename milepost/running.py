"""How other commands find a running `milepost up`: by a file with the settings for each command.

The file lies in the data directory while the stack is ready, and only its owner can read it.
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
    """A command that needs the addresses of servers."""

    command: str
    directory: Path
    #: Whether a person named the directory; otherwise it is the default.
    named: bool
    #: The settings that a person gave, by variable or option.
    given: frozenset[str]
    #: Those of them that name servers for this command.
    servers: frozenset[str]


class FoundServers(msgspec.Struct, frozen=True):
    """The result of a lookup: the variables for the command, or the `state` that explains why there are none."""

    lookup: ServerLookup
    state: State
    environ: Mapping[str, str] = {}

    def remedy(self, unset: UnsetError) -> RemedyError:
        """The error for a required setting without a value."""
        if not unset.up_brings_it or (self.state == "absent" and not self.lookup.named):
            return unset
        why = _WHY[self.state]
        place = {"place": self.lookup.directory, "owner": _owner(self.lookup.directory)}
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


def find_servers(lookup: ServerLookup) -> FoundServers:
    """The variables for a command from the `milepost up` that runs in the directory.

    If a person names servers for the command but not the directory, nothing is taken from the default directory, so
    that the command never mixes the database of one system with the log of another.
    """
    state, environs = _look(lookup.directory)
    if state == "running" and lookup.servers and not lookup.named:
        return FoundServers(lookup, "unused")
    return FoundServers(lookup, state, _allowed(environs.get(lookup.command, {}), lookup.given))


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
    # A secret may be in a file, which the variable with this ending names.
    return frozenset((*names, *(name.removesuffix("_file") for name in names), *overrides))


def merged_environ(found: FoundServers, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, completed by the variables that were found."""
    return {**found.environ, **{name: value for name, value in environ.items() if value.strip()}}


def data_option(directory: Path) -> str:
    """The option, after a space, by which commands find this directory; empty for the default directory."""
    return "" if directory == Path(Settings().data).absolute() else f" --data {shlex.quote(str(directory))}"


def write(directory: Path, environs: Mapping[str, Mapping[str, str]]) -> None:
    """Write {command: {variable: value}} for the commands that work on the running stack."""
    datadir.write_whole(directory / WHERE, msgspec.json.encode(environs).decode())


def remove(directory: Path) -> None:
    """Remove that file: no stack runs here, or it is not ready."""
    (directory / WHERE).unlink(missing_ok=True)


def _owner(directory: Path) -> str:
    try:
        uid = directory.stat().st_uid
        return pwd.getpwuid(uid).pw_name
    except OSError:
        return "?"
    except KeyError:
        return str(uid)
