"""How long a consumer waits for entries: until its next commit, and never too long for what it must notice."""

import math

import pytest

from broker.consumer_config import ConsumerConfig

CONFIG = ConsumerConfig(name="c", topic="t", servers="", instance="i", poll=0.1, idle_poll=1.0)


@pytest.mark.parametrize(
    ("holds", "commit_in", "expected"),
    [
        pytest.param(False, math.inf, 0.1, id="partitions may be assigned"),
        pytest.param(False, 0.5, 0.1, id="they were taken away"),
        pytest.param(True, math.inf, 1.0, id="nothing to commit"),
        pytest.param(True, 0.2, 0.2, id="a commit is due soon"),
        pytest.param(True, 30.0, 1.0, id="a commit is due much later"),
        pytest.param(True, 0.0, 0.0, id="a commit is due now"),
        pytest.param(True, -5.0, 0.0, id="a commit was due"),
    ],
)
def test_a_consumer_waits_until_its_commit(holds: bool, commit_in: float, expected: float) -> None:
    assert CONFIG.patience(holds=holds, commit_in=commit_in) == expected
