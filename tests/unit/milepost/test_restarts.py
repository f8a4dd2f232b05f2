import pytest

from contract.said import Said
from milepost.processes.restarts import NoRestart, RestartAfter, RestartHistory, RestartPolicy

POLICY = RestartPolicy()


def end(restarts: RestartHistory, *, lived: float = 1.0, now: float = 0.0, status: int = 1) -> RestartAfter | NoRestart:
    return restarts.ended(status=status, lived=lived, now=now)


def test_the_wait_doubles_up_to_ten_seconds() -> None:
    restarts = RestartHistory(POLICY)
    waits = [decision.delay for _ in range(8) if isinstance(decision := end(restarts), RestartAfter)]
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_a_long_life_begins_anew_with_the_shortest_wait() -> None:
    restarts = RestartHistory(POLICY)
    for _ in range(5):
        end(restarts)
    assert end(restarts, lived=30.0) == RestartAfter(0.2)


def test_ten_ends_in_a_row_are_enough_for_what_was_never_up() -> None:
    restarts = RestartHistory(POLICY)
    decisions = [end(restarts) for _ in range(10)]
    assert all(isinstance(decision, RestartAfter) for decision in decisions[:9])
    assert decisions[9] == NoRestart(Said("it ended 10 times in a row", "连续 10 次退出"))


def test_what_is_set_up_wrongly_is_not_tried_again() -> None:
    assert isinstance(end(RestartHistory(POLICY), status=2), NoRestart)


def test_what_once_worked_waits_for_what_it_needs() -> None:
    """A database that is away for minutes makes services end with status 2; that is no reason to give up."""
    restarts = RestartHistory(POLICY)
    restarts.note_working()
    decisions = [end(restarts, status=2, now=10.0 * n) for n in range(80)]
    assert all(isinstance(decision, RestartAfter) for decision in decisions)


def test_even_what_once_worked_is_given_up_in_the_end() -> None:
    restarts = RestartHistory(POLICY)
    restarts.note_working()
    decisions = [end(restarts, now=10.0 * n) for n in range(91)]
    assert isinstance(decisions[-1], NoRestart)
    assert all(isinstance(decision, RestartAfter) for decision in decisions[:-1])


@pytest.mark.parametrize("lived", [29.9, 30.0])
def test_a_life_of_thirty_seconds_proves_it(lived: float) -> None:
    restarts = RestartHistory(POLICY)
    end(restarts, lived=lived)
    assert isinstance(end(restarts, status=2), RestartAfter) == (lived >= 30.0)
