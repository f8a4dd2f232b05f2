"""The kinds of entries in the ledger. Pure. docs/ledger.md says of each what it means and what its body holds."""

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
    SHARD_TRUSTED = "shard.trusted"
    RESTART_ANNOUNCED = "restart.announced"
    ACCOUNT_MADE = "account.made"
    ACCOUNT_RIGHTS = "account.rights"
    ACCOUNT_PASSWORD = "account.password"  # noqa: S105 -- a kind
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    ACCOUNT_SIGNED_OUT = "account.signed_out"
    TOKEN_MADE = "token.made"  # noqa: S105 -- a kind
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 -- a kind
    SIGNIN_LINK_MADE = "signin_link.made"
    BROKER_ACCOUNT_MADE = "broker_account.made"
    BROKER_ACCOUNT_RENEWED = "broker_account.renewed"
    BROKER_ACCOUNT_REMOVED = "broker_account.removed"
