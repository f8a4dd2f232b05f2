"""Decode and encode messages. A message that breaks the contract raises a `RefusedError` with the remedy."""

import re
from collections.abc import Sequence
from typing import Final, NoReturn, TypeVar

import msgspec

from contract.messages import (
    KINDS,
    MAX_PAYLOAD,
    Ack,
    Command,
    Config,
    Data,
    Event,
    Heartbeat,
    Record,
    Reply,
    Status,
)
from contract.refusal import Reason, RefusedError

_T = TypeVar("_T")

_ENCODER: Final = msgspec.json.Encoder()
encode = _ENCODER.encode
"""Encode a message of the contract as JSON bytes."""

_HEARTBEAT: Final = msgspec.json.Decoder(Heartbeat)
_STATUS: Final = msgspec.json.Decoder(Status)
_DATA: Final = msgspec.json.Decoder(Data)
_REPLY: Final = msgspec.json.Decoder(Reply)
_ACK: Final = msgspec.json.Decoder(Ack)
_COMMAND: Final = msgspec.json.Decoder(Command)
_CONFIG: Final = msgspec.json.Decoder(Config)
_RECORD: Final[msgspec.json.Decoder[Record]] = msgspec.json.Decoder(Record)


class _JustId(msgspec.Struct):
    id: int


_ID: Final = msgspec.json.Decoder(_JustId)
MAX_DEPTH: Final = 32
"""Maximum depth of nested lists and objects in a value of any type."""
# Deep nesting raises a RecursionError, an integer of thousands of digits a plain ValueError.
_UNREADABLE: Final = (msgspec.DecodeError, RecursionError, ValueError)
# Matches the escape itself, not the end of an escaped backslash.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
# The search for this one byte comes first: it is ten times as fast, and few messages contain it.
_BACKSLASH: Final = ord("\\")
_NUL_IS: Final = "has the character U+0000, which cannot be stored: leave it out"
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$?\.?(?P<path>.*)`)?$", re.DOTALL)


class _Label(msgspec.Struct):
    """Version and kind, raw, to name a wrong one."""

    v: msgspec.Raw = msgspec.Raw()
    kind: msgspec.Raw = msgspec.Raw()


_LABEL: Final = msgspec.json.Decoder(_Label)


def decode_heartbeat(payload: bytes) -> Heartbeat:
    """Decode the payload of a `heartbeat` message. Raises RefusedError."""
    return _decode(_HEARTBEAT, payload)


def decode_status(payload: bytes) -> Status:
    """Decode the payload of a `status` message. Raises RefusedError."""
    return _decode(_STATUS, payload)


def decode_data(payload: bytes) -> Data:
    """Decode the envelope of a `data` message; its records stay raw (see `decode_record`). Raises RefusedError."""
    _require_text(payload)
    data = _read(_DATA, payload)
    if "\0" in data.boot + data.box:
        raise RefusedError(Reason.NUL_CHARACTER, f"boot or box {_NUL_IS}")
    return data


def decode_reply(payload: bytes) -> Reply:
    """Decode the payload of a `reply` message. Raises RefusedError."""
    reply = _decode(_REPLY, payload)
    if reply.result is not msgspec.UNSET:
        _require_storable("result", reply.result)
    return reply


def decode_ack(payload: bytes) -> Ack:
    """Decode the payload of a `ack` message. Raises RefusedError."""
    return _decode(_ACK, payload)


def decode_command(payload: bytes) -> Command:
    """Decode the payload of a `command` message. Raises RefusedError."""
    return _decode(_COMMAND, payload)


def decode_config(payload: bytes) -> Config:
    """Decode the payload of a `config` message. Raises RefusedError."""
    return _decode(_CONFIG, payload)


def decode_record(raw: msgspec.Raw | bytes) -> Record:
    """Decode one record of a data message that `decode_data` accepted. Raises RefusedError."""
    text = bytes(raw)
    _require_no_nul(text)
    record = _read(_RECORD, text)
    if isinstance(record, Event):
        _require_storable("detail", record.detail)
    return record


def record_id(raw: msgspec.Raw | bytes) -> int | None:
    """The id of a record, also of a refused one, which is acknowledged too. None if the id is unreadable."""
    try:
        return _ID.decode(raw).id
    except _UNREADABLE:
        return None


def ranges(ids: Sequence[int]) -> list[tuple[int, int]]:
    """The ids as closed ranges in ascending order: [101, 102, 103, 150] gives [(101, 103), (150, 150)]."""
    result: list[tuple[int, int]] = []
    for number in sorted(set(ids)):
        if result and result[-1][1] == number - 1:
            result[-1] = (result[-1][0], number)
        else:
            result.append((number, number))
    return result


def _decode(decoder: msgspec.json.Decoder[_T], payload: bytes) -> _T:
    _require_text(payload)
    _require_no_nul(payload)
    return _read(decoder, payload)


def _read(decoder: msgspec.json.Decoder[_T], payload: bytes) -> _T:
    try:
        return decoder.decode(payload)
    except _UNREADABLE as exc:
        _refuse(payload, exc, is_record=decoder is _RECORD)


def _require_text(payload: bytes) -> None:
    if len(payload) > MAX_PAYLOAD:
        raise RefusedError(
            Reason.TOO_LARGE,
            f"{len(payload)} bytes; a payload may have {MAX_PAYLOAD}: send fewer records a message",
        )
    if not payload.isascii():
        _require_utf8(payload)


def _require_no_nul(text: bytes) -> None:
    if _BACKSLASH in text and b"\\u0000" in text and _NUL.search(text):
        raise RefusedError(Reason.NUL_CHARACTER, f"the text {_NUL_IS}")


def _require_utf8(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError as exc:
        raise RefusedError(Reason.NOT_UTF8, f"byte {exc.start} is not UTF-8") from exc


def _require_storable(path: str, value: object, depth: int = 1) -> None:
    """Refuse a value that does not fit a JSON column: nested too deeply, or with integers of more than 64 bits."""
    if depth > MAX_DEPTH:
        raise RefusedError(Reason.OUT_OF_RANGE, f"{path}: nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict):
        for key, inner in value.items():
            _require_storable(f"{path}.{key}"[:80], inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _require_storable(f"{path}[...]"[:80], inner, depth + 1)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise RefusedError(Reason.OUT_OF_RANGE, f"{path}: the integer does not fit 64 bits")


def _refuse(payload: bytes, exc: Exception, *, is_record: bool) -> NoReturn:
    """Raise the RefusedError for an error of the decoder."""
    if isinstance(exc, RecursionError):
        raise RefusedError(Reason.BAD_JSON, "nested too deeply") from exc
    if not isinstance(exc, msgspec.ValidationError):
        raise RefusedError(Reason.BAD_JSON, _plainly(exc)) from exc
    _refuse_label(payload, exc, is_record=is_record)
    match = _WHERE.match(str(exc))
    what, path = (match["what"], match["path"] or "") if match else (str(exc), "")
    path = path.replace("` in `$.", " of ")
    if what.startswith("Object missing required field"):
        name = what.split("`")[1]
        field = f"{path}.{name}" if path else name
        raise RefusedError(Reason.MISSING_FIELD, f"{field} is missing") from exc
    reason = Reason.OUT_OF_RANGE if _is_range(what) else Reason.WRONG_TYPE
    raise RefusedError(reason, f"{path}: {what}" if path else what) from exc


def _plainly(exc: Exception) -> str:
    if isinstance(exc, RecursionError):
        return "nested too deeply"
    text = str(exc)
    # msgspec reports half a surrogate pair with the same message as a truncated text.
    return f"{text} (or half a surrogate pair)" if "truncated" in text or "hex escape" in text else text


def _is_range(what: str) -> bool:
    return (
        any(sign in what for sign in (" >= ", " <= ", " of length ", "out of range"))
        or what.startswith("Invalid enum value")
        or "matching regex" in what
    )


def _refuse_label(payload: bytes, exc: Exception, *, is_record: bool) -> None:
    """Refuse a wrong version or kind first: it is the cause of all other mistakes."""
    try:
        label = _LABEL.decode(payload)
    except msgspec.ValidationError:
        raise RefusedError(Reason.WRONG_TYPE, "expected a JSON object") from exc
    except _UNREADABLE as worse:
        # The first decoder stopped at an earlier mistake; this one found that the rest is no JSON.
        raise RefusedError(Reason.BAD_JSON, _plainly(worse)) from exc
    if is_record:
        _refuse_kind(bytes(label.kind), exc)
    elif bytes(label.v) not in (b"", b"1"):
        raise RefusedError(Reason.UNKNOWN_VERSION, f"v {_shown(label.v)} is not known; known is 1") from exc


def _refuse_kind(kind: bytes, exc: Exception) -> None:
    if kind.startswith(b'"') and msgspec.json.decode(kind) not in KINDS:
        known = ", ".join(KINDS)
        raise RefusedError(Reason.UNKNOWN_KIND, f"kind {_shown(kind)} is not known; known are {known}") from exc


def _shown(raw: msgspec.Raw | bytes) -> str:
    return bytes(raw)[:40].decode(errors="replace")
