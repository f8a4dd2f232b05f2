"""The phones of the demo take messages by HTTP, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from milepost import http
from milepost.demo.phones import Phones


@pytest.fixture
async def phones() -> AsyncIterator[Phones]:
    phones = Phones()
    await phones.open()
    yield phones
    await phones.close()


async def said_to(phones: Phones, request: bytes) -> bytes:
    """What is answered to the bytes of a request, until the phone hangs up."""
    parts = urlsplit(phones.address("li"))
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_messages_are_kept_by_contact_in_their_order(phones: Phones) -> None:
    for contact, text in (("li", "one"), ("wang", "two"), ("li", "三")):
        answer = await http.send_json("POST", phones.address(contact), {"data": {"title": text}}, token="x")
        assert answer.status == 204
    assert [message["data"]["title"] for message in phones.messages("li")] == ["one", "三"]
    assert (len(phones.messages("wang")), phones.messages("nobody")) == (1, [])


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"",
        b"POST /li HTTP/1.1\r\n",
        b"POST /li HTTP/1.1\r\n\r\n{}",
        b"POST /li HTTP/1.1\r\nContent-Length: 99\r\n\r\n{}",
        b"POST /li HTTP/1.1\r\nContent-Length: x\r\n\r\n{}",
        b"POST /li HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n{}",
        b"POST /li HTTP/1.1\r\nContent-Length: 1\r\n\r\n{",
    ],
    ids=["nothing", "half a head", "no size", "half a body", "no number", "too large", "no JSON"],
)
async def test_what_is_no_message_gets_no_receipt(phones: Phones, request_bytes: bytes) -> None:
    assert await said_to(phones, request_bytes) == b""
    assert phones.messages("li") == []
