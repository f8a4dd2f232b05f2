"""Signed webhooks for other systems, as https://www.standardwebhooks.com specifies them. Pure.

A request carries the id of its message, which is its idempotency key, the time of the attempt, and one signature for
each secret of the address: while a secret is replaced, the receiver may know the old or the new one.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence

import msgspec

from alerting.delivery.sending import PageEnvelope


def signed_headers(secrets: Sequence[bytes], key: str, body: bytes, now: float) -> dict[str, str]:
    """The headers of one attempt; without secrets there is no signature. `key`: the id of the message; `now`: seconds
    since the epoch."""
    at = str(int(now))
    signed = b".".join((key.encode(), at.encode(), body))
    headers = {"webhook-id": key, "webhook-timestamp": at}
    if secrets:
        headers["webhook-signature"] = " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets)
    return headers


def _signature(secret: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def body_of(envelope: PageEnvelope) -> bytes:
    """The document of a message, the same at each attempt: docs/alerts.md describes it."""
    content = envelope.content
    events = content.events
    single = events[0].get("type", "milepost.message") if len(events) == 1 else "milepost.digest"
    document = {
        "type": single if events else "milepost.message",
        "timestamp": events[0].get("at", envelope.at) if events else envelope.at,
        "data": {
            "key": envelope.key,
            "severity": content.severity,
            "language": content.language,
            "title": content.text.title,
            "text": content.text.body,
            "short": content.text.short,
            "link": content.text.link,
            "events": events,
        },
    }
    return msgspec.json.encode(document)
