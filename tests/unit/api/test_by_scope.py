"""What requests share is kept for each scope apart, and not for ever."""

from access.scope import NOTHING, WHOLE, AreaScope
from api.http.shared_query import MOST_SCOPES, ByScope


def county(number: int) -> AreaScope:
    return AreaScope(areas=frozenset({str(number)}))


def test_each_scope_has_its_own_and_keeps_it() -> None:
    kept = ByScope(lambda scope: [scope], lambda _: None)
    assert kept.of(county(1)) is kept.of(county(1))
    assert kept.of(county(1)) == [county(1)]
    assert kept.of(county(2)) == [county(2)]
    assert kept.of(NOTHING) == [NOTHING]
    assert kept.of(WHOLE) == [WHOLE]


def test_the_scopes_that_asked_last_are_kept_and_the_whole_always() -> None:
    dropped: list[list[AreaScope]] = []
    kept = ByScope(lambda scope: [scope], dropped.append)
    whole, first = kept.of(WHOLE), kept.of(county(0))
    for number in range(1, MOST_SCOPES):
        kept.of(county(number))
    assert kept.of(county(0)) is first, "it asked again, so the next is the oldest"
    kept.of(county(MOST_SCOPES))
    assert dropped == [[county(1)]]
    assert kept.of(county(0)) is first
    assert kept.of(WHOLE) is whole


def test_all_are_ended_at_the_end() -> None:
    dropped: list[list[AreaScope]] = []
    kept = ByScope(lambda scope: [scope], dropped.append)
    kept.of(county(1))
    kept.close()
    assert dropped == [[WHOLE], [county(1)]]
