"""The Kafka topic table and what is said of topics that are otherwise."""

import pytest

from broker.topics import TopicFound, TopicSpec, differences, refuse_other_partitions, report, topic_table
from contract.errors import RemedyError
from contract.log import DEADLETTER, LIVE, RECORDS, TRANSITIONS


def spec(**changes: object) -> TopicSpec:
    values: dict[str, object] = {"name": "t", "partitions": 4, "replication": 3, "configs": {"retention.ms": "1"}}
    return TopicSpec(**(values | changes))  # type: ignore[arg-type]


def found(**changes: object) -> TopicFound:
    values: dict[str, object] = {"partitions": 4, "replication": 3, "configs": {"retention.ms": "1"}}
    return TopicFound(**(values | changes))  # type: ignore[arg-type]


def test_the_table_names_every_topic_with_its_partitions() -> None:
    assert {s.name: s.partitions for s in topic_table(24, 1)} == {LIVE: 24, RECORDS: 24, TRANSITIONS: 24, DEADLETTER: 1}


@pytest.mark.parametrize(("replication", "expected"), [(1, None), (2, None), (3, "2"), (5, "2")])
def test_two_replicas_must_have_it_when_one_of_three_may_be_away(replication: int, expected: str | None) -> None:
    for topic in topic_table(24, replication):
        assert topic.configs.get("min.insync.replicas") == expected


@pytest.mark.parametrize(
    ("there", "words"),
    [
        pytest.param(found(), [], id="as it is to be"),
        pytest.param(found(replication=1), ["replication is 1, expected 3"], id="fewer replicas"),
        pytest.param(found(configs={"retention.ms": "9"}), ["retention.ms is 9, expected 1"], id="another retention"),
        pytest.param(found(configs=None), [], id="a broker that does not tell"),
        pytest.param(found(configs={"retention.ms": "1", "other": "x"}), [], id="settings that are not ours"),
    ],
)
def test_differences_name_what_is_and_what_is_expected(there: TopicFound, words: list[str]) -> None:
    texts = differences(spec(), there)
    assert len(texts) == len(words)
    assert all(word in text for word, text in zip(words, texts, strict=True))


def test_another_number_of_partitions_is_refused_and_the_remedy_named() -> None:
    with pytest.raises(RemedyError, match="MILEPOST_PARTITIONS=6"):
        refuse_other_partitions(spec(), found(partitions=6))


def test_the_report_says_where_nothing_could_be_verified() -> None:
    specs = [spec(name="new"), spec(name="good"), spec(name="mute"), spec(name="off")]
    there = {"good": found(), "mute": found(configs=None), "off": found(replication=2)}
    told = report(["new"], specs, there)
    assert (told.created, told.verified) == (["new"], ["good"])
    assert told.not_verified[0].startswith("mute:") and told.differs[0].startswith("off:")
