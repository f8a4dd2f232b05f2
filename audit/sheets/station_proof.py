"""The proof of the figures of one station for a month, as one text. Pure.

docs/ledger.md describes the form. The same figures and the same checkpoint give the same bytes, and no other bytes have
the same meaning: a text that is read and written again is equal.
"""

import base64
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from audit.ledger.checkpoints import SignedCheckpoint, decode_hash, encode_hash, parse_checkpoint, parse_size
from audit.ledger.notes import NoteError
from audit.sheets.pdf_attachment import MOST_TEXT

FIRST: Final = "milepost.station-proof@v1"
MOST_LINES: Final = 20
"""Revisions of a day in a proof."""
_MOST_DAYS: Final = 31
_MOST_STEPS: Final = 63


class NotProven(StrEnum):
    """Why a proof does not have a day, which only an export can prove."""

    #: The station has no figures of the day.
    NO_FIGURES = "no-figures"
    #: The ledger has no entry about the area and the day.
    NO_ENTRY = "no-entry"
    #: The newest entry about the area and the day is not in the checkpoint.
    UNSEALED = "unsealed"
    #: The figures of all stations of the area, as far as they were readable, are not those of the entry.
    NOT_EQUAL = "not-equal"
    #: The day has too many revisions.
    MANY_REVISIONS = "many-revisions"


class ProvenLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an area's tree (`audit.days.sealed.trees`): its index, its bytes as text, and the path to the root."""

    index: int
    data: str
    steps: tuple[bytes, ...]


class ProvenDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day of the station. `leaf`: the index of the entry about the area in the log; `entry`: the bytes of the leaf;
    `steps`: the path from the leaf to the root of the checkpoint; `lines`: all revisions; `following`: the next line of
    the tree, which shows that no later revision exists."""

    day: date
    leaf: int
    entry: str
    steps: tuple[bytes, ...]
    lines: tuple[ProvenLine, ...]
    following: ProvenLine | None = None


class UnprovenDay(msgspec.Struct, frozen=True):
    """A day that the proof does not have."""

    day: date
    why: NotProven


class StationProof(msgspec.Struct, frozen=True, kw_only=True):
    """The proof. `first` and `last`: the counted days; `key`: the public key that signed, as the database has it."""

    station: str
    period: str
    first: date
    last: date
    key: str | None
    days: tuple[ProvenDay | UnprovenDay, ...]
    signed: SignedCheckpoint

    @property
    def unproven(self) -> tuple[UnprovenDay, ...]:
        """The days that only an export can prove."""
        return tuple(day for day in self.days if isinstance(day, UnprovenDay))

    @property
    def qr(self) -> str:
        """The text of the QR code: origin, size and root of the checkpoint, and the hash of the proof."""
        return f"{self.signed.checkpoint.text}proof sha256 {self.digest}\n"

    @property
    def digest(self) -> str:
        """The SHA-256 of the text, in base64."""
        return base64.b64encode(sha256(self.render().encode()).digest()).decode()

    def render(self) -> str:
        """The text."""
        head = [FIRST, f"station {self.station}", f"period {self.period}", f"days {self.first} {self.last}"]
        blocks = ["\n".join([*head, *([] if self.key is None else [f"key {self.key}"])])]
        blocks += ["\n".join(_lines(day)) for day in self.days]
        return "\n\n".join([*blocks, self.signed.note.render()])


def parse_station_proof(raw: str) -> StationProof:
    """A proof from its text; nothing is verified. Raises NoteError."""
    if not raw.startswith(FIRST + "\n") or len(raw) > MOST_TEXT:
        raise _no_proof(f"its first line is not {FIRST}", f"首行不是 {FIRST}")
    blocks = raw.split("\n\n")
    try:
        head = _head(blocks[0])
        proof = StationProof(
            station=head["station"],
            period=head["period"],
            first=date.fromisoformat(head["days"].partition(" ")[0]),
            last=date.fromisoformat(head["days"].partition(" ")[2]),
            key=head.get("key"),
            days=tuple(_read_day(block) for block in blocks[1:-2][: _MOST_DAYS + 1]),
            signed=parse_checkpoint("\n\n".join(blocks[-2:])),
        )
    except NoteError as exc:
        raise _no_proof(exc.said.en, exc.said.zh) from exc
    except (LookupError, ValueError) as exc:
        raise _no_proof("a line is missing or has another form", "缺少某行，或某行的格式不符") from exc
    if len(proof.days) > _MOST_DAYS or proof.render() != raw:
        raise _no_proof("it is not written in the one form of a proof", "未按证明文件的唯一格式书写")
    return proof


def _head(block: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition(" ") for line in block.split("\n")[1:])}


def _lines(day: ProvenDay | UnprovenDay) -> Iterator[str]:
    yield f"day {day.day}"
    if isinstance(day, UnprovenDay):
        yield f"export {day.why}"
        return
    yield f"entry {day.leaf} {day.entry}"
    yield _steps("log", day.steps)
    for name, line in [*(("line", line) for line in day.lines), ("next", day.following)]:
        if line is not None:
            yield f"{name} {line.index} {line.data}"
            yield _steps("tree", line.steps)


def _steps(name: str, steps: tuple[bytes, ...]) -> str:
    return " ".join([name, *map(encode_hash, steps)])


def _read_day(block: str) -> ProvenDay | UnprovenDay:
    lines = block.split("\n")
    day = date.fromisoformat(_value(lines[0], "day"))
    if lines[1].startswith("export "):
        return UnprovenDay(day, NotProven(_value(lines[1], "export")))
    leaf, _, entry = _value(lines[1], "entry").partition(" ")
    pairs = [(lines[n], lines[n + 1]) for n in range(3, len(lines), 2)][: MOST_LINES + 2]
    return ProvenDay(
        day=day,
        leaf=parse_size(leaf),
        entry=entry,
        steps=_read_steps(lines[2], "log"),
        lines=tuple(_read_line(*pair, "line") for pair in pairs if pair[0].startswith("line ")),
        following=next((_read_line(*pair, "next") for pair in pairs if pair[0].startswith("next ")), None),
    )


def _read_line(line: str, steps: str, name: str) -> ProvenLine:
    index, _, data = _value(line, name).partition(" ")
    return ProvenLine(index=parse_size(index), data=data, steps=_read_steps(steps, "tree"))


def _read_steps(line: str, name: str) -> tuple[bytes, ...]:
    return tuple(decode_hash(each) for each in _value(f"{line} ", name).split(" ")[: _MOST_STEPS + 1] if each)


def _value(line: str, name: str) -> str:
    begin, space, value = line.partition(" ")
    if begin != name or not space:
        raise ValueError(f"{name} is expected")
    return value


def _no_proof(why: str, why_zh: str) -> NoteError:
    return NoteError(
        f"this is no proof of a station's sheet ({why}): use the file as Milepost wrote it",
        f"这不是服务点报告的证明文件（{why_zh}）：请使用 Milepost 生成的原文件",
    )
