"""Sends notifications to JSON webhooks (``json://`` and ``jsons://`` of apprise), with all fields in one document.

apprise reads the URL with all its options. The request is made here, because the document of apprise has a title and a
text only. Errors contain no address, because it may contain a password.
"""

import asyncio
from typing import Any, Final

import httpx
import msgspec
from apprise.plugins.custom_json import NotifyJSON

from alerting.delivery.bot_target import quiet_httpx
from alerting.delivery.bots import MAX_ANSWER
from alerting.delivery.fields import fields_of
from alerting.delivery.retry import target_of
from alerting.delivery.targets import Parcel, SendError

_VERSION: Final = "1.0"


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Address and options of a request. `extras`: fields that the URL adds or renames; an empty name drops a field."""

    url: str
    method: str
    login: tuple[str, str] | None
    headers: dict[str, str]
    params: dict[str, str]
    extras: dict[str, str]
    verify: bool
    redirects: bool

    def __repr__(self) -> str:
        return "Webhook()"


def webhook_of(notifier: Any) -> Webhook | None:
    """The options of a JSON plugin of apprise; None for another plugin."""
    if not isinstance(notifier, NotifyJSON):
        return None
    port = f":{notifier.port}" if isinstance(notifier.port, int) else ""
    return Webhook(
        url=f"{'https' if notifier.secure else 'http'}://{notifier.host}{port}{notifier.fullpath}",
        method=str(notifier.method),
        login=(notifier.user, notifier.password or "") if notifier.user else None,
        headers=notifier.headers,
        params=notifier.params,
        extras=notifier.payload_extras,
        verify=notifier.verify_certificate,
        redirects=bool(notifier.redirects),
    )


def document_of(parcel: Parcel, extras: dict[str, str]) -> dict[str, Any]:
    """The document: the fields of apprise's own document first, then those of the notification."""
    message = parcel.message
    document = {
        "version": _VERSION,
        "title": message.title,
        "message": message.body,
        "attachments": [],
        **fields_of(parcel.key, parcel.at, parcel.facts, message),
    }
    for name, other_name in extras.items():
        if name not in document:
            document[name] = other_name
            continue
        value = document.pop(name)
        if other_name:
            document[other_name] = value
    return document


class WebhookTarget:
    """One receiver. `url`: the address in the setting; `timeout`: seconds for one message."""

    def __init__(self, webhook: Webhook, url: str, timeout: float) -> None:
        self.name = target_of(url)
        self._webhook = webhook
        self._timeout = timeout
        quiet_httpx()

    async def send(self, parcel: Parcel) -> None:
        """Returns when the receiver answers with status 2xx, else raises SendError."""
        try:
            async with asyncio.timeout(self._timeout):
                status = await self._post(parcel)
        except (httpx.ConnectError, httpx.ConnectTimeout) as exc:
            raise SendError("cannot be reached") from exc
        except TimeoutError as exc:
            raise SendError(f"no answer within {self._timeout:g} s") from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            # The text of the error may contain the address, so only its type is shown.
            raise SendError(f"the connection failed ({type(exc).__name__})") from None
        if not 200 <= status < 300:
            raise SendError(f"answered with HTTP status {status}", status)

    async def _post(self, parcel: Parcel) -> int:
        hook = self._webhook
        headers = {"Content-Type": "application/json", "User-Agent": "Milepost", **hook.headers}
        client = httpx.AsyncClient(timeout=self._timeout, verify=hook.verify, follow_redirects=hook.redirects)
        async with (
            client,
            client.stream(
                hook.method,
                hook.url,
                params=hook.params or None,
                headers={**headers, "Idempotency-Key": parcel.key},
                content=msgspec.json.encode(document_of(parcel, hook.extras)),
                auth=hook.login,
            ) as response,
        ):
            await _read(response)
            return response.status_code


async def _read(response: httpx.Response) -> None:
    """Read the answer up to MAX_ANSWER bytes, so that the receiver can finish sending."""
    many = 0
    async for part in response.aiter_bytes():
        many += len(part)
        if many > MAX_ANSWER:
            return
