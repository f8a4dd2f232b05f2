"""From environment variables and options to `Settings`, and back for child processes."""

import re
from collections.abc import Collection, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from contract.errors import RemedyError
from milepost.settings.table import HINTS, PREFIX, TABLE, Setting, Settings, extra, unwrap
from milepost.settings.values import Secret

_BY_FIELD = {setting.field: setting for setting in TABLE}

ORDERED: tuple[tuple[str, str], ...] = (
    ("flapping_off", "flapping_on"),
    ("loss_share", "loss_all_share"),
    ("loss_named_least", "loss_named_of"),
)
"""Pairs of settings: the first must not be larger than the second, or the rule would never begin or never end."""


def load(environ: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ`; values in `overrides` (by field) take precedence. An empty value is unset.

    Raises RemedyError that names the variable or option, the mistake and the allowed values. If two settings
    contradict each other, the error names both.
    """
    given = {setting.field: value for setting in TABLE if (value := _given(setting, environ))}
    sources = {field: _BY_FIELD[field].variable for field in given}
    for field, value in (overrides or {}).items():
        given[field] = value
        sources[field] = _BY_FIELD[field].option
    settings = Settings(**{field: _convert(field, value, sources[field]) for field, value in given.items()})
    for small, large in ORDERED:
        _require_order(settings, small, large, sources)
    return settings


def _require_order(settings: Settings, small: str, large: str, sources: Mapping[str, str]) -> None:
    low, high = getattr(settings, small), getattr(settings, large)
    if low > high:
        names = [sources.get(field, _BY_FIELD[field].variable) for field in (small, large)]
        raise RemedyError(
            f"{names[0]} is {low:g} and {names[1]} is {high:g}: the first must not be larger",
            f"{names[0]} 为 {low:g}，{names[1]} 为 {high:g}：前者不能大于后者",
        )


def _given(setting: Setting, environ: Mapping[str, str]) -> str | None:
    value = environ.get(setting.variable, "").strip()
    file = environ.get(f"{setting.variable}_FILE", "").strip()
    if not setting.secret or not file:
        return value or None
    if value:
        raise RemedyError(
            f"{setting.variable} and {setting.variable}_FILE are both set: keep one",
            f"{setting.variable} 和 {setting.variable}_FILE 都已设置：请只保留一个",
        )
    return secret_in(Path(file), f"{setting.variable}_FILE")


def _convert(field: str, value: str, source: str) -> Any:
    hint = HINTS[field]
    plain, metas = unwrap(hint)
    if plain is Path:
        return Path(value).expanduser()
    right = not extra(metas, "has_ports") or _has_ports(value)
    right = right and (not extra(metas, "has_networks") or _has_networks(value))
    if plain is Secret:
        if not right or not re.match(extra(metas, "pattern") or "", value, re.DOTALL):
            raise RemedyError(
                f"{source} has a wrong form: it must be {_BY_FIELD[field].allowed}",
                f"{source} 的格式有误，应为：{_BY_FIELD[field].allowed_zh}",
            )
        return Secret(value)
    if not right:
        raise _wrong(field, value, source)
    try:
        return msgspec.convert(_as_bool(value) if plain is bool else value, hint, strict=False)
    except msgspec.ValidationError:
        raise _wrong(field, value, source) from None


def _wrong(field: str, value: str, source: str) -> RemedyError:
    # A URL may carry a password.
    shown, shown_zh = ("has a wrong form", "的格式有误") if "@" in value else (f"is {value!r}", f"为 {value!r}")
    return RemedyError(
        f"{source} {shown}: it must be {_BY_FIELD[field].allowed}",
        f"{source} {shown_zh}，应为：{_BY_FIELD[field].allowed_zh}",
    )


def _has_ports(url: str) -> bool:
    """Whether every port in a URL is valid. The URL may list several hosts."""
    try:
        hosts = urlsplit(url).netloc.rpartition("@")[2].split(",")
        return all(urlsplit(f"//{host}").port != 0 for host in hosts)
    except ValueError:
        return False


def _has_networks(value: str) -> bool:
    """Whether a text lists addresses and networks, none of which is every address."""
    try:
        return all(ip_network(one.strip()).prefixlen > 0 for one in value.split(","))
    except ValueError:
        return False


def _as_bool(value: str) -> str:
    """`true` or `false` for the usual spellings of a switch; msgspec reads only these two."""
    return {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(value.lower(), value.lower())


class UnsetError(RemedyError):
    """A required setting has no value; `up_brings_it` says whether a running `milepost up` provides one."""

    def __init__(self, variable: str, example: str, *, up_brings_it: bool = True) -> None:
        self.variable, self.example, self.up_brings_it = variable, example, up_brings_it
        en, zh = _FROM_UP if up_brings_it else ("", "")
        super().__init__(f"{variable} is not set: give it as {example}{en}", f"未设置 {variable}：请设为 {example}{zh}")


_FROM_UP = (
    ", or name the directory of a running `milepost up` with --data",
    "，或用 --data 指明正在运行的 `milepost up` 的目录",
)


def require(value: str | None, variable: str, example: str, *, up_brings_it: bool = True) -> str:
    """The value of a required setting. Raises UnsetError if it is not set."""
    if not value:
        raise UnsetError(variable, example, up_brings_it=up_brings_it)
    return value


def secret_in(path: Path | None, variable: str) -> str | None:
    """Read the secret from the file that `variable` names. Raises RemedyError if the file cannot be read."""
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as exc:
        raise RemedyError(
            f"{variable} names {path}, which cannot be read: {exc}", f"{variable} 指定的 {path} 无法读取：{exc}"
        ) from exc


def unknown(environ: Mapping[str, str]) -> list[str]:
    """A line for each MILEPOST_ variable that is not a setting, with the most similar setting."""
    import difflib

    known = {setting.variable for setting in TABLE}
    known |= {f"{setting.variable}_FILE" for setting in TABLE if setting.secret}
    lines = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(PREFIX + "TEST_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            lines.append(f"{name} is not a setting" + (f": did you mean {near[0]}?" if near else ""))
    return lines


def to_environ(settings: Settings, fields: Collection[str] | None = None) -> dict[str, str]:
    """The environment of a child process: `load` of it returns the same settings, or only these `fields`."""
    result = {}
    for setting in TABLE:
        if fields is not None and setting.field not in fields:
            continue
        value = getattr(settings, setting.field)
        if value is not None:
            result[setting.variable] = to_text(value)
    return result


def to_text(value: Any) -> str:
    """The text of a value as an environment variable holds it."""
    if isinstance(value, Secret):
        return value.value
    return str(value).lower() if isinstance(value, bool) else str(value)
