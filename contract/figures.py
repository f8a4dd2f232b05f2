"""Format numbers with their units. Pure."""

from typing import Final

from contract.glossary import UNITS

_PER_CENT: Final = "%"


def figure(field: str, value: float | str, language: str) -> str:
    """Format a value of a health field (family `field` of the glossary) with its unit; fractions as per cent.

    A field without a unit gives a plain number; a text, such as a version, stays unchanged.
    """
    if isinstance(value, str):
        return value
    unit = UNITS.get(field)
    if unit is None:
        return f"{value:g}"
    said = unit.text(language)
    return f"{100 * value:.3g}%" if said == _PER_CENT else f"{value:,.10g} {said}"
