"""The table of what was skipped, at the end of every run: a skip is never silent."""

from collections import defaultdict
from collections.abc import Iterable

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show each reason with how many tests of which files it kept from running."""
    skipped = [report for report in terminalreporter.stats.get("skipped", []) if isinstance(report.longrepr, tuple)]
    terminalreporter.section("what was skipped")
    for line in skip_table((report.nodeid, str(report.longrepr[2])) for report in skipped):
        terminalreporter.write_line(line)


def skip_table(skips: Iterable[tuple[str, str]]) -> list[str]:
    """Lines for (node id, reason) pairs, the most frequent reason first."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for node, reason in skips:
        by_reason[reason.removeprefix("Skipped: ")].append(node.partition("::")[0])
    if not by_reason:
        return ["nothing"]
    rows = sorted(by_reason.items(), key=lambda row: (-len(row[1]), row[0]))
    lines = [f"{'tests':>5}  reason, and the files"]
    return lines + [f"{len(files):>5}  {reason} ({', '.join(sorted(set(files)))})" for reason, files in rows]
