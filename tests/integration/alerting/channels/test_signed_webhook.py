"""Signed webhooks against a receiver that checks them as docs/examples/verify_webhook.py does."""

import base64
import importlib.util
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from alerting.delivery.senders.address_target import AddressSender, SenderConfig
from registry.contacts.addresses import parse_address
from tests.integration.alerting.channels.receivers_kit import EVENT, TEXT, Asked, HttpReceiver, envelope, http_receiver

EXAMPLE = Path(__file__).parents[4] / "docs" / "examples" / "verify_webhook.py"
OLD, NEW, OTHER = (f"whsec_{base64.b64encode(letter * 32).decode()}" for letter in (b"o", b"n", b"x"))


def verify(asked: Asked, secrets: list[str], *, body: bytes | None = None, now: float | None = None) -> Any:
    """The `verify` of the example."""
    spec = importlib.util.spec_from_file_location("verify_webhook", EXAMPLE)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.verify(asked.headers, asked.body if body is None else body, secrets, now)


@pytest.fixture
async def receiver() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as receiver:
        yield receiver


async def asked(receiver: HttpReceiver, *secrets: str) -> Asked:
    text = f"{receiver.url}/in" + (f"#{','.join(secrets)}" if secrets else "")
    async with AddressSender(SenderConfig()) as sender:
        assert (await sender.send(parse_address(text), envelope())).verdict == "taken"
    return receiver.got[-1]


async def test_a_receiver_knows_the_message_by_its_signature(receiver: HttpReceiver) -> None:
    one = await asked(receiver, NEW)
    document = verify(one, [NEW])
    assert document == {
        "type": "milepost.incident.opened",
        "timestamp": "2026-11-28T08:00:00Z",
        "data": {
            "key": envelope().key,
            "severity": "warning",
            "language": "zh-CN",
            "title": TEXT.title,
            "text": TEXT.body,
            "short": TEXT.short,
            "link": TEXT.link,
            "events": [EVENT],
        },
    }
    assert one.headers["webhook-id"] == envelope().key
    assert one.path == "/in", "the secrets are not sent"
    assert "whsec" not in str(one)


async def test_while_a_secret_is_replaced_the_old_and_the_new_one_are_right(receiver: HttpReceiver) -> None:
    one = await asked(receiver, NEW, OLD)
    assert verify(one, [OLD]) == verify(one, [NEW]) == verify(one, [OTHER, NEW])


async def test_what_is_changed_old_or_of_another_is_found(receiver: HttpReceiver) -> None:
    one = await asked(receiver, NEW)
    with pytest.raises(ValueError, match="the signature is wrong"):
        verify(one, [OTHER])
    with pytest.raises(ValueError, match="the signature is wrong"):
        verify(one, [NEW], body=one.body.replace(b"warning", b"info"))
    with pytest.raises(ValueError, match="too old"):
        verify(one, [NEW], now=time.time() + 301)
    with pytest.raises(ValueError, match="'webhook-signature' is missing"):
        verify(await asked(receiver), [NEW])


async def test_a_repetition_has_the_same_id_and_document(receiver: HttpReceiver) -> None:
    first, second = await asked(receiver, NEW), await asked(receiver, NEW)
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert json.loads(first.body)["data"]["key"] == first.headers["webhook-id"]
