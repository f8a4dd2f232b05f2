"""Who is told of an incident, as the console shows it. Pure."""

from datetime import timedelta

from api.console.texts import Words
from api.read.escalation_schemas import EscalationDocument, EscalationLogDocument, EscalationStepDocument
from contract.glossary import WORDS


def step_texts(words: Words, told: EscalationDocument) -> list[str]:
    """The steps of a plan: who is told, and after how long."""
    return [_step_text(words, step) for step in told.steps]


def _step_text(words: Words, step: EscalationStepDocument) -> str:
    role = words.named("duty_role", step.role)
    who = role if step.level is None else f"{role} · {words.named('level', step.level)}"
    if not step.after_s:
        return f"{who} · {words('told_at_once')}"
    name = "told_after_open" if step.clock == "open" else "told_after"
    return f"{who} · {words(name, time=words.duration(timedelta(seconds=step.after_s)))}"


def why_word(words: Words, entry: EscalationLogDocument) -> str:
    """The reason of a line of the log: a severity, a route, or why nobody was told."""
    family = next((name for name in ("severity", "page_reason") if entry.why in WORDS[name]), None)
    return entry.why or "" if family is None else words.named(family, entry.why or "")
