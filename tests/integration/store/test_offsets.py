"""Offset fencing against a real database."""

import pytest

from store.offsets import FencedError, advance, claim
from store.pool import Pool

WHERE = {"consumer": "judge", "topic": "milepost.live", "partition": 3}


async def test_first_claim_starts_at_the_beginning(pool: Pool) -> None:
    async with pool.acquire() as connection:
        held = await claim(connection, **WHERE, log="log-1", instance="a")
    assert (held.owner, held.next_offset, held.new_log) == (1, 0, False)


async def test_zombie_is_fenced_and_the_rightful_owner_is_not(pool: Pool) -> None:
    async with pool.acquire() as connection:
        old = await claim(connection, **WHERE, log="log-1", instance="a")
        new = await claim(connection, **WHERE, log="log-1", instance="b")
        with pytest.raises(FencedError, match=r"judge no longer owns partitions \[3\]"):
            await advance(connection, {3: (old, 10)})
        moved = await advance(connection, {3: (new, 10)})
        assert moved[3].next_offset == 10


async def test_a_batch_is_committed_once(pool: Pool) -> None:
    async with pool.acquire() as connection:
        held = await claim(connection, **WHERE, log="log-1", instance="a")
        await advance(connection, {3: (held, 10)})
        with pytest.raises(FencedError):
            await advance(connection, {3: (held, 10)})


async def test_another_log_starts_at_zero_and_says_so(pool: Pool) -> None:
    async with pool.acquire() as connection:
        held = await claim(connection, **WHERE, log="log-1", instance="a")
        await advance(connection, {3: (held, 10)})
        again = await claim(connection, **WHERE, log="log-2", instance="a")
    assert (again.next_offset, again.new_log, again.owner) == (0, True, 2)
