"""`milepost signin`: a new link that signs one browser in to a running Milepost."""

import asyncio
import sys
from pathlib import Path
from typing import Final

import msgspec

from contract.errors import RemedyError
from contract.said import Said
from milepost import http, language, running
from milepost.settings import Settings, require

MINUTES: Final = 15
"""How long a link can be used; the same number as in the API, which a test compares."""


class IssuedLink(msgspec.Struct, frozen=True):
    """A one-time link, and until when it can be used (ISO 8601), as the API answers."""

    link: str
    until: str


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Print a link. Raises RemedyError when no API answers."""
    token_file = require(str(settings.admin_token_file or ""), "MILEPOST_ADMIN_TOKEN_FILE", "the API's own file")
    made = await new_link(settings.api_url or settings.local_url, _token(token_file))
    sys.stdout.write(f"{made.link}\n")
    said = Said(f"signs one browser in, within {MINUTES} minutes", f"可登录一个浏览器，{MINUTES} 分钟内有效")
    sys.stderr.write(f"{said.text(language.of_here())}\n")


async def new_link(url: str, token: str) -> IssuedLink:
    """Request a link from the API at `url`. Raises RemedyError."""
    answer = await http.post(f"{url.rstrip('/')}/api/v1/signin-links", token=token)
    if answer.status != 201:
        why = _why(url, answer)
        raise RemedyError(why.en, why.zh)
    return msgspec.json.decode(answer.body, type=IssuedLink)


def _why(url: str, answer: http.HttpAnswer) -> Said:
    if answer.status == 0:
        said = answer.body.decode(errors="replace")
        return Said(
            f"no API answers at {url} ({said}): start it, or correct MILEPOST_API_URL",
            f"{url} 的 API 没有应答（{said}）：请启动它，或改正 MILEPOST_API_URL",
        )
    if answer.status == 401:
        return Said(
            f"the API at {url} does not take this token: name the API's own file in MILEPOST_ADMIN_TOKEN_FILE",
            f"{url} 的 API 不接受此令牌：请在 MILEPOST_ADMIN_TOKEN_FILE 中指定该 API 自己的令牌文件",
        )
    return Said(
        f"the API at {url} makes no link now (HTTP {answer.status}): look at its log",
        f"{url} 的 API 现在无法生成链接（HTTP {answer.status}）：请查看其日志",
    )


def _token(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise RemedyError(
            f"the token file {file} cannot be read ({exc}): correct MILEPOST_ADMIN_TOKEN_FILE",
            f"令牌文件 {file} 无法读取（{exc}）：请改正 MILEPOST_ADMIN_TOKEN_FILE",
        ) from exc


def command(settings: Settings) -> str:
    """The command line for another link."""
    return f"milepost signin{running.data_option(settings.data)}"
