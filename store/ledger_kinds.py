"""The kinds of entries in the ledger, and the form of free text in them. Pure.

docs/ledger.md says of each kind what it means and what its body holds.
"""

import hashlib
from enum import StrEnum

import msgspec


class LedgerKind(StrEnum):
    """What an entry of the ledger says; the values are stored."""

    INCIDENT_ACKNOWLEDGED = "incident.acknowledged"
    INCIDENT_ASSIGNED = "incident.assigned"
    INCIDENT_NOTE = "incident.note"
    INCIDENT_RESOLVED = "incident.resolved"
    REPAIR_SAID = "repair.said"
    REPAIR_VERIFIED = "repair.verified"
    CLOSURE_DECLARED = "closure.declared"
    CLOSURE_APPROVED = "closure.approved"
    CLOSURE_APPROVAL_REFUSED = "closure.approval_refused"
    CLOSURE_WITHDRAWN = "closure.withdrawn"
    FINDING_MADE = "finding.made"
    FINDING_ANSWERED = "finding.answered"
    FINDING_CLOSED = "finding.closed"
    CORRECTION_PROPOSED = "correction.proposed"
    CORRECTION_APPROVED = "correction.approved"
    CORRECTION_REFUSED = "correction.refused"
    CORRECTION_APPROVAL_REFUSED = "correction.approval_refused"
    PHOTO_ADDED = "photo.added"
    SILENCE_MADE = "silence.made"
    SILENCE_ENDED = "silence.ended"
    TEMPLATE_CHANGED = "template.changed"
    TEMPLATE_RESET = "template.reset"
    STATION_REMOVED = "station.removed"
    STATION_RETIRED = "station.retired"
    STATION_RESTORED = "station.restored"
    REGISTRY_FACTS = "registry.facts"
    IMPORT_APPLIED = "import.applied"
    SHARD_TRUSTED = "shard.trusted"
    RESTART_ANNOUNCED = "restart.announced"
    ACCOUNT_MADE = "account.made"
    ACCOUNT_RIGHTS = "account.rights"
    ACCOUNT_RENAMED = "account.renamed"
    ACCOUNT_PASSWORD = "account.password"  # noqa: S105 -- a kind
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    TOKEN_MADE = "token.made"  # noqa: S105 -- a kind
    TOKEN_SHORTENED = "token.shortened"  # noqa: S105 -- a kind
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 -- a kind
    SIGNIN_LINK_MADE = "signin_link.made"
    BROKER_ACCOUNT_MADE = "broker_account.made"
    BROKER_ACCOUNT_RENEWED = "broker_account.renewed"
    BROKER_ACCOUNT_REMOVED = "broker_account.removed"
    CONTACT_MADE = "contact.made"
    CONTACT_CHANGED = "contact.changed"
    CONTACT_RETIRED = "contact.retired"
    CONTACT_TESTED = "contact.tested"
    LINKS_ENDED = "links.ended"
    DUTY_GIVEN = "duty.given"
    DUTY_REMOVED = "duty.removed"
    ROUTE_MADE = "route.made"
    ROUTE_CHANGED = "route.changed"
    ROUTE_REMOVED = "route.removed"
    SUBSTITUTE_GIVEN = "substitute.given"
    SUBSTITUTE_REMOVED = "substitute.removed"
    DAYS_CLOSED = "days.closed"
    DAYS_REVISED = "days.revised"
    MONTH_FROZEN = "month.frozen"
    ASSESSMENT_MADE = "assessment.made"
    DATABASE_RESTORED = "database.restored"
    HISTORY_MADE_UP = "history.made_up"
    LEDGER_OPENED = "ledger.opened"
    LEDGER_KEY_ROTATED = "ledger.key_rotated"


class WrittenText(msgspec.Struct, frozen=True):
    """A text that a person wrote, in the body of an entry: `append_entries` puts its hash there, with a salt of
    its own. The text itself lies in the row that the entry is about."""

    text: str


def text_hash(salt: bytes, text: str) -> str:
    """What stands for a text in an entry: the SHA-256 of the salt and the text, in hex. Without the salt the
    text cannot be found by trying, however short it is."""
    return hashlib.sha256(salt + text.encode()).hexdigest()


def hashed(**texts: str | None) -> dict[str, WrittenText]:
    """Fields of a body for texts that a person wrote: `{name}_sha256` of each that there is."""
    return {f"{name}_sha256": WrittenText(text) for name, text in texts.items() if text is not None}
