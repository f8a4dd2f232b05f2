"""The lines in which people write the areas of a scope."""

import pytest

from api.console.people.area_list import _codes, as_lines
from api.console.texts import Words
from api.read.people.schemas import ScopeArea, ScopeDocument


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        pytest.param("632122", ["632122"], id="a code"),
        pytest.param("632122 632123", ["632122", "632123"], id="several codes"),
        pytest.param("632122000000 民和县", ["632122000000"], id="a code with its name"),
        pytest.param("CN63A · 民和县", ["CN63A"], id="as the form shows it"),
        pytest.param("民和县", [], id="a name"),
        pytest.param("Minhe County", [], id="a name of two words"),
        pytest.param("3 Gorges", [], id="a name that begins with a digit"),
        pytest.param("6321221010001", [], id="longer than a code"),
    ],
)
def test_codes_of_a_line(line: str, codes: list[str]) -> None:
    assert list(_codes(line)) == codes


def test_what_the_form_shows_is_read_again() -> None:
    names = (("632122000000", "民和县", "Minhe"), ("63", "青", None), ("CN63A", "3 号区", "3rd district"))
    areas = [ScopeArea(code=code, name=name, name_en=name_en) for code, name, name_en in names]
    scope = ScopeDocument(whole=False, areas=areas)
    for language in ("zh-CN", "en"):
        lines = as_lines(scope, Words(language)).splitlines()
        assert [code for line in lines for code in _codes(line)] == ["632122000000", "63", "CN63A"]
