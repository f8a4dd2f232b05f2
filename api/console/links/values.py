"""The values of an incident for the template of the page of a link."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from api.console.details import EntryText, entry_text, facts_of, repair_text
from api.console.links.facts import LinkFacts
from api.console.names import topic_of, where
from api.console.texts import Words
from api.read.response.repairs import RepairDocument
from api.read.schemas import IncidentEntry

_MOST_SHOWN: Final = 8
"""Maximum number of notified people, and of entries of the history, on the page."""
_SEEN_ENTRIES: Final = 3
"""Entries of the history outside of the fold; the rest is inside."""
_SAID_ELSEWHERE: Final = ("resolved_by", "resolved_remark", "fixed_at", "shelved_by")


def incident_values(words: Words, facts: LinkFacts) -> dict[str, Any]:
    """The incident in the reader's words."""
    incident = facts.incident
    station, area = facts.named.station(incident.station), facts.named.area(incident.area)
    told = [page for page in facts.told if page.name]
    # The page already shows a newer time at which the station was last seen.
    hidden = [*_SAID_ELSEWHERE, *(["seen_at"] if facts.station else [])]
    entries = [(entry, _entry_text(words, entry)) for entry in incident.entries[:_MOST_SHOWN]]
    return {
        "now": facts.now,
        "incident": incident,
        "what": where(topic_of(words, incident.kind, incident.detail), station or area or incident.shard),
        "details": facts_of(words, incident.detail, hidden=hidden),
        "who": facts.accounts.shown,
        "entries": entries[:_SEEN_ENTRIES],
        "older_entries": entries[_SEEN_ENTRIES:],
        "told": list({page.name: page for page in reversed(told)}.values())[:_MOST_SHOWN],
        "lasting": lambda time: words.duration(_in_minutes(time)),
        "repair": newest_repair(facts.repairs),
    }


def newest_repair(repairs: Sequence[RepairDocument]) -> RepairDocument | None:
    """The newest report of a finished repair; None: there is none, or it could not be verified."""
    said = next((repair for repair in repairs if repair.fixed), None)
    return None if said is not None and said.outcome == "overtaken" else said


def _in_minutes(time: timedelta) -> timedelta:
    """The time in whole minutes; a time below one minute does not change."""
    minute = timedelta(minutes=1)
    return time if time < minute else time - time % minute


def _entry_text(words: Words, entry: IncidentEntry) -> EntryText:
    text = entry.text or ""
    return entry_text(words, text) if entry.actor == "milepost" else EntryText(repair_text(words, entry.action, text))
