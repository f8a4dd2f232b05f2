"""Urgent contacts are looked at first, each once."""

from alerting.delivery.pages.look_queue import LookQueue


async def test_urgent_ones_come_first_each_once() -> None:
    queue = LookQueue()
    for contact, urgent in (("a", False), ("b", False), ("c", True), ("b", True), ("a", False)):
        queue.put(contact, 1, urgent=urgent)
    assert [await queue.get() for _ in range(3)] == [("c", 1), ("b", 1), ("a", 1)]
    for contact in "abc":
        queue.done(contact)
    queue.put("d", 2, urgent=False)
    assert await queue.get() == ("d", 2), "the first entry of b is passed over"
