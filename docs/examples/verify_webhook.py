"""Checks the signature of a webhook of Milepost, as https://www.standardwebhooks.com describes it.

Only the standard library is needed. Call `verify` with the headers and the raw bytes of the body, before JSON is read.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

TOLERANCE = 300
"""Seconds that the time of a message may differ from the clock: an old message may be a copy that somebody kept."""


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: float | None = None) -> Any:
    """The document of a message. Raises ValueError if it is not signed with one of the secrets (`whsec_…`).

    The names of `headers` are in lower case. The header `webhook-id` is the same each time a message is sent again:
    keep those of the last days, and answer a message that you have with status 200.
    """
    try:
        message, sent = headers["webhook-id"], headers["webhook-timestamp"]
        given = headers["webhook-signature"].split(" ")
    except KeyError as exc:
        raise ValueError(f"the header {exc} is missing") from exc
    if abs((time.time() if now is None else now) - int(sent)) > TOLERANCE:
        raise ValueError("the message is too old, or one of the clocks is wrong")
    signed = b".".join((message.encode(), sent.encode(), body))
    wanted = [_signature(secret, signed) for secret in secrets]
    if not any(hmac.compare_digest(one, other) for one in given for other in wanted):
        raise ValueError("the signature is wrong")
    return json.loads(body)


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
