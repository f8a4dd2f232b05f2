"""The name that distinguishes an incident from others of its kind, in consoles and notifications. Pure."""

from collections.abc import Mapping
from typing import Any

from contract.glossary import word
from contract.kinds import KINDS


def topic_word(kind: str, detail: Mapping[str, Any], language: str) -> str | None:
    """The word for the kind of blind spot or the health rule; None for other kinds of incidents."""
    topic = KINDS[kind].topic if kind in KINDS else None
    name = None if topic is None else detail.get(topic.field)
    return word(topic.family, name, language) if topic is not None and isinstance(name, str) else None


def shared_name(detail: Mapping[str, Any], language: str) -> str | None:
    """The name of the uplink, feeder, agent version or shard of a common cause; None for an area, whose name is always
    shown."""
    name, cause = detail.get("name"), detail.get("cause")
    if not isinstance(name, str) or cause == "area":
        return None
    return word("uplink", name, language) if cause == "uplink" else name
