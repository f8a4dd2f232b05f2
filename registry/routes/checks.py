"""What a route must be before it is stored, and that there is a default route. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from contract.kinds import IncidentKind
from contract.said import Said, SaidError
from registry.routes.model import Route
from registry.routes.steps import parse_steps, steps_text

SEVERITIES: Final = ("info", "warning", "critical")
MOST_NAME: Final = 200
MOST_WORD: Final = 64
_ID: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}")


def sound_route(route: Route) -> Route:
    """The route with its kinds and severities in one order. Raises SaidError with the remedy."""
    require_route_id(route.id)
    if not route.name.strip() or len(route.name) > MOST_NAME:
        raise SaidError(
            f"the name of a route has 1 to {MOST_NAME} characters: correct it",
            f"路由名称应为 1 至 {MOST_NAME} 个字：请改正",
        )
    _require_words("kind", "事件类型", route.kinds, tuple(IncidentKind))
    _require_words("severity", "严重程度", route.severities, SEVERITIES)
    for word in (route.programme, route.station_kind):
        if word is not None and not 0 < len(word) <= MOST_WORD:
            raise SaidError(
                f"a programme or a kind of stations has 1 to {MOST_WORD} characters: correct it",
                f"工程或服务点类型应为 1 至 {MOST_WORD} 个字：请改正",
            )
    parse_steps(steps_text(route.steps))
    return msgspec.structs.replace(
        route,
        kinds=tuple(sorted(set(route.kinds))),
        severities=tuple(word for word in SEVERITIES if word in route.severities),
    )


def require_route_id(route: str) -> str:
    """The id. Raises SaidError."""
    if not _ID.fullmatch(route):
        raise SaidError(
            f"{route[:40]!r} is not the id of a route: use 1 to 64 of 0-9 A-Z a-z _ . -",
            f"“{route[:40]}”不是路由编号：应为 1 至 64 位的数字、拉丁字母、_、. 或 -",
        )
    return route


def has_default_route(routes: Iterable[Route]) -> bool:
    """Whether some route takes every incident, wherever it is."""
    return any(_takes_all(route) for route in routes)


def _takes_all(route: Route) -> bool:
    return not (route.area or route.kinds or route.severities or route.programme or route.station_kind)


NO_DEFAULT_ROUTE: Final = Said(
    "there is no default route: incidents that no route covers are told to nobody. Import a route without area, kinds, "
    "severities, programme and station kind (milepost import routes FILE)",
    "没有默认路由：未被任何路由覆盖的事件不会通知任何人。请导入一条不限区划、类型、严重程度、工程和服务点类型的路由"
    "（milepost import routes 文件）",
)
"""What is said at the start of the service that delivers, and in the details of `/readyz`."""


def _require_words(what: str, zh: str, words: Sequence[str], known: Sequence[str]) -> None:
    for word in words:
        if word not in known:
            raise SaidError(
                f"{word[:40]!r} is not a {what} of incidents: use {', '.join(known)}",
                f"“{word[:40]}”不是{zh}：请用 {'、'.join(known)}",
            )
