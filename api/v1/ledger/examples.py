"""Examples of the ledger for /docs and /openapi.json: a log of two leaves, which verifies. Pure."""

from typing import Any, Final

_NOTE: Final = (
    "example.org/ledger\n"
    "2\n"
    "6O36NATX3wxXkQaKywb47RKIG0it298iuA9PF1++w1Y=\n"
    "\n"
    "— example.org/ledger dxpY2SGd/PlISeIDpN3fD0fiRJI+imQZdV6IIHfmL97tWoq8JuCEzZ0jWfDe1c43qceD1o2I63lHSst"
    "BAxc2ZcA86Q8=\n"
)
CHECKPOINT: Final = {
    "origin": "example.org/ledger",
    "size": 2,
    "root": "6O36NATX3wxXkQaKywb47RKIG0it298iuA9PF1++w1Y=",
    "note": _NOTE,
    "unsigned": 0,
}
ENTRY: Final[dict[str, Any]] = {
    "id": 2,
    "kind": "closure.approved",
    "subject": "closure/12",
    "actor": "a-81d5e02c96fa",
    "at": "2026-11-27T08:30:00Z",
    "body": {
        "declared_by": "a-3f9c21d07be4",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
    "leaf": 1,
}
PROOF: Final = {
    "id": 2,
    "index": 1,
    "leaf": (
        '{"actor":"a-81d5e02c96fa","at_ms":1795768200000,"body":{"declared_by":"a-3f9c21d07be4","evidence_sha'
        '256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},"id":2,"kind":"closure.appr'
        'oved","row":"ledger_entry","subject":"closure/12"}'
    ),
    "proof": ("c2sp.org/tlog-proof@v1\nindex 1\nFktAEDgKOv6DjZyOLumlJh+flwqE5acE2820Ow0JseY=\n\n") + _NOTE,
}
EXPORT: Final = "ledger/leaves-000000.ndjson …"
