"""From settings to services: each function fills one room's config and runs it.

The rooms know nothing of settings, and each is imported only by the command that runs it.
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime

from contract.errors import RemedyError
from milepost.settings import Secret, Settings


async def ingest(settings: Settings, stop: asyncio.Event) -> None:
    """Store records from Kafka in PostgreSQL."""
    from ingest.service import IngestConfig, run

    config = IngestConfig(
        database_url=database_url(settings),
        kafka_servers=kafka_servers(settings),
        instance=settings.instance_name,
    )
    await run(config, stop)


async def judge(settings: Settings, stop: asyncio.Event) -> None:
    """Judge which stations are online."""
    from alerting.judge import JudgeConfig, run

    config = JudgeConfig(
        database_url=database_url(settings),
        kafka_servers=kafka_servers(settings),
        instance=settings.instance_name,
        auto_register=settings.auto_register,
    )
    await run(config, stop)


async def migrate(settings: Settings, stop: asyncio.Event) -> None:
    """Bring the database to the newest schema and say what was done."""
    from store import migrate as migrations
    from store.pool import open_pool

    async with open_pool(database_url(settings), name="migrate", size=1) as pool, pool.acquire() as connection:
        done = await migrations.migrate(connection)
    for migration in done:
        _say(f"applied {migration.version:04d}_{migration.name}")
    _say("the database is at the newest schema")


async def topics(settings: Settings, stop: asyncio.Event) -> None:
    """Create the Kafka topics that are missing and say how the rest differs."""
    from broker.topics import ensure_topics

    report = await ensure_topics(kafka_servers(settings), settings.partitions, settings.kafka_replication)
    for name in report.created:
        _say(f"created {name}")
    for name in report.verified:
        _say(f"as it should be: {name}")
    for line in (*report.differs, *report.not_verified):
        _say(line)


async def import_file(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Import areas or stations; 2 when bad rows stopped it."""
    from registry import importer
    from store.migrate import require_current
    from store.pool import open_pool

    async with open_pool(database_url(settings), name="import", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        report = await importer.import_file(
            connection,
            arguments.what,
            arguments.file,
            now=datetime.now(UTC),
            dry_run=arguments.dry_run,
            skip_bad=arguments.skip_bad,
        )
    _say(report.text)
    return 2 if report.refused else 0


def database_url(settings: Settings) -> str:
    """Raises RemedyError when it is not set; so do the next two."""
    return _require(settings.database_url, "MILEPOST_DATABASE_URL", "postgresql://user:password@host:port/name").value


def kafka_servers(settings: Settings) -> str:
    return _require(Secret(settings.kafka_servers or ""), "MILEPOST_KAFKA_SERVERS", "host:port,host:port").value


def mqtt_url(settings: Settings) -> str:
    return _require(Secret(settings.mqtt_url or ""), "MILEPOST_MQTT_URL", "mqtt://host:port").value


def mqtt_password(settings: Settings) -> str | None:
    """What MILEPOST_MQTT_PASSWORD_FILE holds. Raises RemedyError when it cannot be read."""
    if settings.mqtt_password_file is None:
        return None
    try:
        return settings.mqtt_password_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as exc:
        raise RemedyError(
            f"MILEPOST_MQTT_PASSWORD_FILE names {settings.mqtt_password_file}, which cannot be read: {exc}"
        ) from exc


def _require(value: Secret | None, variable: str, example: str) -> Secret:
    if value is None or not value.value:
        raise RemedyError(f"{variable} is not set: give it as {example}, or run `milepost up`, which brings its own")
    return value


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
