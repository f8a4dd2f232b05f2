"""The language of the person at the command line. Pure."""

from collections.abc import Mapping


def language_of(environment: Mapping[str, str]) -> str:
    """zh-CN where the locale is Chinese, else en; the first variable that is set decides, as everywhere in POSIX."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if locale := environment.get(name):
            return "zh-CN" if locale.lower().startswith("zh") else "en"
    return "en"
