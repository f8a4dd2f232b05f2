"""Translates an MQTT message for the log: an entry, a dead letter, or both, and what to acknowledge afterwards.

Pure. A payload that was decoded and found valid is copied as it came into the JSON of the entry; to encode it again
would take ten times as long. The hot path (`translate`) stays in one function for speed.
"""

import base64
from typing import Annotated, Final, Literal

import msgspec

from broker.partition import partition_of
from broker.ticks.census import Census
from contract.clocks import WallMs
from contract.codec import (
    decode_data,
    decode_heartbeat,
    decode_record,
    decode_reply,
    decode_status,
    encode,
    record_id,
)
from contract.log import LIVE, RECORDS, AcceptedData, DeadLetter
from contract.messages import MAX_PAYLOAD, MAX_RECORDS, MOST_TERMINALS, Data, Name
from contract.refusal import Reason, RefusedError, too_many_terminals
from contract.topics import DOWN_CHANNELS, Topic, parse_topic

MAX_TOPIC: Final = 512
"""Characters of a topic that a dead letter keeps; an MQTT topic may have 65,535."""
MAX_DETAIL: Final = 2_000
"""Characters of a dead letter's detail: room for some ten refused records."""
MOST_RECORDS: Final = 10 * MAX_RECORDS
"""Most records of a data message that are checked one by one: 100,000 of them would delay all other messages."""
_CACHED_ROUTES: Final = 200_000
_CACHED_FRAMES: Final = 10_000


class Receipt(msgspec.Struct, frozen=True):
    """Record ids of a box, to be acknowledged to the terminal once everything of the message is safe."""

    station: str
    terminal: str
    box: str
    ids: tuple[int, ...]


class LogEntry(msgspec.Struct, frozen=True, gc=False):
    """What is appended to a partition of `milepost.live` or `milepost.records`."""

    topic: str
    partition: int
    key: bytes
    value: bytes


class Translation(msgspec.Struct, frozen=True):
    """The result for one message. Neither entry nor dead letter: the message goes to a terminal and is not carried."""

    entry: LogEntry | None = None
    letter: DeadLetter | None = None
    receipt: Receipt | None = None


class _TopicRoute(msgspec.Struct, frozen=True, gc=False):
    """The destination of messages of one MQTT topic; cached, because a terminal uses the same few topics for years."""

    channel: str
    station: str
    terminal: str
    partition: int
    key: bytes
    frame: bytes


class Translator:
    """Turns messages into entries; `shard` and `start` are this bridge's, `partitions` the log's.

    Heartbeats and statuses are counted in the `census`. A station may use the names of at most `terminals` terminals;
    they are counted for as long as its routes are cached.
    """

    def __init__(
        self,
        *,
        shard: str,
        start: str,
        partitions: int,
        census: Census | None = None,
        terminals: int = MOST_TERMINALS,
    ) -> None:
        self._shard = shard
        self._start = start
        self._partitions = partitions
        self._census = census or Census()
        self._terminals = terminals
        self._routes: dict[str, _TopicRoute] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._frames: dict[tuple[str, str], bytes] = {}
        self._stamp = b""
        self._stamped = (-1, -1)

    def translate(self, topic: str, payload: bytes, *, retain: bool, received: int, mono: int) -> Translation:
        """Times in ms as in `contract.log`. Never raises for what a message contains."""
        route = self._routes.get(topic)
        if route is None:
            try:
                route = self._route(topic)
            except RefusedError as exc:
                return Translation(letter=self._letter(topic, payload, exc, received))
        channel = route.channel
        try:
            if channel == "heartbeat":  # nearly all of them
                body = decode_heartbeat(payload)
                if not retain:
                    self._census.note_heartbeat(route.station, route.terminal, body, mono)
            elif channel == "data":
                return self._data(topic, route, payload, received, mono)
            elif channel in DOWN_CHANNELS:
                return _NOTHING
            elif channel == "status":
                status = decode_status(payload)
                if not retain:
                    self._census.note_status(route.station, route.terminal, status)
            else:
                decode_reply(payload)
        except RefusedError as exc:
            return Translation(letter=self._letter(topic, payload, exc, received))
        return Translation(
            self._entry(route, payload, retain=retain and channel != "reply", received=received, mono=mono)
        )

    def _route(self, topic: str) -> _TopicRoute:
        parsed = parse_topic(topic)
        if len(self._routes) >= _CACHED_ROUTES:
            self._routes.clear()
            self._names.clear()
        if parsed.channel not in DOWN_CHANNELS:
            self._note_name(parsed)
        route = self._routes[topic] = _TopicRoute(
            parsed.channel,
            parsed.station,
            parsed.terminal,
            partition_of(parsed.station, self._partitions),
            parsed.station.encode(),
            self._frame(parsed),
        )
        return route

    def _note_name(self, topic: Topic) -> None:
        """Count a terminal name. Raises RefusedError when its station has too many."""
        names = self._names.get(topic.station, ())
        if topic.terminal in names:
            return
        if len(names) >= self._terminals:
            raise RefusedError(Reason.TOO_MANY_TERMINALS, too_many_terminals(topic.station, self._terminals))
        self._names[topic.station] = (*names, topic.terminal)

    def _frame(self, topic: Topic) -> bytes:
        """The beginning of every entry of this channel and terminal; one object for all stations."""
        key = (topic.channel, topic.terminal)
        frame = self._frames.get(key)
        if frame is None:
            if len(self._frames) >= _CACHED_FRAMES:
                self._frames.clear()
            head = {"channel": topic.channel, "terminal": topic.terminal, "shard": self._shard, "start": self._start}
            frame = self._frames[key] = encode(head)[:-1]
        return frame

    def _entry(self, route: _TopicRoute, body: bytes, *, retain: bool, received: int, mono: int) -> LogEntry:
        if (received, mono) != self._stamped:
            self._stamped = (received, mono)
            self._stamp = b',"received":%d,"mono":%d,"body":' % (received, mono)
        parts = (route.frame, b',"retain":true' if retain else b"", self._stamp, body, b"}")
        live = route.channel in ("heartbeat", "status")
        return LogEntry(LIVE if live else RECORDS, route.partition, route.key, b"".join(parts))

    def _data(self, topic: str, route: _TopicRoute, payload: bytes, received: int, mono: int) -> Translation:
        try:
            data = decode_data(payload)
            _refuse_too_many(data.records)
        except RefusedError as exc:
            whole = self._letter(topic, payload, exc, received)
            return Translation(letter=whole, receipt=_salvage(route, payload, exc.reason))
        good, refused = _sort(data.records)
        receipt = _receipt(route, data.box, data.records)
        letter = self._records_letter(topic, refused, received) if refused else None
        if not good and refused:
            return Translation(letter=letter, receipt=receipt)
        body = payload if not refused else encode(_accepted(data, good))
        entry = self._entry(route, body, retain=False, received=received, mono=mono)
        return Translation(entry, letter, receipt)

    def _letter(self, topic: str, payload: bytes, why: RefusedError, at: int) -> DeadLetter:
        return dead_letter(topic, payload, str(why.reason), why.detail, shard=self._shard, at=at)

    def _records_letter(self, topic: str, refused: "list[tuple[msgspec.Raw, RefusedError]]", at: int) -> DeadLetter:
        """One dead letter for all refused records of a message; its payload is a JSON list of them."""
        detail = "; ".join(f"record {_name(raw)}: {why.reason}: {why.detail}" for raw, why in refused[:20])
        if len(refused) > 20:
            detail += f"; and {len(refused) - 20} more"
        payload = b"[" + b",".join(bytes(raw) for raw, _ in refused) + b"]"
        reason = str(refused[0][1].reason)
        return dead_letter(topic, payload, reason, detail, shard=self._shard, at=at, refused=len(refused))


_NOTHING: Final = Translation()


def _refuse_too_many(records: list[msgspec.Raw]) -> None:
    if len(records) > MOST_RECORDS:
        detail = f"records: {len(records)} of them; a data message holds {MAX_RECORDS}: send fewer a message"
        raise RefusedError(Reason.OUT_OF_RANGE, detail)


def _sort(records: list[msgspec.Raw]) -> tuple[list[msgspec.Raw], list[tuple[msgspec.Raw, RefusedError]]]:
    good: list[msgspec.Raw] = []
    refused = []
    for raw in records:
        try:
            decode_record(raw)
        except RefusedError as exc:
            refused.append((raw, exc))
        else:
            good.append(raw)
    return good, refused


def _accepted(data: Data, records: list[msgspec.Raw]) -> AcceptedData:
    return AcceptedData(boot=data.boot, run=data.run, at=data.at, up=data.up, box=data.box, records=records)


def _receipt(route: _TopicRoute, box: str, records: list[msgspec.Raw]) -> Receipt | None:
    ids = tuple(number for raw in records if (number := _valid_id(raw)) is not None)
    return Receipt(route.station, route.terminal, box, ids) if ids else None


def _valid_id(raw: msgspec.Raw) -> int | None:
    number = record_id(raw)
    return number if number is not None and 0 <= number < 2**63 - 1 else None


def _name(raw: msgspec.Raw) -> str:
    number = record_id(raw)
    return "without an id" if number is None else str(number)


class _Envelope(msgspec.Struct):
    """The fields of a refused data message that are needed to acknowledge its records."""

    v: Literal[1]
    box: Name
    records: list[msgspec.Raw]


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


def _salvage(route: _TopicRoute, payload: bytes, reason: Reason) -> Receipt | None:
    """The ids of a data message that is refused as a whole: it is kept as a dead letter, so it need not be sent again.

    None for a message that is too large, of which the letter keeps only a part, and for an unknown version.
    """
    if reason is Reason.TOO_LARGE:
        return None
    try:
        envelope = _ENVELOPE.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return _receipt(route, envelope.box, envelope.records)


def dead_letter(
    topic: str, payload: bytes, reason: str, detail: str, *, shard: str, at: int, refused: int = 0
) -> DeadLetter:
    """A dead letter of bounded size. The payload is text if that is readable and not longer than base64."""
    text, encoding = _readable(payload[:MAX_PAYLOAD])
    return DeadLetter(
        topic=_clean(topic, MAX_TOPIC),
        reason=reason,
        detail=_clean(detail, MAX_DETAIL),
        shard=shard,
        at=WallMs(at),
        size=len(payload),
        payload=text,
        encoding=encoding,
        refused=refused,
    )


def _readable(payload: bytes) -> tuple[str, Annotated[str, "text or base64"]]:
    try:
        text = payload.decode()
    except UnicodeDecodeError as exc:
        # A character that is cut in two at the limit does not make the text unreadable.
        cut = len(payload) == MAX_PAYLOAD and exc.reason == "unexpected end of data"
        if not cut:
            return base64.b64encode(payload).decode(), "base64"
        text = payload[: exc.start].decode()
    # PostgreSQL stores no U+0000; other control characters grow sixfold in JSON.
    if sum(map(payload.count, _CONTROL)) * 15 > len(payload) or "\0" in text:
        return base64.b64encode(payload).decode(), "base64"
    return text, "text"


_CONTROL: Final = [bytes([code]) for code in range(32) if code not in b"\t\n\r"]


def _clean(text: str, limit: int) -> str:
    text = text.replace("\0", "\\0")
    return text if len(text) <= limit else text[: limit - 1] + "…"
