"""One sentence of advice: what people should do about an incident. Pure."""

from alerting.delivery.facts import OVER, AlertFacts
from contract.glossary import WORDS
from contract.kinds import KINDS, IncidentKind
from contract.said import Said


def advice(facts: AlertFacts) -> Said:
    """What to do now, by kind and detail of the incident and the phase of the notification."""
    sentences = WORDS["advice"]
    if facts.phase in OVER:
        return sentences["over_for_most" if facts.children_open else "over"]
    return sentences[facts.phase] if facts.phase in {"resolved", "acknowledged", "not_held"} else _cure(facts)


def _cure(facts: AlertFacts) -> Said:
    sentences = WORDS["advice"]
    if facts.kind == IncidentKind.UNUSABLE and facts.children:
        return sentences["many_unusable"]
    topic = KINDS[facts.kind].topic if facts.kind in KINDS else None
    name = None if topic is None else facts.detail.get(topic.field)
    particular = WORDS[topic.advice].get(name) if topic is not None and isinstance(name, str) else None
    return particular or sentences.get(facts.kind, sentences["other"])
