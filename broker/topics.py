"""The Kafka topics: their specification, what exists, and remedies for the differences."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from broker.log_identity import open_admin
from contract.errors import RemedyError
from contract.log import DEADLETTER, LIVE, RECORDS, TRANSITIONS

_DAY: Final = 24 * 60 * 60 * 1000
MAX_MESSAGE_BYTES: Final = 2 * 1024 * 1024
"""Bytes of a Kafka batch: the largest payload as a dead letter (base64, or escaped text), with room to spare."""

_RETENTION: Final = {LIVE: _DAY, RECORDS: 7 * _DAY, TRANSITIONS: 7 * _DAY, DEADLETTER: 30 * _DAY}


class TopicSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The specification of a topic."""

    name: str
    partitions: int
    replication: int
    configs: dict[str, str]


class TopicFound(msgspec.Struct, frozen=True, kw_only=True):
    """An existing topic; `configs` is None when the broker does not report them."""

    partitions: int
    replication: int
    configs: dict[str, str] | None


class TopicReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `ensure_topics` did and found; each text is a sentence for an operator."""

    created: list[str]
    verified: list[str]
    differs: list[str]
    not_verified: list[str]


def topic_table(partitions: int, replication: int) -> list[TopicSpec]:
    """Every topic of Milepost. The dead letters are few and read in order: one partition."""
    return [
        TopicSpec(
            name=name,
            partitions=1 if name == DEADLETTER else partitions,
            replication=replication,
            configs=_configs(retention, replication),
        )
        for name, retention in _RETENTION.items()
    ]


def _configs(retention: int, replication: int) -> dict[str, str]:
    configs = {
        "cleanup.policy": "delete",
        "retention.ms": str(retention),
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        "compression.type": "producer",
    }
    if replication >= 3:
        # One broker may be away: an entry is safe when two others have it.
        configs["min.insync.replicas"] = "2"
    return configs


def refuse_other_partitions(spec: TopicSpec, found: TopicFound) -> None:
    """Raise RemedyError when the number of partitions differs: a station would go on in another partition."""
    if found.partitions != spec.partitions:
        raise RemedyError(
            f"topic {spec.name} has {found.partitions} partitions and MILEPOST_PARTITIONS asks for {spec.partitions}: "
            f"the number is fixed when the topic is created, so set MILEPOST_PARTITIONS={found.partitions}, "
            f"or delete the topic with all that is in it",
            f"主题 {spec.name} 有 {found.partitions} 个分区，MILEPOST_PARTITIONS 要求 {spec.partitions} 个："
            f"分区数在创建主题时确定，请设置 MILEPOST_PARTITIONS={found.partitions}，或删除该主题及其全部内容",
        )


def differences(spec: TopicSpec, found: TopicFound) -> list[str]:
    """A sentence for each difference; empty when there is none."""
    result = []
    if found.replication != spec.replication:
        result.append(
            f"{spec.name}: replication is {found.replication}, expected {spec.replication}: "
            "change it with kafka-reassign-partitions, or set MILEPOST_KAFKA_REPLICATION"
        )
    for key, wanted in spec.configs.items():
        actual = (found.configs or {}).get(key)
        if actual is not None and actual != wanted:
            result.append(
                f"{spec.name}: {key} is {actual}, expected {wanted}: change it with "
                f"kafka-configs --alter --entity-type topics --entity-name {spec.name} --add-config {key}={wanted}"
            )
    return result


def report(created: list[str], specs: list[TopicSpec], found: Mapping[str, TopicFound]) -> TopicReport:
    """The report for the operator. Raises RemedyError when a number of partitions differs."""
    verified, differs, not_verified = [], [], []
    for spec in specs:
        if spec.name in created:
            continue
        there = found[spec.name]
        refuse_other_partitions(spec, there)
        differs.extend(wrong := differences(spec, there))
        if there.configs is None:
            not_verified.append(f"{spec.name}: the broker does not tell a topic's configuration")
        elif not wrong:
            verified.append(spec.name)
    return TopicReport(created=created, verified=verified, differs=differs, not_verified=not_verified)


async def ensure_topics(servers: str, partitions: int, replication: int) -> TopicReport:
    """Create the topics that are missing and verify the rest; nothing that exists is ever changed.

    Raises RemedyError when no broker answers, when a topic cannot be created, or when one has another
    number of partitions.
    """
    specs = topic_table(partitions, replication)
    async with open_admin(servers) as admin:
        before = await _find(admin, specs)
        for spec in specs:
            if spec.name in before:
                refuse_other_partitions(spec, before[spec.name])
        missing = [spec for spec in specs if spec.name not in before]
        created = [spec.name for spec in missing if await _create(admin, spec)]
        found = await _find_all(admin, specs)
    return report(created, specs, found)


async def count_partitions(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """Partitions of each topic; raises RemedyError when one is missing."""
    # Asked for by name, a broker may create what is missing with its own defaults: so look at the list first.
    present = set(await admin.list_topics())
    for name in names:
        if name not in present:
            raise RemedyError(
                f"Kafka has no topic {name}: run `milepost topics`", f"Kafka 没有主题 {name}：请运行 `milepost topics`"
            )
    return {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(list(names))}


async def _create(admin: AIOKafkaAdminClient, spec: TopicSpec) -> bool:
    """Create a topic; false when it exists by now. Raises RemedyError when the broker refuses."""
    topic = NewTopic(spec.name, spec.partitions, spec.replication, topic_configs=spec.configs)
    try:
        response = await admin.create_topics([topic])
        for _, code, *message in response.topic_errors:
            if code:
                raise for_code(code)(message[0] if message and message[0] else None)
    except TopicAlreadyExistsError:
        return False
    except KafkaError as exc:
        raise RemedyError(
            f"topic {spec.name} cannot be created with replication {spec.replication} ({exc}): "
            "set MILEPOST_KAFKA_REPLICATION to no more than the brokers there are",
            f"无法以 {spec.replication} 个副本创建主题 {spec.name}（{exc}）："
            "MILEPOST_KAFKA_REPLICATION 不能多于 Kafka 节点数",
        ) from exc
    return True


async def _find_all(admin: AIOKafkaAdminClient, specs: list[TopicSpec]) -> dict[str, TopicFound]:
    """The existing topics, once all are listed: a new topic appears in the metadata after a moment."""
    for _ in range(100):
        found = await _find(admin, specs)
        if len(found) == len(specs):
            return found
        await asyncio.sleep(0.1)
    names = ", ".join(spec.name for spec in specs if spec.name not in found)
    raise RemedyError(
        f"Kafka created {names} but does not show it: look into the broker's log",
        f"Kafka 创建了 {names} 却没有列出：请查看 Kafka 的日志",
    )


async def _find(admin: AIOKafkaAdminClient, specs: list[TopicSpec]) -> dict[str, TopicFound]:
    present = set(await admin.list_topics())  # see count_partitions
    names = [spec.name for spec in specs if spec.name in present]
    if not names:
        return {}
    described = await admin.describe_topics(names)
    configs = await _describe_configs(admin, names)
    return {
        topic["topic"]: TopicFound(
            partitions=len(topic["partitions"]),
            replication=min((len(part["replicas"]) for part in topic["partitions"]), default=0),
            configs=configs.get(topic["topic"]) if configs else None,
        )
        for topic in described
        if not topic["error_code"]
    }


async def _describe_configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]] | None:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    try:
        responses = await asyncio.wait_for(admin.describe_configs(resources), timeout=10)
    except (KafkaError, TimeoutError, OSError):
        return None
    result = {}
    for response in responses:
        for code, _, _, name, entries in response.resources:
            if code:
                return None
            result[name] = {entry[0]: entry[1] for entry in entries}
    return result if all(result.get(name) for name in names) else None
