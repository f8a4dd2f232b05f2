"""The kinds of entries in the ledger, and the form of free text in them. Pure.

docs/ledger.md says of each kind what it means and what its body holds.
"""

import hashlib
from enum import StrEnum


class LedgerKind(StrEnum):
    """What an entry of the ledger says; the values are stored."""

    INCIDENT_ACKNOWLEDGED = "incident.acknowledged"
    INCIDENT_ASSIGNED = "incident.assigned"
    INCIDENT_NOTE = "incident.note"
    INCIDENT_RESOLVED = "incident.resolved"
    CLOSURE_DECLARED = "closure.declared"
    CLOSURE_APPROVED = "closure.approved"
    CLOSURE_APPROVAL_REFUSED = "closure.approval_refused"
    CLOSURE_WITHDRAWN = "closure.withdrawn"
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
    DATABASE_RESTORED = "database.restored"


def text_hash(text: str) -> str:
    """The SHA-256 of a text that a person wrote, in hex, which stands for the text in an entry. The text itself lies in
    the row that the entry is about."""
    return hashlib.sha256(text.encode()).hexdigest()


def hashed(**texts: str | None) -> dict[str, str]:
    """Fields of a body for texts that a person wrote: `{name}_sha256` of each that there is."""
    return {f"{name}_sha256": text_hash(text) for name, text in texts.items() if text is not None}
