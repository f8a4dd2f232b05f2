"""What tells an incident from others of its kind, as consoles and notifications name it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from contract.glossary import word

TOPICS: Final = {"blind_spot": ("spot", "kind"), "health": ("rule", "rule")}
"""By kind of incident: a family of the glossary, and the field of the detail that holds the name of its word."""


def topic_word(kind: str, detail: Mapping[str, Any], language: str) -> str | None:
    """The word for the kind of blind spot or the health rule; None for other kinds of incidents."""
    family, field = TOPICS.get(kind, ("", ""))
    name = detail.get(field)
    return word(family, name, language) if isinstance(name, str) else None


def shared_name(detail: Mapping[str, Any], language: str) -> str | None:
    """The name of what the stations of a common cause share; None for an area, whose name is shown anyway."""
    name, cause = detail.get("name"), detail.get("cause")
    if not isinstance(name, str) or cause == "area":
        return None
    return word("uplink", name, language) if cause == "uplink" else name
