"""Reading and writing messages: bytes in, a message out, or a `RefusedError` that says what to mend."""

import re
from collections.abc import Sequence
from typing import Final, NoReturn, TypeVar

import msgspec

from contract.messages import KINDS, MAX_PAYLOAD, Ack, Command, Config, Data, Heartbeat, Record, Reply, Status
from contract.refusal import Reason, RefusedError

_T = TypeVar("_T")

_ENCODER: Final = msgspec.json.Encoder()
encode = _ENCODER.encode
"""Write any message of the contract as JSON bytes."""

_HEARTBEAT: Final = msgspec.json.Decoder(Heartbeat)
_STATUS: Final = msgspec.json.Decoder(Status)
_DATA: Final = msgspec.json.Decoder(Data)
_REPLY: Final = msgspec.json.Decoder(Reply)
_ACK: Final = msgspec.json.Decoder(Ack)
_COMMAND: Final = msgspec.json.Decoder(Command)
_CONFIG: Final = msgspec.json.Decoder(Config)
_RECORD: Final[msgspec.json.Decoder[Record]] = msgspec.json.Decoder(Record)


def decode_heartbeat(payload: bytes) -> Heartbeat:
    return _decode(_HEARTBEAT, payload)


def decode_status(payload: bytes) -> Status:
    return _decode(_STATUS, payload)


def decode_data(payload: bytes) -> Data:
    """Read the envelope of a data message; its records stay raw (see `decode_record`)."""
    return _decode(_DATA, payload)


def decode_reply(payload: bytes) -> Reply:
    return _decode(_REPLY, payload)


def decode_ack(payload: bytes) -> Ack:
    return _decode(_ACK, payload)


def decode_command(payload: bytes) -> Command:
    return _decode(_COMMAND, payload)


def decode_config(payload: bytes) -> Config:
    return _decode(_CONFIG, payload)


def decode_record(raw: msgspec.Raw | bytes) -> Record:
    """Read one record of a data message whose payload passed `decode_data`."""
    try:
        return _RECORD.decode(raw)
    except (msgspec.DecodeError, RecursionError) as exc:
        _refuse(bytes(raw), exc)


def record_id(raw: msgspec.Raw | bytes) -> int | None:
    """The id of a record that may be refused otherwise, so that it can be acknowledged all the same."""
    try:
        return _ID.decode(raw).id
    except (msgspec.DecodeError, RecursionError):
        return None


def ranges(ids: Sequence[int]) -> list[tuple[int, int]]:
    """Closed ranges of ascending ids: [101, 102, 103, 150] gives [(101, 103), (150, 150)]."""
    result: list[tuple[int, int]] = []
    for number in sorted(set(ids)):
        if result and result[-1][1] == number - 1:
            result[-1] = (result[-1][0], number)
        else:
            result.append((number, number))
    return result


def _decode(decoder: msgspec.json.Decoder[_T], payload: bytes) -> _T:
    if len(payload) > MAX_PAYLOAD:
        raise RefusedError(
            Reason.TOO_LARGE,
            f"{len(payload)} bytes; a payload may have {MAX_PAYLOAD}: send fewer records a message",
        )
    if not payload.isascii():
        _require_utf8(payload)
    if b"\\u0000" in payload:
        raise RefusedError(Reason.NUL_CHARACTER, "the payload has the character U+0000, which cannot be stored")
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, RecursionError) as exc:
        _refuse(payload, exc)


def _require_utf8(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError as exc:
        raise RefusedError(Reason.NOT_UTF8, f"byte {exc.start} is not UTF-8") from exc


class _JustId(msgspec.Struct):
    id: int


_ID: Final = msgspec.json.Decoder(_JustId)
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$?\.?(?P<path>.*)`)?$", re.DOTALL)


def _refuse(payload: bytes, exc: Exception) -> NoReturn:
    """Find the reason's name behind a decoder's error and raise it."""
    if isinstance(exc, RecursionError):
        raise RefusedError(Reason.BAD_JSON, "nested too deeply") from exc
    if not isinstance(exc, msgspec.ValidationError):
        raise RefusedError(Reason.BAD_JSON, str(exc)) from exc
    _refuse_version_or_kind(payload, exc)
    match = _WHERE.match(str(exc))
    what, path = (match["what"], match["path"] or "") if match else (str(exc), "")
    if what.startswith("Object missing required field"):
        name = what.split("`")[1]
        field = f"{path}.{name}" if path else name
        raise RefusedError(Reason.MISSING_FIELD, f"{field} is missing") from exc
    reason = Reason.OUT_OF_RANGE if _is_range(what) else Reason.WRONG_TYPE
    raise RefusedError(reason, f"{path}: {what}" if path else what) from exc


def _is_range(what: str) -> bool:
    return (
        any(sign in what for sign in (" >= ", " <= ", " of length ", "out of range"))
        or what.startswith("Invalid enum value")
        or "matching regex" in what
    )


class _Label(msgspec.Struct):
    v: msgspec.Raw = msgspec.Raw()
    kind: msgspec.Raw = msgspec.Raw()


_LABEL: Final = msgspec.json.Decoder(_Label)


def _refuse_version_or_kind(payload: bytes, exc: Exception) -> None:
    """A wrong version or kind explains everything else that is wrong, so it is named first."""
    try:
        label = _LABEL.decode(payload)
    except msgspec.ValidationError:
        raise RefusedError(Reason.WRONG_TYPE, "expected a JSON object") from exc
    version, kind = bytes(label.v), bytes(label.kind)
    if version not in (b"", b"1"):
        raise RefusedError(Reason.UNKNOWN_VERSION, f"v {_shown(version)} is not known; known is 1") from exc
    if kind.startswith(b'"') and not version and kind not in _KNOWN_KINDS:
        known = ", ".join(KINDS)
        raise RefusedError(Reason.UNKNOWN_KIND, f"kind {_shown(kind)} is not known; known are {known}") from exc


def _shown(raw: bytes) -> str:
    return raw[:40].decode(errors="replace")


_KNOWN_KINDS: Final = frozenset(f'"{kind}"'.encode() for kind in KINDS)
