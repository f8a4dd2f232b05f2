"""What an Accept header asks for. Pure."""

from typing import Final

_MOST: Final = 20
"""Wishes of one header that are looked at."""
_PAGES: Final = ("text/html", "application/xhtml+xml")
_JSON: Final = ("application/json", "application/problem+json")


def by_preference(accepted: str) -> list[str]:
    """What an Accept header or one of its kin names, the most wanted first; what has q=0 is not wanted."""
    return [name for name, weight in sorted(_wishes(accepted), key=lambda wish: -wish[1]) if weight > 0]


def is_browser(accepted: str) -> bool:
    """Whether a page is asked for by name, as browsers do, and JSON is not wanted more."""
    return _weight_of(accepted, _PAGES) > 0 and not is_program(accepted)


def is_program(accepted: str) -> bool:
    """Whether JSON is asked for by name, and wanted more than a page."""
    return _weight_of(accepted, _JSON) > _weight_of(accepted, _PAGES)


def _weight_of(accepted: str, names: tuple[str, ...]) -> float:
    return max((weight for name, weight in _wishes(accepted) if name.lower() in names), default=0.0)


def _wishes(accepted: str) -> list[tuple[str, float]]:
    wishes = []
    for part in accepted.split(",")[:_MOST]:
        name, _, quality = part.partition(";")
        wishes.append((name.strip(), _weight(quality)))
    return wishes


def _weight(quality: str) -> float:
    name, _, number = quality.strip().partition("=")
    try:
        return float(number) if name == "q" else 1.0
    except ValueError:
        return 0.0
