"""`milepost account`: the account of a station at the MQTT broker of `milepost up`, for terminals on other machines."""

import argparse
import asyncio
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from contract.errors import RemedyError
from contract.said import Said
from contract.topics import STATION_PATTERN, is_station_id
from milepost import datadir
from milepost.embedded import accounts
from milepost.embedded.accounts import MOST
from milepost.embedded.mqtt import is_loopback, reachable
from milepost.language import show
from milepost.settings import Secret, Settings
from store.author import OPERATOR
from store.ledger import LedgerEntry, append_entries
from store.ledger_kinds import LedgerKind
from store.migrate import require_current
from store.pool import open_pool


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> None:
    """Create, renew or remove the account of a station. Raises RemedyError."""
    station: str = arguments.station
    if not is_station_id(station):
        raise RemedyError(
            f"station {station!r} must match {STATION_PATTERN}: correct it",
            f"服务点编号 {station!r} 不符合 {STATION_PATTERN}：请更正",
        )
    kind = _kind(arguments)
    async with _recorded(settings.database_url, kind, station):
        said = _change(settings, station, kind, arguments.out)
    show(said)


def _kind(arguments: argparse.Namespace) -> LedgerKind:
    if arguments.remove:
        return LedgerKind.BROKER_ACCOUNT_REMOVED
    return LedgerKind.BROKER_ACCOUNT_RENEWED if arguments.renew else LedgerKind.BROKER_ACCOUNT_MADE


@asynccontextmanager
async def _recorded(database_url: Secret | None, kind: LedgerKind, station: str) -> AsyncIterator[None]:
    """Enter a change in the ledger, unless the block fails. While `milepost up` does not run there is no database: then
    the change has no entry."""
    if database_url is None:
        yield
        return
    async with open_pool(database_url.value, name="account", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        async with connection.transaction():
            await append_entries(connection, [LedgerEntry(kind=kind, subject=f"station/{station}", actor=OPERATOR)])
            yield


def _change(settings: Settings, station: str, kind: LedgerKind, out: Path | None) -> Said:
    with _changing(settings.data) as found:
        _require(station, found, new=kind is LedgerKind.BROKER_ACCOUNT_MADE)
        if kind is LedgerKind.BROKER_ACCOUNT_REMOVED:
            del found[station]
            said = _removed(station)
        else:
            file = out or Path(f"{station}.password")
            found[station] = accounts.hashed(_new_password(file))
            said = _made(settings, station, file)
    return said


def _removed(station: str) -> Said:
    return Said(
        f"Station {station} has no account any more: a running `milepost up` ends its connections within seconds.",
        f"服务点 {station} 的账户已删除：正在运行的 `milepost up` 会在几秒内断开其连接。",
    )


def _made(settings: Settings, station: str, file: Path) -> Said:
    command = agent_command(settings, station, str(file))
    en = (
        f"{file} holds the password of station {station}; only you can read it. Bring it to the terminal by a safe "
        f"way, delete it here, and start there:\n\n  {command}\n"
    )
    zh = (
        f"{file} 是服务点 {station} 的密码，目前只有您可以读取。请通过安全的方式交给终端，删除本机上的文件，"
        f"并在终端上启动：\n\n  {command}\n"
    )
    if is_loopback(settings.mqtt_bind):
        en += "\nOther machines reach `milepost up` once it is started with --mqtt-bind ADDRESS."
        zh += "\n其他机器要连接，`milepost up` 须以 --mqtt-bind 地址 启动。"
    return Said(en, zh)


def agent_command(settings: Settings, station: str, file: str) -> str:
    """The command that starts an agent on another machine."""
    where = "ADDRESS" if is_loopback(settings.mqtt_bind) else reachable(settings.mqtt_bind)
    host = f"[{where}]" if ":" in where else where
    return f"milepost agent --station {station} --broker mqtt://{host}:{settings.mqtt_port} --mqtt-password-file {file}"


def _require(station: str, found: Mapping[str, str], *, new: bool) -> None:
    """Raise RemedyError unless an account can be created, or exists to be changed."""
    if new and station in found:
        raise RemedyError(
            f"station {station} has an account: --renew gives it a new password, --remove takes it away",
            f"服务点 {station} 已有账户：--renew 更换密码，--remove 删除账户",
        )
    if not new and station not in found:
        raise RemedyError(
            f"station {station} has no account: make one without --renew and --remove",
            f"服务点 {station} 没有账户：请不带 --renew 和 --remove 新建",
        )
    if new and len(found) >= MOST:
        raise RemedyError(
            f"there are {MOST} accounts, and no more are possible: docs/deployment.md is for larger systems",
            f"已有 {MOST} 个账户，不能再增加：更大的系统请参阅 docs/deployment.md",
        )


def _new_password(file: Path) -> str:
    """A new password in a new file that only its owner can read. Raises RemedyError when it cannot be created."""
    password = secrets.token_hex(32)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
            out.write(password + "\n")
    except OSError as exc:
        raise RemedyError(
            f"the password cannot be written into {file} ({exc.strerror}): name another file with --out",
            f"密码无法写入 {file}（{exc.strerror}）：请用 --out 指定其他文件",
        ) from exc
    return password


@contextmanager
def _changing(directory: Path) -> Iterator[dict[str, str]]:
    """The accounts of a data directory, for one process at a time to change; written unless the block fails."""
    try:
        held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as exc:
        raise RemedyError(
            f"{directory} is no data directory that you can use ({exc.strerror}): start `milepost up` there first, or "
            "name another with --data",
            f"{directory} 不是可用的数据目录（{exc.strerror}）：请先在那里启动 `milepost up`，或用 --data 指定其他目录",
        ) from exc
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = accounts.read(directory)
        yield found
        text = "".join(f"{station}:{password}\n" for station, password in sorted(found.items()))
        datadir.write_whole(directory / accounts.FILE, text)
    finally:
        os.close(held)
