"""Every kind of entry is documented, and nothing else is."""

import re

from store.ledger_kinds import LedgerKind
from tests.machine_words import ROOT

ROW = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \|", re.MULTILINE)


def test_the_documented_kinds_are_the_kinds() -> None:
    documented = ROW.findall((ROOT / "docs/ledger.md").read_text(encoding="utf-8"))
    assert documented == [kind.value for kind in LedgerKind]
