"""`milepost templates`: the texts of messages that an operator may change."""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from access.store import require_acting
from alerting.delivery.facts import AlertMessage
from alerting.delivery.texts import Language
from alerting.delivery.wording.names import PLACEHOLDERS, TEMPLATES, TemplateName, template_named
from alerting.delivery.wording.samples import preview
from alerting.delivery.wording.store import load_templates, reset_template, set_template
from alerting.delivery.wording.template import MOST_TEXT, StoredTemplate
from alerting.delivery.wording.write import Wording, compile_wording, template_lines
from contract.said import Said, said_by
from milepost.commands.account_database import open_accounts, table
from milepost.language import of_here, show
from milepost.settings import Settings
from store.author import Author
from store.pool import Connection

_LANGUAGES: Final[tuple[Language, ...]] = ("zh-CN", "en")


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> None:
    """Do one action. Raises RemedyError."""
    name = template_named(arguments.name) if arguments.action != "list" else TemplateName.TITLE
    async with open_accounts(settings.database_url) as (connection, _):
        match arguments.action:
            case "list":
                await _list(connection)
            case "show":
                await _show(connection, name, arguments.language)
            case "set":
                await _set(connection, settings.public_url, name, arguments)
            case "preview":
                tried = None if arguments.text is None else _given(arguments.text)
                await _preview(connection, settings.public_url, name, arguments.language, tried)
            case _:
                await _reset(connection, name, arguments)


async def _list(connection: Connection) -> None:
    stored = {(one.name, one.language): one for one in await load_templates(connection)}
    _, broken = compile_wording({key: one.text for key, one in stored.items()})
    rows: list[Sequence[Said | str]] = [
        (Said("NAME", "名称"), Said("LANGUAGE", "语言"), Said("STATE", "状态"), Said("WHAT", "内容"))
    ]
    known = [(name.value, language) for name in TEMPLATES for language in _LANGUAGES]
    for key in dict.fromkeys([*known, *stored]):
        what = TEMPLATES.get(key[0], Said("no template any more: reset it", "已不再是模板：请重置"))  # type: ignore[call-overload]
        rows.append((*key, _state(key, stored, broken), what))
    show(table(rows))


def _state(key: tuple[str, str], stored: Iterable[tuple[str, str]], broken: Iterable[tuple[str, str]]) -> Said:
    if key in set(broken):
        return Said("broken, not used", "有误，未使用")
    return Said("changed", "已更改") if key in set(stored) else Said("default", "默认")


async def _show(connection: Connection, name: TemplateName, language: Language) -> None:
    show(Said(f"{name} ({language}): {TEMPLATES[name].en}", f"{name}（{language}）：{TEMPLATES[name].zh}"))
    found = await _stored(connection, name, language)
    if found is None:
        show(Said("It is not changed: the text of Milepost is sent.", "未更改：使用默认文字。"))
    else:
        show(Said("Changed, by the text between the lines:", "已更改，内容在两行横线之间："))
        show(f"----\n{found.text}\n----")
        _, broken = compile_wording({(name, language): found.text})
        for why in broken.values():
            show(Said(f"It is not used: {why}", f"未使用：{said_by(why).zh}"))
    show(Said("Placeholders:", "占位符："))
    show(table([(f"  {{{one}}}", what) for one, what in PLACEHOLDERS[name].items()]))


async def _stored(connection: Connection, name: TemplateName, language: str) -> StoredTemplate | None:
    return next((one for one in await load_templates(connection) if (one.name, one.language) == (name, language)), None)


async def _set(connection: Connection, public_url: str | None, name: TemplateName, given: argparse.Namespace) -> None:
    text = _given(given.text)
    by = Author(await require_acting(connection, given.account))
    changed = await set_template(connection, name, given.language, text, by=by)
    show(
        Said(f"template {name} ({given.language}) is changed", f"模板 {name}（{given.language}）已更改")
        if changed
        else Said(f"template {name} ({given.language}) was so already", f"模板 {name}（{given.language}）本来如此")
    )
    await _preview(connection, public_url, name, given.language, None)


async def _reset(connection: Connection, name: TemplateName, given: argparse.Namespace) -> None:
    by = Author(await require_acting(connection, given.account))
    done = await reset_template(connection, name, given.language, by=by)
    show(
        Said(
            f"template {name} ({given.language}): the text of Milepost is sent",
            f"模板 {name}（{given.language}）：已恢复默认文字",
        )
        if done
        else Said(f"template {name} ({given.language}) was not changed", f"模板 {name}（{given.language}）没有更改过")
    )


async def _preview(
    connection: Connection, public_url: str | None, name: TemplateName, language: Language, tried: str | None
) -> None:
    """Messages about invented incidents, with the stored templates; `tried` stands for that of `name`."""
    stored = {(one.name, one.language): one.text for one in await load_templates(connection)}
    wording, _ = compile_wording(stored)
    if tried is not None:
        wording = Wording({**wording.templates, (name, language): template_lines(name, tried)})
    for message in preview(name, wording, language, public_url, datetime.now(UTC)):
        show(_shown(message))


def _shown(message: AlertMessage) -> str:
    titles = [one.text(of_here()) for one in (Said("TITLE", "标题"), Said("TEXT", "正文"), Said("SHORT", "短文本"))]
    return "\n".join(("", f"{titles[0]}  {message.title}", titles[1], message.body, f"{titles[2]}  {message.short}"))


def _given(text: str) -> str:
    """The text of an argument, or of standard input, without the line break at its end."""
    return sys.stdin.read(4 * MOST_TEXT + 2).removesuffix("\n") if text == "-" else text
