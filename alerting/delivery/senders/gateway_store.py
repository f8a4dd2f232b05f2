"""Warns at the start of a process of channels whose gateway is missing."""

import logging
from typing import Final

from alerting.delivery.senders.address_target import SenderConfig
from alerting.delivery.senders.gateways import MAIL_SETTING, SMS_SETTING
from registry.contacts.model import ChannelKind
from store.pool import Connection
from store.sql import queries_beside

log = logging.getLogger(__name__)

QUERIES: Final = queries_beside(__file__)


async def warn_of_missing_gateways(connection: Connection, config: SenderConfig) -> None:
    """Log for each missing gateway how many contacts have channels that need it."""
    gateways = ((ChannelKind.SMS, SMS_SETTING, config.sms), (ChannelKind.MAIL, MAIL_SETTING, config.mail))
    for kind, setting, gateway in gateways:
        many = 0 if gateway is not None else await connection.fetchval(QUERIES.count_channels, kind)
        if many:
            log.warning("channels of contacts are refused: set %s", setting, extra={"channel": kind, "contacts": many})
