"""`milepost notify`: sends test messages to a contact."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import datetime

from alerting.channels.answer_words import answer_in
from alerting.delivery.senders.address_target import AddressSender, sender_config
from alerting.delivery.senders.trial_store import TrialResult, load_trial, try_channel
from alerting.delivery.sending import SendVerdict
from contract.home import HOME
from contract.said import Said
from milepost.commands.account_database import required_url, table, word_of
from milepost.language import show
from milepost.settings import Settings
from store.author import OPERATOR, Author
from store.migrate import require_current
from store.pool import open_pool


async def run(settings: Settings, stop: asyncio.Event, arguments: argparse.Namespace) -> int:
    """Send a test message through each channel of a contact, or through one. Returns 0 if one was taken, else 1. Raises
    RemedyError."""
    url = required_url(settings.database_url)
    config = sender_config(
        sms=None if settings.sms_gateway is None else settings.sms_gateway.value,
        mail=None if settings.mail_gateway is None else settings.mail_gateway.value,
    )
    link, results = settings.console_url, list[TrialResult]()
    async with (
        open_pool(url, name="notify", size=1) as pool,
        pool.acquire() as connection,
        AddressSender(config) as sender,
    ):
        await require_current(connection)
        contact, channels = await load_trial(connection, arguments.contact, arguments.channel)
        for channel in channels:
            results.append(
                await try_channel(connection, sender, contact, channel, link=link, by=Author(account=OPERATOR))
            )
    show(table(_rows(results)))
    return 0 if any(result.outcome.verdict == SendVerdict.TAKEN for result in results) else 1


def _rows(results: Sequence[TrialResult]) -> list[tuple[Said | str, ...]]:
    head = (Said("NUMBER", "序号"), Said("CHANNEL", "渠道"), Said("RESULT", "结果"), Said("WHY", "说明"))
    return [head, *(_row(result) for result in results)]


def _row(result: TrialResult) -> tuple[Said | str, ...]:
    why = Said(result.outcome.why, answer_in(result.outcome.why, "zh-CN"))
    if result.waits_until is not None:
        at = _time(result.waits_until)
        why = Said(f"not sent: its limit allows nothing before {at}", f"未发送：{at} 之前已达到发送限额")
    return (
        str(result.place),
        word_of("channel", result.kind),
        word_of("outcome", result.outcome.verdict),
        why,
    )


def _time(at: datetime) -> str:
    """A time in Beijing time."""
    return at.astimezone(HOME).strftime("%H:%M:%S")
