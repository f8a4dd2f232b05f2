"""`python -m milepost.settings` writes docs/settings.md."""

from pathlib import Path

from milepost.settings.document import render_markdown

Path("docs/settings.md").write_text(render_markdown(), encoding="utf-8")
