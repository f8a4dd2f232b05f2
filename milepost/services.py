"""From settings to services: each function builds the configuration of one service and runs the service.

Services do not read settings themselves. Each service is imported only by the command that runs it.
"""

import argparse
import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from contract.errors import RemedyError
from contract.said import Said, said_by
from milepost.language import of_here, show
from milepost.numbers import require_between
from milepost.settings import LINGER, PARTITIONS, Secret, Settings, require, secret_in

if TYPE_CHECKING:
    from alerting.blindspots.settings import BlindSpotSettings
    from alerting.incident_process.service import IncidentsConfig
    from alerting.liveness.model import LivenessSettings
    from broker.ticks.losses import LossSettings

_MAX_DAYS = 400
_MOST_PERSON = 64


async def bridge(settings: Settings, stop: asyncio.Event) -> None:
    """Transfer messages from one MQTT broker to Kafka."""
    from broker.bridge import BridgeConfig, run

    config = BridgeConfig(
        mqtt_url=require(settings.mqtt_url, "MILEPOST_MQTT_URL", "mqtt://host:port"),
        mqtt_password=secret_in(settings.mqtt_password_file, "MILEPOST_MQTT_PASSWORD_FILE"),
        mqtt_ca_file=None if settings.mqtt_ca_file is None else str(settings.mqtt_ca_file),
        kafka_servers=kafka_servers(settings),
        shard=settings.shard,
        bridge=settings.bridge,
        idempotent=settings.kafka_idempotent,
        linger=settings.kafka_linger or LINGER,
        losses=loss_settings(settings),
        terminals=settings.station_terminals,
        metrics_port=settings.metrics_port,
    )
    await run(config, stop)


def loss_settings(settings: Settings) -> "LossSettings":
    """Settings that distinguish losses of the platform from stations that number messages wrongly."""
    from broker.ticks.losses import LossSettings

    return LossSettings(
        window=settings.loss_window,
        settled=settings.loss_settled,
        clean=settings.loss_clean,
        share=settings.loss_share,
        least=settings.loss_least,
        all_share=settings.loss_all_share,
        all_least=settings.loss_all_least,
        named_least=settings.loss_named_least,
        named_of=settings.loss_named_of,
        named_times=settings.loss_named_times,
        named_until=settings.loss_named_until,
    )


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
    """Decide which stations are online."""
    from alerting.liveness.service import JudgeConfig, run

    config = JudgeConfig(
        database_url=database_url(settings),
        kafka_servers=kafka_servers(settings),
        instance=settings.instance_name,
        auto_register=bool(settings.auto_register),
        auto_register_most=settings.auto_register_most,
        liveness=liveness_settings(settings),
    )
    await run(config, stop)


def liveness_settings(settings: Settings) -> "LivenessSettings":
    """Settings that decide when a terminal is offline."""
    from alerting.liveness.model import LivenessSettings
    from alerting.liveness.pipeline_clock import ClockSettings

    return LivenessSettings(
        k=settings.missed_heartbeats,
        floor=settings.floor,
        will_grace=settings.will_grace,
        clock=ClockSettings(longest=settings.longest_tick),
        terminals=settings.station_terminals,
    )


async def health(settings: Settings, stop: asyncio.Event) -> None:
    """Evaluate the health rules on the records of terminals."""
    from alerting.health.service import HealthConfig, run

    config = HealthConfig(
        database_url=database_url(settings),
        kafka_servers=kafka_servers(settings),
        instance=settings.instance_name,
        rules=settings.health_rules,
    )
    await run(config, stop)


async def incidents(settings: Settings, stop: asyncio.Event) -> None:
    """Open and close incidents."""
    from alerting.incident_process.service import run

    await run(incidents_config(settings), stop)


def incidents_config(settings: Settings) -> "IncidentsConfig":
    """The configuration of the incident process."""
    from alerting.aside.rules import AsideSettings
    from alerting.causes.flapping import FlappingSettings
    from alerting.causes.suspicion_rules import MassSettings
    from alerting.incident_process.service import IncidentsConfig
    from alerting.incident_process.stages import PartSettings
    from alerting.seals.rules import SealSettings
    from alerting.station_incidents.cause_settings import CauseSettings
    from alerting.station_incidents.rules import RuleSettings
    from alerting.stations.promise import USUAL

    causes = CauseSettings(
        least=settings.cause_least,
        share=settings.cause_share,
        returned=settings.cause_returned,
        hold=settings.cause_hold,
    )
    flapping = FlappingSettings(
        slots=settings.flapping_slots,
        slot=settings.flapping_slot or USUAL * settings.missed_heartbeats,
        on=settings.flapping_on,
        off=settings.flapping_off,
    )
    return IncidentsConfig(
        database_url=database_url(settings),
        kafka_servers=kafka_servers(settings),
        kafka_idempotent=settings.kafka_idempotent,
        instance=settings.instance_name,
        rules=RuleSettings(
            causes=causes,
            opening_grace=settings.opening_grace,
            never_seen_grace=settings.never_seen_grace,
            unusable_grace=settings.unusable_grace,
        ),
        mass=MassSettings(
            share=settings.mass_share,
            least=settings.mass_least,
            margin=settings.mass_margin,
            missed=settings.missed_heartbeats,
            floor=settings.floor,
        ),
        parts=PartSettings(
            causes=causes,
            flapping=flapping,
            blind_spots=_blind_spots(settings),
            seals=SealSettings(late=settings.seal_late),
            aside=AsideSettings(after=settings.aside_after),
        ),
    )


def _blind_spots(settings: Settings) -> "BlindSpotSettings":
    from alerting.blindspots.settings import BlindSpotSettings, RecordSettings, SilenceSettings

    silence = SilenceSettings(
        never=timedelta(days=settings.blind_never_days),
        dark=timedelta(days=settings.blind_dark_days),
        shut_days=settings.blind_shut_days,
    )
    records = RecordSettings(
        idle=timedelta(days=settings.blind_idle_days),
        stale=timedelta(days=settings.blind_stale_days),
        no_wifi=timedelta(minutes=settings.blind_wifi_minutes),
        absence=timedelta(days=settings.blind_absence_days),
    )
    after = timedelta(minutes=settings.blind_area_minutes)
    return BlindSpotSettings(area_dark=after, least=settings.blind_area_least, silence=silence, records=records)


async def deliver(settings: Settings, stop: asyncio.Event) -> None:
    """Send notifications about incidents."""
    from alerting.delivery.senders.address_target import sender_config
    from alerting.delivery.service import DeliverConfig, run

    config = DeliverConfig(
        database_url=database_url(settings),
        urls=() if settings.alert_urls is None else tuple(settings.alert_urls.value.split()),
        log_path=settings.alert_log,
        public_url=settings.console_url,
        language=settings.language,
        instance=settings.instance_name,
        senders=sender_config(sms=_secret(settings.sms_gateway), mail=_secret(settings.mail_gateway)),
        keep_pages=timedelta(days=settings.pages_days),
        next_channel_after=settings.next_channel_after,
    )
    await run(config, stop)


async def watch(settings: Settings, stop: asyncio.Event) -> None:
    """Send notifications when a part of Milepost stops."""
    from alerting.selfcheck.rules import Pace
    from alerting.selfcheck.service import WatchConfig, run

    config = WatchConfig(
        database_url=database_url(settings),
        kafka_servers=kafka_servers(settings),
        api_url=(settings.api_url or settings.local_url).rstrip("/"),
        pace=Pace(limit=settings.watch_limit),
        urls=() if settings.alert_urls is None else tuple(settings.alert_urls.value.split()),
        log_path=settings.alert_log,
        language=settings.language,
        deadman_url=_secret(settings.deadman_url),
        instance=settings.instance_name,
    )
    await run(config, stop)


async def api(settings: Settings, stop: asyncio.Event) -> None:
    """Serve the HTTP API and the console."""
    from api.service import ApiConfig, run

    token_file = str(settings.admin_token_file or "")
    config = ApiConfig(
        database_url=database_url(settings),
        admin_token_file=Path(require(token_file, "MILEPOST_ADMIN_TOKEN_FILE", "the file with a long random text")),
        host=settings.http_host,
        port=settings.http_port,
        public_url=settings.console_url,
        language=settings.language,
        reopen_after=settings.reopen_after,
        acknowledge_for=settings.acknowledge_for,
        repair_stable=settings.repair_stable,
        instance=settings.instance_name,
        trusted_proxies=tuple(one.strip() for one in (settings.trusted_proxies or "").split(",") if one.strip()),
        fonts=None if settings.fonts is None else str(settings.fonts.absolute()),
    )
    await run(config, stop)


async def migrate(settings: Settings, stop: asyncio.Event) -> None:
    """Upgrade the database to the newest schema and print the applied migrations."""
    from store import migrate as migrations
    from store.pool import open_pool

    async with open_pool(database_url(settings), name="migrate", size=1) as pool, pool.acquire() as connection:
        done = await migrations.migrate(connection)
    for migration in done:
        name = f"{migration.version:04d}_{migration.name}"
        show(Said(f"applied {name}", f"已执行 {name}"))
    show(Said("the database is at the newest schema", "数据库结构已是最新"))


async def topics(settings: Settings, stop: asyncio.Event) -> None:
    """Create missing Kafka topics and print how the others differ."""
    from broker.topics import ensure_topics

    report = await ensure_topics(kafka_servers(settings), settings.partitions or PARTITIONS, settings.kafka_replication)
    for name in report.created:
        show(Said(f"created {name}", f"已创建 {name}"))
    for name in report.verified:
        show(Said(f"as it should be: {name}", f"无需更改：{name}"))
    for line in (*report.differs, *report.not_verified):
        show(line)


async def import_file(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Import one file. Returns exit status 2 if nothing was imported."""
    from access.store import require_acting
    from registry.importing import importer
    from registry.importing.report import ImportOptions
    from store.migrate import require_current
    from store.pool import open_pool

    async with open_pool(database_url(settings), name="import", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        account = await require_acting(connection, arguments.account)
        report = await importer.import_file(
            connection,
            arguments.what,
            arguments.file,
            now=datetime.now(UTC),
            options=ImportOptions(
                dry_run=arguments.dry_run,
                skip_bad=arguments.skip_bad,
                clear_blank=arguments.clear_blank,
                ids_as_written=arguments.ids_as_written,
                places_as_written=arguments.places_as_written,
                language=of_here(),
                account=account,
            ),
        )
    show(report.text)
    return 2 if report.refused else 0


async def export_file(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> None:
    """Write entries of the registry to a new file that `milepost import` reads. Raises RemedyError."""
    from milepost.commands import archive
    from registry.importing import export_store
    from store.migrate import require_current
    from store.pool import open_pool

    async with open_pool(database_url(settings), name="export", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        text = await export_store.export_file(connection, arguments.what)
    with archive.new_file(arguments.file) as file:
        file.write(text.encode())
    show(Said(f"wrote {arguments.file}", f"已写入 {arguments.file}"))


async def announce_restart(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Announce a restart that begins now. Raises RemedyError if the announcement is refused."""
    from access.store import require_acting
    from alerting.pipeline.restarts import LONGEST_RESTART
    from alerting.pipeline.store import AnnouncementRefusedError, announce
    from store.author import Author
    from store.migrate import require_current
    from store.pool import open_pool

    require_between("--minutes", arguments.minutes, 0.1, LONGEST_RESTART / timedelta(minutes=1))
    length = timedelta(minutes=arguments.minutes)
    async with open_pool(database_url(settings), name="announce", size=1) as pool, pool.acquire() as connection:
        await require_current(connection)
        by = Author(
            await require_acting(connection, arguments.account), (arguments.by or "").strip()[:_MOST_PERSON] or None
        )
        try:
            announced = await announce(connection, length, by, arguments.reason)
        except AnnouncementRefusedError as exc:
            raise RemedyError(f"the restart is not announced: {exc}", f"未公告重启：{said_by(exc).zh}") from exc
    until = f"{announced.until_at.astimezone():%H:%M:%S}"
    show(
        Said(
            f"announced until {until}: what is interrupted until then sends no alert",
            f"已公告，至 {until} 为止：其间的中断不发告警",
        )
    )
    return 0


async def schedule(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> None:
    """Print how opening rules are understood, and the coming days."""
    from registry.hours.opening_chinese import rules_of
    from registry.hours.opening_text import ScheduleError
    from registry.hours.schedule_report import describe_rules, today_in

    require_between("--days", arguments.days, 0, _MAX_DAYS)
    rules = rules_of(arguments.rules)
    try:
        show(describe_rules(rules, today_in(rules, datetime.now(UTC)), arguments.days, of_here()))
    except ScheduleError as exc:
        raise RemedyError(f"the rules cannot be read: {exc}", f"无法识别开放时间：{said_by(exc).zh}") from exc


def _secret(value: Secret | None) -> str | None:
    return None if value is None else value.value


def database_url(settings: Settings) -> str:
    """The address of the database. Raises RemedyError if it is not set."""
    return require(_secret(settings.database_url), "MILEPOST_DATABASE_URL", "postgresql://user:password@host:port/name")


def kafka_servers(settings: Settings) -> str:
    """The addresses of the Kafka servers. Raises RemedyError if they are not set."""
    return require(settings.kafka_servers, "MILEPOST_KAFKA_SERVERS", "host:port,host:port")
