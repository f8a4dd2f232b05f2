"""Takes secrets out of what a server answered. Pure.

Servers repeat what they were sent: a mail server names the mailbox, a web server the path with its token.
"""

import re
from typing import Final

_LEAST: Final = 5
"""The shortest part of an address that is a secret by itself."""
ANSWER_MOST: Final = 200
"""Characters of an answer that are kept."""
_HIDDEN: Final = "…"
_OURS: Final = frozenset({
    "address", "answer", "answered", "certificate", "connection", "dingtalk", "encryption", "failed", "feishu", "field",
    "followed", "https", "milepost", "reached", "redirects", "refused", "server", "status", "wecom", "within",
})  # fmt: skip
"""Words of our own sentences, which the path of an address may have too."""


def hide(text: str, *secrets: str) -> str:
    """The text in one line without the addresses in `secrets` and their parts, at most 200 characters."""
    pieces = sorted({piece for secret in secrets for piece in _pieces(secret)}, key=len, reverse=True)
    shown = " ".join(text.split())
    for piece in pieces:
        shown = re.sub(re.escape(piece), _HIDDEN, shown, flags=re.IGNORECASE)
    return _without_beginning(shown, pieces)[:ANSWER_MOST]


def _pieces(secret: str) -> set[str]:
    parts = {secret, *re.split(r"[^0-9A-Za-z_-]+", secret), *re.split(r"[/?#&=;,\s]+", secret)}
    # A number without the code of China.
    parts |= {part.removeprefix("+86").removeprefix("86") for part in parts}
    return {part for part in parts if len(part) >= _LEAST and part.lower() not in _OURS}


def _without_beginning(text: str, pieces: list[str]) -> str:
    """The text without the beginning of a secret at its end, where the text was cut."""
    for piece in pieces:
        for length in range(len(piece) - 1, _LEAST - 1, -1):
            if text.endswith(piece[:length]):
                return text[:-length] + _HIDDEN
    return text
