"""Who is told of an incident, as the console shows it. Pure."""

from api.console.texts import Words
from api.read.escalation_schemas import EscalationDocument, EscalationLogDocument, EscalationStepDocument
from contract.glossary import WORDS
from registry.routes.model import RouteStep, StepClock


def step_texts(told: EscalationDocument | None) -> list[str]:
    """The steps of a plan as an operator writes them."""
    return [] if told is None else [str(_rule(step)) for step in told.steps]


def _rule(step: EscalationStepDocument) -> RouteStep:
    return RouteStep(role=step.role, level=step.level, after=step.after_s, clock=StepClock(step.clock), most=step.most)


def why_word(words: Words, entry: EscalationLogDocument) -> str:
    """The reason of a line of the log: a severity, a route, or why nobody was told."""
    family = next((name for name in ("severity", "page_reason") if entry.why in WORDS[name]), None)
    return entry.why or "" if family is None else words.named(family, entry.why or "")
