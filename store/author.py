"""Who acts, as histories and the ledger name it. Pure."""

from typing import Final

import msgspec

from store.ledger_kinds import WrittenText, hashed

OPERATOR: Final = "operator"
"""The account of commands that are given on the machine itself."""
SYSTEM: Final = "system"
"""The account of what Milepost does by itself."""


class Author(msgspec.Struct, frozen=True):
    """The account that acts. `remark`: the person on whose behalf the account says to act, unchecked."""

    account: str
    remark: str | None = None

    @property
    def remarked(self) -> dict[str, WrittenText]:
        """The remark as a field of the body of an entry; nothing without one."""
        return hashed(remark=self.remark)
