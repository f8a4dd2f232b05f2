"""What each role may do within its scope. Pure.

| role | reads | acts |
|---|---|---|
| admin | everything | everything, and accounts, tokens, keys, settings |
| supervisor | everything | registry, closures, silences, routes, duty, assignments, commands, answers, corrections, |
| | | assessments |
| technician | stations, incidents, its own work | acknowledge, hand over, note, repair, declare a closure, dispute |
| auditor | everything, the ledger and every history | findings; exports |
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What an account or a token may do; the values are stored."""

    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    TECHNICIAN = "technician"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """What a request may need; the values are for entries of the ledger."""

    READ = "read"
    """Stations, areas, incidents, blind spots, closures."""
    READ_HISTORY = "read_history"
    """The pipeline, dead letters, unregistered stations, how fast people answer. Timelines,
    health and usage need only READ."""
    READ_LEDGER = "read_ledger"
    EXPORT = "export"
    ACKNOWLEDGE = "acknowledge"
    HAND_OVER = "hand_over"
    NOTE = "note"
    REPAIR = "repair"
    DECLARE_CLOSURE = "declare_closure"
    RESOLVE = "resolve"
    ASSIGN = "assign"
    APPROVE_CLOSURE = "approve_closure"
    DISPUTE = "dispute"
    """Dispute a time of a station."""
    MAKE_FINDING = "make_finding"
    """Make findings as an auditor, and close those of others."""
    ANSWER_FINDING = "answer_finding"
    CLOSE_FINDING = "close_finding"
    """Close a finding or dispute that the same account made; add photos to findings and disputes."""
    CORRECT = "correct"
    """Propose corrections of history, and approve or refuse those of others."""
    ASSESS = "assess"
    """Make assessments of areas."""
    EDIT_REGISTRY = "edit_registry"
    SILENCE = "silence"
    EDIT_ROUTES = "edit_routes"
    COMMAND = "command"
    MANAGE_PLATFORM = "manage_platform"
    """Announce a restart, trust a suspected shard, take up what was set aside, change the texts of messages."""
    MANAGE_ACCOUNTS = "manage_accounts"
    MANAGE_KEYS = "manage_keys"


_TECHNICIAN: Final = frozenset(
    {
        Permission.READ,
        Permission.ACKNOWLEDGE,
        Permission.HAND_OVER,
        Permission.NOTE,
        Permission.REPAIR,
        Permission.DECLARE_CLOSURE,
        Permission.DISPUTE,
        Permission.CLOSE_FINDING,
    }
)
_AUDITOR: Final = frozenset(
    {
        Permission.READ,
        Permission.READ_HISTORY,
        Permission.READ_LEDGER,
        Permission.EXPORT,
        Permission.MAKE_FINDING,
        Permission.CLOSE_FINDING,
    }
)
_ADMIN_ONLY: Final = frozenset({Permission.MANAGE_PLATFORM, Permission.MANAGE_ACCOUNTS, Permission.MANAGE_KEYS})
PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.ADMIN: frozenset(Permission),
    Role.SUPERVISOR: frozenset(Permission) - _ADMIN_ONLY - {Permission.MAKE_FINDING},
    Role.TECHNICIAN: _TECHNICIAN,
    Role.AUDITOR: _AUDITOR,
}
_OF_AN_OFFICE: Final = frozenset({Permission.MAKE_FINDING})
"""Permissions of an auditor that a supervisor does not have, so that no person answers a finding of the same person. A
token never has more permissions than its account, so these permissions widen no role of a token or session."""
OF_THE_WHOLE: Final = frozenset({Permission.MANAGE_PLATFORM, Permission.MANAGE_KEYS})
"""The permissions whose acts concern every area, so that they need the scope of everything too."""
READ_ONLY: Final = frozenset({Permission.READ, Permission.READ_HISTORY, Permission.READ_LEDGER})
"""The permissions that a wall display keeps of its role."""


def may(role: Role, permission: Permission, *, wall: bool = False) -> bool:
    """Whether a role has a permission; `wall`: in the session of a wall display, which changes nothing."""
    return permission in PERMISSIONS[role] and (not wall or permission in READ_ONLY)


def is_wider(role: Role, held: frozenset[Permission]) -> bool:
    """Whether a role has a permission that is not held. Permissions of an auditor do not count."""
    return not PERMISSIONS[role] - _OF_AN_OFFICE <= held


def grants(granting: Role, granted: Role) -> bool:
    """Whether an account of the role `granting` may make an account or token of the role `granted`.

    A role is granted only with permissions that the granting role has itself.
    """
    return may(granting, Permission.MANAGE_ACCOUNTS) and PERMISSIONS[granted] <= PERMISSIONS[granting]
