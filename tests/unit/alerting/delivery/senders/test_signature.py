"""The signatures of webhooks are those of the specification."""

import base64
import json
from datetime import UTC, datetime

from alerting.delivery.facts import AlertMessage
from alerting.delivery.senders.signature import body_of, signed_headers
from alerting.delivery.sending import MessageContent, PageEnvelope

# The example of the specification's own libraries.
SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
BODY = b'{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_signature_is_that_of_the_specification() -> None:
    headers = signed_headers([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", BODY, 1614265330.9)
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNED,
    }


def test_each_secret_signs_and_none_does_not() -> None:
    both = signed_headers([b"x" * 24, SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", BODY, 1614265330)
    first, second = both["webhook-signature"].split(" ")
    assert first != second == SIGNED
    assert "webhook-signature" not in signed_headers([], "k", BODY, 0)


def envelope(*events: dict[str, object], number: int = 1) -> PageEnvelope:
    content = MessageContent(
        text=AlertMessage(title="T", body="B", short="S", link="L"),
        language="en",
        severity="critical",
        events=list(events),
    )
    return PageEnvelope(key="k", at=datetime(2026, 11, 28, 8, number, tzinfo=UTC), number=number, content=content)


def test_the_document_names_one_event_or_a_digest() -> None:
    one = {"type": "milepost.incident.opened", "at": "2026-11-28T07:00:00Z", "incident": 1}
    said = json.loads(body_of(envelope(one)))
    assert (said["type"], said["timestamp"], said["data"]["events"]) == (one["type"], one["at"], [one])
    assert said["data"] | {"events": []} == {
        "key": "k", "severity": "critical", "language": "en", "title": "T", "text": "B", "short": "S", "link": "L",
        "events": [],
    }  # fmt: skip
    assert json.loads(body_of(envelope(one, one)))["type"] == "milepost.digest"
    assert json.loads(body_of(envelope()))["type"] == "milepost.message"


def test_each_attempt_has_the_same_document() -> None:
    one = {"type": "milepost.incident.opened", "at": "2026-11-28T07:00:00Z"}
    assert body_of(envelope(one)) == body_of(envelope(one, number=2))
