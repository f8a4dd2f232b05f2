"""Where copies of checkpoints go, beside the file of the sealer, and when. Pure.

A copy that somebody else keeps shows later that nothing before it changed: `milepost verify --older`.
"""

from enum import StrEnum
from typing import Final

import msgspec

from alerting.delivery.facts import AlertMessage
from alerting.delivery.sending import MessageContent
from alerting.delivery.texts import Language
from audit.ledger.checkpoints import Checkpoint
from contract.errors import RemedyError
from contract.said import Said, SaidError
from registry.contacts.addresses import parse_address

EVERY: Final = 60.0
"""Seconds between two copies to one place, while the log grows."""
AGAIN: Final = 3600.0
"""Seconds between two copies to one place, while the log does not grow."""
DAILY: Final = 86_400.0
"""Seconds between two mails, whether the log grows or not."""

_FIRST_RETRY: Final = 60.0
_LONGEST_RETRY: Final = 1800.0
"""Seconds between an attempt that failed and the next one."""

_TITLE: Final = Said("Checkpoint of the ledger {origin}, {size} leaves", "账本 {origin} 的检查点，共 {size} 条")
_BODY: Final = Said(
    "Keep this mail. To verify the ledger later, save all lines below this paragraph as a file, and pass the file to "
    "`milepost verify --older`.",
    "请保存此邮件。日后核验账本时，将下一行起的内容存为文件，并交给 `milepost verify --older`。",
)


class CopyKind(StrEnum):
    """How a copy gets to its place."""

    FILE = "file"
    WEB = "web"
    MAIL = "mail"


class CopyPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is replaced, an address that gets a POST, or a mailbox."""

    kind: CopyKind
    address: str

    @property
    def shown(self) -> str:
        """The place without the parts of its address that may be secret."""
        if self.kind is CopyKind.MAIL:
            return "mailto:…@" + self.address.rpartition("@")[2]
        return self.address if self.kind is CopyKind.FILE else "/".join(self.address.split("/")[:3])

    @property
    def every(self) -> float:
        """Seconds between two copies to this place, while the log grows."""
        return DAILY if self.kind is CopyKind.MAIL else EVERY


def parse_places(text: str, where: str) -> tuple[CopyPlace, ...]:
    """The places in a text, one a line; `#` begins a remark. `where`: its file. Raises RemedyError."""
    return tuple(
        _place(line.strip(), where, number)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    )


def _place(line: str, where: str, number: int) -> CopyPlace:
    if line.startswith("/"):
        return CopyPlace(kind=CopyKind.FILE, address=line)
    if line.startswith(("https://", "http://")) and len(line.split()) == 1:
        return CopyPlace(kind=CopyKind.WEB, address=line)
    if line.startswith("mailto:"):
        return CopyPlace(kind=CopyKind.MAIL, address=_mailbox(line, where, number))
    raise RemedyError(
        f"{where}, line {number}: write a whole path such as /mnt/audit/checkpoint, an address https://…, or "
        "mailto:name@example.org",
        f"{where} 第 {number} 行：请写完整路径，如 /mnt/audit/checkpoint，或地址 https://…，或 mailto:name@example.org",
    )


def _mailbox(line: str, where: str, number: int) -> str:
    try:
        return parse_address(line).text
    except SaidError as exc:
        raise RemedyError(f"{where}, line {number}: {exc.said.en}", f"{where} 第 {number} 行：{exc.said.zh}") from exc


def mail_of_checkpoint(note: str, checkpoint: Checkpoint, language: Language) -> MessageContent:
    """The mail with a signed checkpoint; `note`: the signed text, which begins with the line of the name."""
    title = _TITLE.text(language).format(origin=checkpoint.origin, size=checkpoint.size)
    text = AlertMessage(title=title, body=f"{_BODY.text(language)}\n\n{note}")
    return MessageContent(text=text, language=language, severity="info")


def is_copy_due(
    size: int, now: float, *, copied: int | None, tried_at: float | None, failed: int = 0, every: float = EVERY
) -> bool:
    """Whether a place gets a checkpoint of this size. `every`: the interval of the place, in seconds.

    `copied`: the size of its last copy, `tried_at`: when one was tried last, in seconds of the same clock as `now`.
    None: never. `failed`: number of attempts in a row that failed; the next one comes after 1, 2, 4, 8, 16 and then
    each 30 minutes, or after the interval of the place if that is shorter.
    """
    if tried_at is None:
        return True
    if failed:
        return now - tried_at >= min(every, _LONGEST_RETRY, _FIRST_RETRY * 2.0 ** min(failed - 1, 10))
    return now - tried_at >= (max(AGAIN, every) if size == copied else every)
