"""The documents about the ledger. Times are UTC; hashes are base64."""

from datetime import datetime
from typing import Any

from pydantic import Field

from api.read.schemas import Document


class CheckpointDocument(Document):
    """What was signed last about the log. It names the number of all leaves, whatever the scope is."""

    origin: str = Field(description="the name of the log")
    size: int = Field(description="number of leaves")
    root: str = Field(description="SHA-256 of the tree, base64")
    note: str = Field(description="the signed note (C2SP tlog-checkpoint); keep it for `milepost verify --older`")
    unsigned: int = Field(description="leaves that were sealed since, and are signed within seconds")


class EntryDocument(Document):
    """An entry of the ledger."""

    id: int
    kind: str
    subject: str = Field(description="what it happened to, such as incident/17")
    actor: str = Field(description="id of the account")
    at: datetime
    body: dict[str, Any] | None = Field(description="null: its bytes are no JSON object, which is a finding")
    leaf: int | None = Field(description="its number in the log; null: it waits for its seal")


class EntryProofDocument(Document):
    """That an entry is in the log of a checkpoint."""

    id: int
    index: int = Field(description="number of the leaf")
    leaf: str = Field(description="the exact bytes of the leaf; SHA-256 of a zero byte and these is its hash")
    proof: str = Field(description="C2SP tlog-proof: the hashes to the root, and the signed checkpoint")
