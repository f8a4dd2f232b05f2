"""Sends a message to an address of any kind: by the bot, the gateway, the webhook or the plugin of its kind."""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Final, Self

import msgspec

from alerting.delivery.bots import KINDS, build_request, read_answer
from alerting.delivery.senders.answers import SenderAnswer, outcome_of_bot, outcome_of_status
from alerting.delivery.senders.apprise_sender_target import AppriseSender
from alerting.delivery.senders.gateways import (
    MAIL_SETTING,
    SMS_SETTING,
    AppriseGateway,
    Gateway,
    HttpGateway,
    SmtpGateway,
    gateway_outcome,
    gateway_request,
    parse_gateway,
)
from alerting.delivery.senders.hiding import hide
from alerting.delivery.senders.http_target import HttpCaller
from alerting.delivery.senders.signature import body_of, signed_headers
from alerting.delivery.senders.sms_text import sms_text
from alerting.delivery.senders.smtp_target import SmtpSender
from alerting.delivery.sending import PageEnvelope, SendOutcome, SendVerdict
from contract.said import SaidError
from registry.contacts.addresses import bot_of, hook_of
from registry.contacts.model import Address, ChannelKind

log = logging.getLogger(__name__)

SEND_TIMEOUT: Final = 15.0
"""Seconds for one attempt."""


class SenderConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The gateways, None where the setting is missing. `timeout`: seconds for one attempt. `origins`: servers of bots
    that stand in for those of their providers."""

    sms: Gateway | None = None
    mail: Gateway | None = None
    timeout: float = SEND_TIMEOUT
    origins: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return "SenderConfig()"


def sender_config(*, sms: str | None, mail: str | None) -> SenderConfig:
    """The configuration by MILEPOST_SMS_GATEWAY and MILEPOST_MAIL_GATEWAY. Raises RemedyError, which names
    the variable."""
    return SenderConfig(
        sms=None if sms is None else parse_gateway(SMS_SETTING, sms),
        mail=None if mail is None else parse_gateway(MAIL_SETTING, mail),
    )


class AddressSender:
    """The `ChannelSender` of alerting/delivery/sending.py. `async with` closes its connections."""

    def __init__(self, config: SenderConfig) -> None:
        self._config = config
        self._http = HttpCaller(config.timeout)
        self._apprise = AppriseSender(config.timeout)
        self._smtp = SmtpSender(config.mail, config.timeout) if isinstance(config.mail, SmtpGateway) else None
        gateways = (gateway for gateway in (config.sms, config.mail) if gateway is not None)
        self._secrets = tuple(secret for gateway in gateways for secret in gateway.secrets)
        bot = self._to_bot
        self._ways: Mapping[ChannelKind, Callable[[Address, PageEnvelope], Awaitable[SendOutcome]]] = {
            ChannelKind.WECOM: bot,
            ChannelKind.DINGTALK: bot,
            ChannelKind.FEISHU: bot,
            ChannelKind.SMS: self._by_sms,
            ChannelKind.MAIL: self._by_mail,
            ChannelKind.WEBHOOK: self._to_webhook,
            ChannelKind.APPRISE: self._by_apprise,
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    async def send(self, address: Address, envelope: PageEnvelope) -> SendOutcome:
        """Make one attempt. What a server answered is in the outcome without the address."""
        try:
            outcome = await self._ways[address.kind](address, envelope)
        except SaidError as exc:
            return SendOutcome(verdict=SendVerdict.REFUSED, why=hide(exc.said.en, address.text), dead=True)
        except Exception as exc:  # one address that breaks must cost only its message
            fields = {"channel": address.kind.value, "error": type(exc).__name__}
            log.error("a message cannot be sent", extra=fields)  # noqa: TRY400 -- the traceback may show the address
            return SendOutcome(verdict=SendVerdict.FAILED, why=f"an error of Milepost ({type(exc).__name__})")
        return msgspec.structs.replace(outcome, why=hide(outcome.why, address.text, *self._secrets))

    async def _to_bot(self, address: Address, envelope: PageEnvelope) -> SendOutcome:
        bot = bot_of(address)
        request = build_request(bot, envelope.content.text, time.time())
        origin = self._config.origins.get(bot.kind, KINDS[bot.kind].origin)
        body = msgspec.json.encode(request.document)
        headers = {"Content-Type": "application/json"}
        answer = await self._http.call("POST", f"{origin}{request.path}", body=body, headers=headers)
        if isinstance(answer, SendOutcome):
            return answer
        return outcome_of_bot(read_answer(bot.kind, answer.status, answer.body))

    async def _to_webhook(self, address: Address, envelope: PageEnvelope) -> SendOutcome:
        hook, body, now = hook_of(address), body_of(envelope), time.time()
        headers = {"Content-Type": "application/json", **signed_headers(hook.secrets, envelope.key, body, now)}
        answer = await self._http.call("POST", hook.url, body=body, headers=headers)
        return outcome_of_status(answer, now) if isinstance(answer, SenderAnswer) else answer

    async def _by_apprise(self, address: Address, envelope: PageEnvelope) -> SendOutcome:
        return await self._apprise.send_to_url(address.text, envelope.content.text, envelope.key)

    async def _by_sms(self, address: Address, envelope: PageEnvelope) -> SendOutcome:
        return await self._by_gateway(self._config.sms, SMS_SETTING, sms_text(envelope.content.text), address, envelope)

    async def _by_mail(self, address: Address, envelope: PageEnvelope) -> SendOutcome:
        if self._smtp is not None:
            return await self._smtp.send_mail(address.text, envelope)
        return await self._by_gateway(self._config.mail, MAIL_SETTING, envelope.content.text.body, address, envelope)

    async def _by_gateway(
        self, gateway: Gateway | None, setting: str, text: str, address: Address, envelope: PageEnvelope
    ) -> SendOutcome:
        message = envelope.content.text
        if isinstance(gateway, HttpGateway):
            values = {"to": address.text, "text": text, "title": message.title, "key": envelope.key}
            request = gateway_request(gateway, values)
            answer = await self._http.call(
                request.method, request.url, body=request.body, headers=request.headers, login=gateway.login
            )
            return gateway_outcome(gateway, answer, time.time()) if isinstance(answer, SenderAnswer) else answer
        if isinstance(gateway, AppriseGateway):
            sent = msgspec.structs.replace(message, body=text, short=text)
            return await self._apprise.send_to_url(gateway.url_for(address.text), sent, envelope.key)
        # Refused, so that the next channel is tried at once; the channel itself may be right.
        return SendOutcome(verdict=SendVerdict.REFUSED, why=f"{setting} is not set", dead=True)
