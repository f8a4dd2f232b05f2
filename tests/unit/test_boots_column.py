"""Boots as numbers: what is put in comes out, whatever its length."""

from hypothesis import given
from hypothesis import strategies as st

from alerting.terminals import Boots

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.lists(NAMES, min_size=1), st.lists(st.tuples(st.integers(0, 99), NAMES)))
def test_a_column_gives_back_what_was_put_in(boots: list[str], changes: list[tuple[int, str]]) -> None:
    column = Boots()
    for boot in boots:
        column.append(boot)
    for row, boot in changes:
        if row < len(boots):
            column[row] = boots[row] = boot
    assert [column[row] for row in range(len(boots))] == boots
    for row, boot in enumerate(boots):
        assert column.holds(row, boot)
        assert not column.holds(row, boot + "x")
        assert not column.holds(row, boot[:-1])


def test_no_boot_yet() -> None:
    column = Boots()
    column.append("")
    assert column[0] == ""
    assert not column.holds(0, "b7f3c1e2")
    assert not column.holds(0, "a-boot-that-is-long")
