"""`milepost grafana sync`: write the dashboards of the whole, or of one area, to a Grafana."""

import argparse
import asyncio
from urllib.parse import unquote, urlsplit

import asyncpg
import msgspec

from contract.errors import RemedyError
from contract.said import Said
from grafana.area_copy import DashboardArea
from grafana.client import GrafanaClient
from grafana.sync import SyncOptions, SyncResult, needs_password, say_result, sync
from milepost.commands.account_database import required_url
from milepost.language import show
from milepost.settings import Secret, Settings, require
from store.accounts import DatabaseLogin
from store.dashboard_logins import (
    area_path,
    dashboard_login,
    derive_password,
    has_dashboard_login,
    put_dashboard_login,
)
from store.migrate import require_current
from store.pool import Connection, open_pool


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> None:
    """Write folders, data source and dashboards, and print each change when it is made. Raises RemedyError."""
    url = _needed(arguments.url or settings.grafana_url, "MILEPOST_GRAFANA_URL", "https://grafana.example.org")
    token = arguments.token or _secret(settings.grafana_token)
    with GrafanaClient(url=url, token=_needed(token, "MILEPOST_GRAFANA_TOKEN", "a service account's token")) as client:
        options = SyncOptions(reader_url=_secret(settings.reader_url), force=arguments.force, dry_run=arguments.dry_run)
        if arguments.area is not None:
            options = await _for_area(client, settings, arguments.area, options)
        results = sync(client, options)
        while not stop.is_set() and (result := await asyncio.to_thread(next, results, None)) is not None:
            say_result(result, show)
    if arguments.dry_run:
        show(Said("nothing was written", "未写入任何内容"))


async def _for_area(client: GrafanaClient, settings: Settings, code: str, options: SyncOptions) -> SyncOptions:
    """The options for an area, after its login was made or brought back to what it should be. Raises RemedyError."""
    url = required_url(settings.database_url)
    async with open_pool(url, name="grafana", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        area = await _area(connection, code)
        reader_url = _needed(options.reader_url, "MILEPOST_READER_URL", "postgresql://user:password@host:port/name")
        login = dashboard_login(area.code)
        password = derive_password(login, _password_in(reader_url))
        is_there = await has_dashboard_login(connection, login)
        wanted = msgspec.structs.replace(
            options, area=area, reader_url=login.url(reader_url, password), new_password=not is_there
        )
        became = "updated" if is_there else "created"
        if is_there and not await asyncio.to_thread(needs_password, client, wanted):
            became = "unchanged"
        elif not wanted.dry_run:
            await _put_login(connection, login, area.code, password)
    say_result(SyncResult(Said(f"database login {login.name}", f"数据库账户 {login.name}"), became), show)
    return wanted


async def _area(connection: Connection, code: str) -> DashboardArea:
    path = await area_path(connection, code)
    if not path:
        raise RemedyError(
            f"there is no area {code}: the page /areas of the console shows the codes",
            f"没有行政区划 {code}：控制台的 /areas 页列出代码",
        )
    return DashboardArea(tuple((each, Said(en=en, zh=zh)) for each, zh, en in path))


async def _put_login(connection: Connection, login: DatabaseLogin, code: str, password: str) -> None:
    try:
        await put_dashboard_login(connection, code, password)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedObjectError) as exc:
        raise RemedyError(
            f"the login {login.name} cannot be made ({exc}): give MILEPOST_DATABASE_URL with a superuser of the "
            "database to this command, after `milepost migrate`",
            f"无法建立账户 {login.name}（{exc}）：请先运行 `milepost migrate`，"
            "再为本命令的 MILEPOST_DATABASE_URL 指定数据库超级用户",
        ) from exc


def _password_in(reader_url: str) -> str:
    password = urlsplit(reader_url).password
    if not password:
        raise RemedyError(
            "MILEPOST_READER_URL has no password: the password of an area's login is derived from it",
            "MILEPOST_READER_URL 中没有密码：各地区账户的密码由它派生",
        )
    return unquote(password)


def _needed(value: str | None, variable: str, example: str) -> str:
    return require(value, variable, example, up_brings_it=False)


def _secret(value: Secret | None) -> str | None:
    return None if value is None else value.value
