"""What becomes of a station that is removed, and of a retirement that is taken back."""

import pytest

from contract.errors import RemedyError
from registry.removal import Removal, lifecycle_again, removal_of, require_removable, require_retired


def test_only_what_never_had_anything_is_removed() -> None:
    assert removal_of(has_history=False) is Removal.REMOVED
    assert removal_of(has_history=True) is Removal.RETIRED


@pytest.mark.parametrize("before", ["planned", "commissioned", "suspended"])
def test_a_retirement_that_is_taken_back_gives_what_was_before(before: str) -> None:
    assert lifecycle_again(before) == before
    assert lifecycle_again(None) == lifecycle_again("retired") == "commissioned"


def test_a_station_is_retired_once() -> None:
    require_removable("s", "suspended")
    with pytest.raises(RemedyError, match="s is retired already") as caught:
        require_removable("s", "retired")
    assert "已撤销" in caught.value.said.zh
    require_retired("s", "retired")
    with pytest.raises(RemedyError, match="not retired"):
        require_retired("s", "commissioned")
