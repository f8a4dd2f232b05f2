"""Types of values: what a setting may be, with the words for it in both languages."""

from typing import Annotated

import msgspec
from msgspec import Meta


class Secret(msgspec.Struct, frozen=True):
    """A text that no log, message or repr shows."""

    value: str

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


Port = Annotated[int, Meta(ge=1, le=65535)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Few = Annotated[int, Meta(ge=1, le=1000)]
Seconds = Annotated[float, Meta(ge=0.1, le=3600)]
Minutes = Annotated[float, Meta(ge=0.1, le=100_000)]
Days = Annotated[float, Meta(ge=0.001, le=3660)]
LongSeconds = Annotated[float, Meta(ge=1, le=31_536_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
SomeShare = Annotated[float, Meta(ge=0.01, le=1)]
"""A share that must not be 0: a common cause that closes at a recovery of 0% would close at once."""
Name = Annotated[
    str,
    Meta(
        pattern="^[0-9A-Za-z_.-]{1,64}$",
        extra={
            "allowed": "1 to 64 letters, digits, `_`, `.` and `-`",
            "allowed_zh": "1 至 64 个字母、数字、`_`、`.` 或 `-`",
        },
    ),
]
WebUrl = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^\s/]+",
        extra={"allowed": "`http://…` or `https://…`", "allowed_zh": "`http://…` 或 `https://…`", "has_ports": True},
    ),
]
MqttUrl = Annotated[
    str,
    Meta(
        pattern=r"^mqtts?://([^\s/:@]+@)?[^\s/@]+$",
        extra={
            "allowed": "`mqtt://user@host:port` or `mqtts://user@host:port`",
            "allowed_zh": "`mqtt://user@host:port` 或 `mqtts://user@host:port`",
            "has_ports": True,
        },
    ),
]
_PORT = r"(?:6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})"
_SERVER = rf"[^\s,:]+:{_PORT}"
Servers = Annotated[str, Meta(pattern=rf"^{_SERVER}(,{_SERVER})*$", extra={"allowed": "`host:port,host:port`"})]
Networks = Annotated[
    str,
    Meta(
        extra={
            "allowed": "addresses and networks such as `10.0.0.5,192.0.2.0/24`, separated by commas",
            "allowed_zh": "`10.0.0.5,192.0.2.0/24` 这样的地址和网段，以逗号分隔",
            "has_networks": True,
        }
    ),
]
DatabaseUrl = Annotated[
    Secret,
    Meta(
        extra={
            "allowed": "`postgresql://user:password@host:port/name`",
            "pattern": r"^postgres(ql)?://\S+$",
            "has_ports": True,
        }
    ),
]


_URL = r"[A-Za-z][A-Za-z0-9+.-]*://\S+"
# A comma belongs to some URLs (mail to several people), but not to their end, and not before the next.
AlertUrls = Annotated[
    Secret,
    Meta(
        extra={
            "allowed": "URLs such as `wecombot://KEY`, separated by white space and not by commas",
            "allowed_zh": "`wecombot://KEY` 这样的地址，以空白分隔，不用逗号",
            "pattern": rf"^(?!.*[,;](\s|$))(?!.*[,;][A-Za-z][A-Za-z0-9+.-]*://){_URL}(\s+{_URL})*$",
        }
    ),
]
# A template may have spaces, so that a text can stand before the place of the message.
GatewayUrl = Annotated[
    Secret,
    Meta(
        extra={
            "allowed": "a URL such as `json+https://host/path?to={to}&text={text}`",
            "allowed_zh": "`json+https://主机/路径?to={to}&text={text}` 这样的地址",
            "pattern": r"^[A-Za-z][A-Za-z0-9+.-]*://\S.*$",
        }
    ),
]
