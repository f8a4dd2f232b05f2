"""Writes docs/settings.md from the table."""

from dataclasses import fields

from milepost.settings.reading import to_text
from milepost.settings.table import SECTIONS, TABLE, Setting

_HEAD = """\
# Settings

Written from the table in `milepost/settings/` by `python -m milepost.settings`; change the text there.

Each setting is an environment variable. Most settings are also options of the commands that read them (`milepost
COMMAND --help`); an option takes precedence over the variable. A wrong value ends the command with one line and exit
status 2. The value of a secret can also stand in a file; the variable with `_FILE` at its end then names that file.
"""


def render_markdown() -> str:
    """The text of docs/settings.md: a table for each section, in the order of `SECTIONS`."""
    rows = {setting.field: setting for setting in TABLE}
    lines = [_HEAD]
    for section in SECTIONS:
        title = (section.__doc__ or "").rstrip(".")
        lines += [f"## {title}", "", "| variable | value | default | meaning |", "|---|---|---|---|"]
        lines += [*(_row(rows[field.name]) for field in fields(section)), ""]
    return "\n".join(lines)


def _row(setting: Setting) -> str:
    default = "" if setting.default is None else f"`{to_text(setting.default)}`"
    kind = setting.allowed + (", secret" if setting.secret else "")
    return f"| `{setting.variable}` | {kind} | {default} | {setting.meaning} |"
