"""Reads and writes the tables of health: memories, firing rules, their changes, and the facts of terminals."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import msgspec

from alerting.health.evaluate import RuleDecision
from alerting.health.facts import TerminalFacts
from alerting.health.memory import HealthMemory
from store.pool import Connection
from store.sql import queries_beside

QUERIES = queries_beside(__file__)

Key = tuple[str, str]
"""(station, terminal)"""
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE: Final = msgspec.msgpack.Decoder(HealthMemory).decode
log = logging.getLogger(__name__)


class HeardTerminal(msgspec.Struct):
    """A terminal with a message in this batch. `heard`: the newest receipt, ms; `facts`: whether its facts changed."""

    partition: int
    memory: HealthMemory
    heard: int = 0
    facts: bool = False


class TerminalDecision(msgspec.Struct, frozen=True):
    """A decision about the terminal `key`, by a message received at `at` (ms)."""

    key: Key
    partition: int
    at: int
    decision: RuleDecision

    @property
    def subject(self) -> tuple[str, str, str, str]:
        """(station, terminal, rule, subject): the key of the table health_state."""
        return (*self.key, self.decision.name, self.decision.subject)


async def load_partition(connection: Connection, partition: int, rules: Collection[str]) -> tuple[int, list[Key]]:
    """The last number among the changes of a partition, and the terminals for which a rule not in `rules` fires."""
    seq: int = await connection.fetchval(QUERIES.last_seq, partition)
    rows = await connection.fetch(QUERIES.firing_other_rules, partition, sorted(rules))
    return seq, [(row["station"], row["terminal"]) for row in rows]


async def fetch_memories(connection: Connection, keys: Collection[Key]) -> dict[Key, HealthMemory]:
    """The stored memories of these terminals; terminals without one are left out."""
    if not keys:
        return {}
    rows = await connection.fetch(QUERIES.fetch_memories, *zip(*keys, strict=True))
    return {(row["station"], row["terminal"]): _read_memory(row) for row in rows}


def _read_memory(row: asyncpg.Record) -> HealthMemory:
    """The memory of a row, or an empty one if it cannot be read: rules fire again with the next records."""
    try:
        return _DECODE(row["memory"])
    except (msgspec.DecodeError, ValueError) as exc:
        log.error(  # noqa: TRY400 -- the text of the error says enough
            "the health memory of a terminal cannot be read and begins anew",
            extra={"station": row["station"], "terminal": row["terminal"], "error": str(exc)},
        )
        return HealthMemory()


async def fetch_places(
    connection: Connection, stations: Collection[str]
) -> dict[str, tuple[str | None, tuple[str, ...]]]:
    """Kind and path of areas of the stations that are registered."""
    rows = await connection.fetch(QUERIES.fetch_places, list(stations))
    return {row["id"]: (row["kind"], tuple(row["path"])) for row in rows}


async def save_batch(
    connection: Connection,
    heard: Mapping[Key, HeardTerminal],
    decisions: Sequence[TerminalDecision],
    sequences: Mapping[int, int],
) -> dict[int, int]:
    """Store the results of a batch in the transaction of the caller. Returns the last number of changes by
    partition."""
    await _save_memories(connection, heard)
    changed = {key: each for key, each in heard.items() if each.facts}
    if changed:
        await connection.execute(QUERIES.save_facts, *_columns(facts_row(*item) for item in changed.items()))
    await _save_states(connection, decisions)
    return await _save_changes(connection, [each for each in decisions if not each.decision.moved], sequences)


async def _save_memories(connection: Connection, heard: Mapping[Key, HeardTerminal]) -> None:
    if heard:
        rows = [(*key, _ENCODE(each.memory), each.heard) for key, each in heard.items()]
        await connection.execute(QUERIES.save_memories, *_columns(rows))


def facts_row(key: Key, each: HeardTerminal) -> tuple[Any, ...]:
    """A row of terminal_facts."""
    facts: TerminalFacts = each.memory.facts
    times = (facts.wifi_since, facts.last_session_at, facts.resource_at, facts.first_at)
    return (*key, each.partition, facts.agent, facts.serial, facts.wifi, *map(_time, times))


async def _save_states(connection: Connection, decisions: Sequence[TerminalDecision]) -> None:
    last = {each.subject: each for each in decisions}
    over = [subject for subject, each in last.items() if not each.decision.firing]
    if over:
        await connection.execute(QUERIES.end_states, *_columns(over))
    firing = [_state(each) for each in last.values() if each.decision.firing]
    if firing:
        await connection.execute(QUERIES.save_states, *_columns(firing))


def _state(each: TerminalDecision) -> tuple[Any, ...]:
    found = each.decision
    return (*each.subject, each.partition, *_of_rule(found), found.value, _time(found.since), _time(found.as_of))


def _of_rule(found: RuleDecision) -> tuple[str | None, str | None, float | None]:
    rule = found.rule
    return (None, None, None) if rule is None else (rule.field, rule.severity, rule.threshold)


def change_row(each: TerminalDecision, seq: int) -> tuple[Any, ...]:
    """A row of health_change."""
    found = each.decision
    times = (_time(found.since), _time(found.as_of), _time(each.at / 1000))
    place = (each.partition, seq, *each.subject, found.firing)
    return (*place, *_of_rule(found), found.value, *times, found.reason)


async def _save_changes(
    connection: Connection, decisions: Sequence[TerminalDecision], sequences: Mapping[int, int]
) -> dict[int, int]:
    counted = dict(sequences)
    rows = []
    for each in decisions:
        counted[each.partition] += 1
        rows.append(change_row(each, counted[each.partition]))
    if rows:
        await connection.execute(QUERIES.insert_changes, *_columns(rows))
        await connection.execute(QUERIES.notify_changes)
    return counted


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _columns(rows: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
    return list(zip(*rows, strict=True))
