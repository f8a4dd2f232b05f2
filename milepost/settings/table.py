"""Every setting in one table, made of the fields of `Settings`."""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from contract.said import Said
from milepost.settings.blind_spots import BlindSpotSection
from milepost.settings.chinese import MEANINGS
from milepost.settings.incidents import IncidentSection
from milepost.settings.judging import JudgingSection
from milepost.settings.operation import OperationSection
from milepost.settings.registration import RegistrationSection
from milepost.settings.retention import RetentionSection
from milepost.settings.servers import ServerSection
from milepost.settings.values import Secret

PREFIX = "MILEPOST_"
PARTITIONS = 24
LINGER = 0.02

SECTIONS = (
    ServerSection,
    RegistrationSection,
    JudgingSection,
    IncidentSection,
    BlindSpotSection,
    RetentionSection,
    OperationSection,
)
"""The groups of settings, in the order of the document."""


@dataclass(frozen=True, kw_only=True)
class Settings(
    ServerSection,
    RegistrationSection,
    JudgingSection,
    IncidentSection,
    BlindSpotSection,
    RetentionSection,
    OperationSection,
):
    """The values of all settings. The description of a field is its documentation."""

    @property
    def instance_name(self) -> str:
        """The name of this process: `instance`, or host name and process id."""
        return self.instance or f"{socket.gethostname()}-{os.getpid()}"

    @property
    def local_url(self) -> str:
        """The address of the API for a process on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.http_host, self.http_host)  # noqa: S104
        return f"http://[{host}]:{self.http_port}" if ":" in host else f"http://{host}:{self.http_port}"

    @property
    def console_url(self) -> str:
        """The address of the console for people: `public_url`, or the address on which the API listens."""
        return (self.public_url or self.local_url).rstrip("/")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table: a setting with its default, its meaning and its allowed values."""

    #: The field of `Settings`.
    field: str
    #: The allowed values in words, in English and in Chinese.
    allowed: str
    allowed_zh: str
    default: Any
    meaning: str
    secret: bool
    is_path: bool
    #: The smallest and the largest allowed number; None if the setting is not a number.
    bounds: tuple[float, float] | None = None

    @property
    def help(self) -> Said:
        """The meaning and the allowed values, for the help of a command."""
        return Said(f"{self.meaning} ({self.allowed})", f"{MEANINGS[self.field]}（{self.allowed_zh}）")

    @property
    def variable(self) -> str:
        """The environment variable, such as MILEPOST_HTTP_PORT."""
        return PREFIX + self.field.upper()

    @property
    def option(self) -> str:
        """The option of a command, such as --http-port."""
        return "--" + self.field.replace("_", "-")


def _rows() -> Iterator[Setting]:
    for field in (field for section in SECTIONS for field in fields(section)):
        plain, metas = unwrap(HINTS[field.name])
        yield Setting(
            field=field.name,
            allowed=_allowed(plain, metas).en,
            allowed_zh=_allowed(plain, metas).zh,
            default=field.default,
            meaning=next(meta.description for meta in metas if meta.description),
            secret=plain is Secret,
            is_path=plain is Path,
            bounds=_bounds(metas) if plain in (int, float) else None,
        )


def unwrap(hint: Any) -> tuple[Any, list[Meta]]:
    """The type inside Annotated and ``| None``, and all its `Meta` (the outermost first)."""
    if get_origin(hint) is Annotated:
        inner, *said = get_args(hint)
        plain, metas = unwrap(inner)
        return plain, [*said, *metas]
    if get_origin(hint) in (Union, UnionType):
        return unwrap(next(kind for kind in get_args(hint) if kind is not type(None)))
    return hint, []


def extra(metas: list[Meta], key: str) -> str | None:
    """The first value of `key` in the `extra` of a `Meta`; None if there is none."""
    return next((str(meta.extra[key]) for meta in metas if meta.extra and key in meta.extra), None)


def _bounds(metas: list[Meta]) -> tuple[float, float]:
    """The smallest and the largest allowed number. Every number in the table must have both."""
    low, high = (next(b for b in (getattr(m, side) for m in metas) if b is not None) for side in ("ge", "le"))
    return low, high


def _allowed(plain: Any, metas: list[Meta]) -> Said:
    said = extra(metas, "allowed")
    if said is not None:
        return Said(said, extra(metas, "allowed_zh") or said)
    if get_origin(plain) is Literal:
        choices = [f"`{choice}`" for choice in get_args(plain)]
        return Said("one of " + ", ".join(choices), "、".join(choices) + " 之一")
    if plain in (int, float):
        low, high = _bounds(metas)
        whole = plain is int
        return Said(
            f"a {'whole ' if whole else ''}number from {low} to {high}",
            f"{low} 至 {high} 的{'整数' if whole else '数'}",
        )
    return {bool: Said("`true` or `false`", "`true` 或 `false`"), Path: Said("a path", "路径")}.get(
        plain, Said("a text", "文字")
    )


HINTS = get_type_hints(Settings, include_extras=True)
TABLE: tuple[Setting, ...] = tuple(_rows())
