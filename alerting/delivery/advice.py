"""What people should do about an incident, in one sentence. Pure."""

from collections.abc import Mapping
from typing import Final

from alerting.delivery.facts import OVER, AlertFacts
from contract.glossary import WORDS
from contract.said import Said


def advice(facts: AlertFacts) -> Said:
    """What to do now, by what the notification is about and its phase."""
    said = WORDS["advice"]
    if facts.phase in OVER:
        return said["over_for_most" if facts.children_open else "over"]
    return said[facts.phase] if facts.phase in {"resolved", "acknowledged"} else _cure(facts)


def _cure(facts: AlertFacts) -> Said:
    said = WORDS["advice"]
    if facts.kind == "unusable" and facts.children:
        return said["many_unusable"]
    family, field = _PARTICULAR.get(facts.kind, ("", ""))
    found = facts.detail.get(field)
    particular = WORDS[family].get(found) if isinstance(found, str) else None
    return particular or said.get(facts.kind, said["other"])


_PARTICULAR: Final[Mapping[str, tuple[str, str]]] = {
    "blind_spot": ("spot_advice", "kind"),
    "health": ("rule_advice", "rule"),
}
"""By kind: the family that says more, and the field of the detail that has its name."""
