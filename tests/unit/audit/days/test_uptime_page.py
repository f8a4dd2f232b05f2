"""The example of docs/uptime.md prints what the page says, and the page names every figure."""

import contextlib
import io
import re

from audit.days.figures import COVERAGE_NEEDED, Figures
from audit.days.local_days import CLOSES_AFTER
from tests.machine_words import ROOT

PAGE = (ROOT / "docs" / "uptime.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_example_prints_what_the_page_says() -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block("python"), "docs/uptime.md", "exec"), {})  # noqa: S102  # the code of our own page
    assert printed.getvalue() == block("text")


def test_the_page_names_every_figure_and_number() -> None:
    assert {name for name in (*Figures.__struct_fields__, "due_ms") if f"`{name}`" not in PAGE} == set()
    assert f"Below {COVERAGE_NEEDED * 100}% coverage" in PAGE
    assert f"{CLOSES_AFTER.total_seconds() / 3600:.0f} hours past its end" in PAGE
