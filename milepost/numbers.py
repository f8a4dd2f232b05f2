"""Checks numbers that people give with a command. Pure."""

from contract.errors import RemedyError


def require_between(option: str, value: float, low: float, high: float) -> None:
    """Raise RemedyError, which names option, value and range, for a value outside of it or NaN."""
    if not low <= value <= high:
        raise RemedyError(
            f"{option} is {value:.15g}: give a number from {low:.15g} to {high:.15g}",
            f"{option} 为 {value:.15g}：须为 {low:.15g} 至 {high:.15g} 的数",
        )
