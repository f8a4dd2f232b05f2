"""Routes, their steps and the gaps in them in words, and what a form says about a route. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from api.console.texts import Words
from api.read.routing.route_schemas import GapIncident, RouteDocument, RouteStepDocument, SpanDocument
from contract.glossary import WORDS
from contract.home import HOME
from contract.kinds import IncidentKind
from registry.routes.checks import SEVERITIES
from registry.routes.model import USUAL_MOST, RouteStep

FIELDS: Final = ("id", "name", "area", "kinds", "severities", "programme", "station_kind", "steps", "past")
_COMMA: Final = re.compile(r"[,，、;；\n]")
_MOST_SPANS: Final = 5
_LEVELS: Final = {"city": "prefecture"}


def step_words(words: Words, step: RouteStepDocument | RouteStep) -> str:
    """Who a step tells, when, and at most how many."""
    who = words.named("duty_role", step.role)
    parts = [
        who if step.level is None else f"{who} · {words.named('level', _LEVELS.get(step.level, step.level))}",
        words("told_at_once"),
    ]
    if step.after:
        name = "told_after_open" if step.clock == "open" else "told_after"
        parts[1] = words(name, time=words.duration(timedelta(seconds=step.after)))
    if step.most != USUAL_MOST:
        parts.append(words("route_most", n=step.most))
    return " · ".join(parts)


def conditions(words: Words, route: RouteDocument) -> str:
    """What else than its area an incident of a route has."""
    named = [words.named("kind", kind) for kind in route.kinds]
    named += [words.named("severity", severity) for severity in route.severities]
    named += [] if route.programme is None else [f"{words('of_programme')} {route.programme}"]
    named += [] if route.station_kind is None else [words.named("station_kind", route.station_kind)]
    return words("comma").join(named) or words("every_kind")


def incidents_text(words: Words, incidents: Sequence[GapIncident]) -> tuple[str, str]:
    """The kinds and the severities of incidents; all: one word."""
    kinds = sorted({one.kind.value for one in incidents})
    severities = [word for word in SEVERITIES if any(one.severity == word for one in incidents)]
    kinds_text = words("comma").join(words.named("kind", kind) for kind in kinds)
    severities_text = words("comma").join(words.named("severity", word) for word in severities)
    return (
        words("every_kind") if len(kinds) == len(IncidentKind) else kinds_text,
        words("gap_any_severity") if len(severities) == len(SEVERITIES) else severities_text,
    )


def minute(time: datetime) -> str:
    """Day and minute, Beijing time."""
    return time.astimezone(HOME).strftime("%Y-%m-%d %H:%M")


def first_spans(spans: Sequence[SpanDocument]) -> tuple[list[tuple[str, str]], int]:
    """(from, until) of the first intervals, and how many there are beyond."""
    return [(minute(one.begin), minute(one.until)) for one in spans[:_MOST_SPANS]], max(len(spans) - _MOST_SPANS, 0)


def as_form(words: Words, route: RouteDocument) -> dict[str, str]:
    """A route as the fields of its form."""
    return {
        "id": route.id,
        "name": route.name,
        "area": route.area or "",
        "kinds": words("comma").join(words.named("kind", kind) for kind in route.kinds),
        "severities": words("comma").join(words.named("severity", one) for one in route.severities),
        "programme": route.programme or "",
        "station_kind": route.station_kind or "",
        "steps": route.rule.replace("; ", "\n"),
        "past": "yes" if route.tell_past else "no",
    }


def of_form(said: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a form as those of a request; an empty one is no condition."""
    fields: dict[str, Any] = {name: said.get(name) or None for name in ("area", "programme", "station_kind")}
    for name, family in (("kinds", "kind"), ("severities", "severity")):
        fields[name] = [_word(family, text.strip()) for text in _COMMA.split(said.get(name, "")) if text.strip()]
    steps = said.get("steps", "").replace("\n", ";")
    return {**fields, "name": said.get("name", ""), "steps": steps, "tell_past": said.get("past") != "no"}


def _word(family: str, text: str) -> str:
    """The name of a thing that is written as people call it, in either language."""
    folded = text.casefold()
    for name, said in WORDS[family].items():
        if folded in (said.zh.casefold(), said.en.casefold()):
            return name
    return text
