"""Values that were found lately."""

from api.http.recent import MOST, Recent


def test_a_value_is_kept_for_its_time() -> None:
    kept: Recent[str, int] = Recent()
    kept.put("a", 1, 100.0)
    assert [kept.get("a", now, 5.0) for now in (100.0, 104.9, 105.0)] == [1, 1, None]
    assert kept.get("a", 99.9, 5.0) is None, "the clock was set back"
    kept.put("a", 2, 105.0)
    assert kept.get("a", 109.0, 5.0) == 2
    kept.drop("a")
    assert kept.get("a", 109.0, 5.0) is None
    kept.drop("a")


def test_only_so_many_are_kept_and_the_oldest_is_dropped() -> None:
    kept: Recent[int, int] = Recent()
    for number in range(MOST):
        kept.put(number, number, 0.0)
    kept.put(0, 0, 1.0)
    kept.put(MOST, MOST, 1.0)
    assert [kept.get(number, 1.0, 5.0) for number in (0, 1, 2, MOST)] == [0, None, 2, MOST]
    kept.clear()
    assert kept.get(0, 1.0, 5.0) is None
