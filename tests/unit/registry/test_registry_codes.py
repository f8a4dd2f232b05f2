"""Division codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.codes import county_of, level_of, normal_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("63", "630000000000", id="province"),
        pytest.param("6321", "632100000000", id="prefecture"),
        pytest.param("632122", "632122000000", id="county as in most lists"),
        pytest.param("632122100", "632122100000", id="township"),
        pytest.param("632122100201", "632122100201", id="village"),
        pytest.param("630000000000", "630000000000", id="padded already"),
        pytest.param("XPCC08", "XPCC08", id="organisation tree"),
    ],
)
def test_code_is_padded(text: str, code: str) -> None:
    assert normal_code(text) == code


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("6.3E+11", "is not an area code", id="a spreadsheet rounded it"),
        pytest.param("63212", "has 5 digits", id="a digit was lost"),
        pytest.param("6321221002010", "has 13 digits", id="too long"),
        pytest.param("", "is not an area code", id="empty"),
        pytest.param("青海", "is not an area code", id="a name in the wrong column"),
        pytest.param("６３", "is not an area code", id="full-width digits"),
        pytest.param("x" * 33, "is not an area code", id="longer than the table takes"),
    ],
)
def test_bad_code_is_explained(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        normal_code(text)


@pytest.mark.parametrize(
    ("code", "level"),
    [
        ("630000000000", "province"),
        ("632100000000", "prefecture"),
        ("632122000000", "county"),
        ("632122100000", "township"),
        ("632122100201", "village"),
        pytest.param("632122000201", "village", id="village right below a county"),
        pytest.param("XPCC08", None, id="organisation tree"),
        pytest.param("XPCC08000000", None, id="organisation tree, 12 signs long"),
    ],
)
def test_level(code: str, level: str | None) -> None:
    assert level_of(code) == level


@pytest.mark.parametrize(
    ("station", "county"),
    [
        ("6321220007", "632122000000"),
        pytest.param("632122000", None, id="nine digits"),
        pytest.param("63212200071", None, id="eleven digits"),
        pytest.param("kiosk-7", None, id="an id of another form"),
        pytest.param("６３２１２２０００７", None, id="full-width digits"),
    ],
)
def test_county_of_a_station(station: str, county: str | None) -> None:
    assert county_of(station) == county


@given(st.text("0123456789", min_size=1, max_size=14) | st.text(max_size=40))
def test_normal_codes_stay_as_they_are(text: str) -> None:
    try:
        code = normal_code(text)
    except ValueError:
        return
    assert normal_code(code) == code
    assert len(code) <= 32
