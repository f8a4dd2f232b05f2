"""Which of the areas that have a text in their name are meant."""

from hypothesis import given
from hypothesis import strategies as st

from api.console.area_choice import settle


def area(name: str, name_en: str | None = None, name_bo: str | None = None) -> dict[str, str | None]:
    return {"name": name, "name_en": name_en, "name_bo": name_bo}


TOWN, COUNTY, OTHER = area("民和镇", "Minhe Town"), area("民和县", "Minhe"), area("新民和村", "Xin Minhe")


def test_a_whole_name_in_any_language_and_letters_is_it() -> None:
    for asked in ("民和县", "minhe", "MINHE"):
        assert settle(asked, [TOWN, COUNTY, OTHER]) == [COUNTY]


def test_without_a_whole_name_beginnings_go_before_parts() -> None:
    assert settle("民和", [OTHER, TOWN, COUNTY]) == [TOWN, COUNTY, OTHER]
    assert settle("新民", [OTHER]) == [OTHER], "a single one is it"
    assert settle("x", []) == []


def test_namesakes_are_offered_before_those_that_only_begin_so() -> None:
    lhasa, lanzhou, longer = area("城关区", "Chengguan"), area("城关区", "Chengguan"), area("城关区外", "Y")
    assert settle("城关区", [longer, lhasa, lanzhou])[:2] == [lhasa, lanzhou]
    assert len(settle("城关区", [longer, lhasa, lanzhou])) == 3


names = st.text(st.sampled_from("ab民和"), min_size=1, max_size=4)


@given(names, st.lists(st.builds(area, names, names | st.none(), names | st.none()), max_size=8))
def test_nothing_is_lost_or_invented_unless_one_is_meant(asked: str, found: list[dict[str, str | None]]) -> None:
    meant = settle(asked, found)
    assert all(any(one is other for other in found) for one in meant)
    assert len(meant) == len(found) or (len(meant) == 1 and asked in meant[0].values())
