from aiokafka import TopicPartition

from milepost.processes.renewal import behind

A, B = TopicPartition("milepost.records", 0), TopicPartition("milepost.deadletter", 0)


def test_what_is_stored_to_the_end_is_not_behind() -> None:
    assert behind({A: 5, B: 0}, {A: 5, B: 0}) == []


def test_what_has_more_than_is_stored_is_behind() -> None:
    assert behind({A: 6, B: 1}, {A: 5}) == [A, B]
