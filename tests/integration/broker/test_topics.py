"""The topic table against real brokers."""

from pathlib import Path

import pytest

from broker.topics import ensure_topics, topic_table
from contract.errors import RemedyError
from tests.conftest import PARTITIONS
from tests.servers import ApacheKafka, Tansu, why_no_apache_kafka

NAMES = [spec.name for spec in topic_table(1, 1)]


async def test_a_second_run_creates_nothing_and_verifies_all(apache_kafka: ApacheKafka) -> None:
    found = await ensure_topics(apache_kafka.servers, PARTITIONS, 1)
    assert (found.created, found.differs, found.not_verified) == ([], [], [])
    assert found.verified == NAMES


async def test_the_embedded_broker_gets_the_same_topics(tansu: Tansu) -> None:
    tansu.restart()
    assert (await ensure_topics(tansu.servers, PARTITIONS, 1)).created == NAMES
    again = await ensure_topics(tansu.servers, PARTITIONS, 1)
    assert again.created == [] and again.differs == []


@pytest.mark.parametrize("kafka", ["apache_kafka", "tansu"])
async def test_another_number_of_partitions_is_refused_with_the_remedy(
    kafka: str, request: pytest.FixtureRequest
) -> None:
    servers = request.getfixturevalue(kafka).servers
    with pytest.raises(RemedyError, match=f"MILEPOST_PARTITIONS={PARTITIONS}"):
        await ensure_topics(servers, PARTITIONS + 1, 1)


async def test_more_replicas_than_brokers_name_the_setting(apache_kafka: ApacheKafka) -> None:
    from broker.log_identity import open_admin
    from broker.topics import TopicSpec, _create

    async with open_admin(apache_kafka.servers) as admin:
        with pytest.raises(RemedyError, match="MILEPOST_KAFKA_REPLICATION"):
            await _create(admin, TopicSpec(name="too-many", partitions=1, replication=3, configs={}))


async def test_no_broker_is_one_line_with_the_remedy(tansu: Tansu) -> None:
    tansu.kill()
    with pytest.raises(RemedyError, match="MILEPOST_KAFKA_SERVERS"):
        await ensure_topics(tansu.servers, PARTITIONS, 1)


def test_apache_kafka_takes_a_cluster_id_that_begins_with_a_dash(tmp_path: Path) -> None:
    if missing := why_no_apache_kafka():
        pytest.skip(missing)
    kafka = ApacheKafka(tmp_path, cluster_id="-BcDeFgHiJkLmNoPqRsTuQ")
    kafka.command()
    assert "cluster.id=-BcDeFgHiJkLmNoPqRsTuQ" in (tmp_path / "data" / "meta.properties").read_text()
