"""The values of findings and corrections for their pages, and the reason why a form was refused."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from api.console.name_lookup import PlaceNames
from api.console.names import where
from api.console.pages import why_refused
from api.console.texts import Words
from api.http.problems import Problem
from api.http.times import as_beijing_time
from api.read.findings.listing import CorrectionDocument, FindingDocument
from contract.home import HOME
from registry.photos.rules import PhotoRefusedError

_LABELS: Final = {
    "from": "from",
    "until": "until",
    "text": "finding_text",
    "reason": "why",
    "why": "why",
    "by": "by",
    "counts_as": "counts_as",
    "incident": "finding_incident",
    "station": "station",
    "finding": "follows_finding",
}
"""The labels of the fields of the forms."""


def finding_row(finding: FindingDocument, named: PlaceNames, words: Words) -> dict[str, Any]:
    """A finding with its words."""
    return {
        "finding": finding,
        "kind": words.named("finding", finding.kind),
        "what": where(named.station(finding.station), finding.station),
        "status_word": words.named("finding_status", finding.status),
        "month": _month(finding.begin),
    }


def correction_row(correction: CorrectionDocument, named: PlaceNames, words: Words) -> dict[str, Any]:
    """A correction with its words."""
    return {
        "correction": correction,
        "counts": words.named("counts_as", correction.counts_as),
        "what": where(named.station(correction.station), correction.station),
        "status_word": words.named("correction_status", correction.status),
        "month": _month(correction.begin),
    }


def _month(time: datetime) -> str:
    """The month of a time, as the page of uptime takes it in its address."""
    return time.astimezone(HOME).strftime("%Y-%m")


def with_times(said: Mapping[str, str]) -> dict[str, str]:
    """The given times of a form, which are in Beijing time. Raises a Problem."""
    return {name: as_beijing_time(name, said[name]) for name in ("from", "until") if said.get(name, "").strip()}


def refusal_status(exc: Problem | ValidationError) -> int:
    """The HTTP status of a page with a refused form."""
    return exc.status if isinstance(exc, Problem) else 422


def refusal_text(exc: Problem | ValidationError | PhotoRefusedError, words: Words) -> str:
    """Why a form was refused, in the reader's language."""
    return why_refused(exc, words, _LABELS, "why")
