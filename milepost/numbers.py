"""Numbers that people give with a command: none that is not one, and none that the command cannot work with. Pure."""

from contract.errors import RemedyError


def require_between(option: str, value: float, low: float, high: float) -> None:
    """Raises RemedyError that names the option, the value and the range; NaN lies in none."""
    if not low <= value <= high:
        raise RemedyError(
            f"{option} is {value:.15g}: give a number from {low:.15g} to {high:.15g}",
            f"{option} 为 {value:.15g}：须为 {low:.15g} 至 {high:.15g} 的数",
        )
