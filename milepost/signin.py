"""`milepost signin`: a new link of a running Milepost that signs a browser in, once."""

import asyncio
import sys
from pathlib import Path
from typing import Final

import msgspec

from contract.errors import RemedyError
from milepost import datadir, http
from milepost.settings import Settings

MINUTES: Final = 15
"""For so long a link can be used; the API's own number, which a test compares."""
WHERE: Final = "api.json"
"""The file of a data directory that says where the API of its Milepost is."""


class Place(msgspec.Struct, frozen=True):
    """Where an API is, and the file with its token."""

    url: str
    token_file: str


class Link(msgspec.Struct, frozen=True):
    link: str
    until: str


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Print a link. Raises RemedyError when there is nothing to ask for one."""
    place = find(settings)
    made = await new_link(place.url, _token(place.token_file))
    sys.stdout.write(f"{made.link}\n")
    sys.stderr.write(f"signs one browser in, within {MINUTES} minutes\n")


def find(settings: Settings) -> Place:
    """The Milepost that runs in the data directory, else the one that the settings name. Raises RemedyError."""
    if datadir.is_held(settings.data):
        try:
            return msgspec.json.decode((settings.data / WHERE).read_bytes(), type=Place)
        except (OSError, msgspec.MsgspecError) as exc:
            raise RemedyError(
                f"the Milepost in {settings.data} does not say where its API is: wait until it is ready"
            ) from exc
    if settings.admin_token_file is None:
        raise RemedyError(
            f"no Milepost runs in {settings.data}: name the directory of a running `milepost up` with --data, or the "
            "token file of an API with --admin-token-file and its address with --api-url"
        )
    return Place(settings.api_url or settings.local_url, str(settings.admin_token_file))


def describe(settings: Settings) -> str:
    """What `find` reads."""
    return msgspec.json.encode(Place(settings.local_url, str(settings.admin_token_file))).decode()


async def new_link(url: str, token: str) -> Link:
    """Ask the API at `url` for a link. Raises RemedyError."""
    answer = await http.post(f"{url.rstrip('/')}/api/v1/signin-links", token=token)
    if answer.status != 201:
        raise RemedyError(_why(url, answer))
    return msgspec.json.decode(answer.body, type=Link)


def _why(url: str, answer: http.Answer) -> str:
    if answer.status == 0:
        said = answer.body.decode(errors="replace")
        return f"no API answers at {url} ({said}): start it, or correct MILEPOST_API_URL"
    if answer.status == 401:
        return f"the API at {url} does not take this token: name the API's own file in MILEPOST_ADMIN_TOKEN_FILE"
    return f"the API at {url} makes no link now (HTTP {answer.status}): look at its log"


def _token(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise RemedyError(f"the token file {file} cannot be read ({exc}): correct MILEPOST_ADMIN_TOKEN_FILE") from exc


def command(settings: Settings) -> str:
    """What to type for another link."""
    usual = settings.data == Path(Settings().data).absolute()
    return "milepost signin" + ("" if usual else f" --data {settings.data}")
