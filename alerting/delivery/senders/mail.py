"""One message as e-mail, and what an SMTP server's answers say. Pure."""

import re
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from alerting.delivery.bots import answer_text
from alerting.delivery.sending import PageEnvelope, SendOutcome, SendVerdict

_NO_MAILBOX: Final = frozenset({550, 551, 553})
_OTHER_REASON: Final = re.compile(rb"5\.(2\.[2-9]|[3-7]\.)")
"""Enhanced codes (RFC 3463) for other reasons than the address: full, of the network, of the server's policy."""


def mail_of(envelope: PageEnvelope, sender: str, to: str) -> bytes:
    """The mail as bytes. Its id is that of the message, so a mailbox can recognise a repetition."""
    text = envelope.content.text
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = " ".join(text.title.split())
    mail["From"], mail["To"] = sender, to
    mail["Date"] = format_datetime(envelope.at)
    mail["Message-ID"] = f"<{envelope.key}@milepost>"
    # No replies of mailboxes whose owners are away.
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = envelope.content.language
    mail.set_content(text.body + "\n", cte="base64")
    return mail.as_bytes()


def outcome_of_mail(code: int, reply: bytes) -> SendOutcome:
    """What the answer to the whole mail says."""
    if 200 <= code < 300:
        return SendOutcome(verdict=SendVerdict.TAKEN)
    return SendOutcome(verdict=SendVerdict.REFUSED if 500 <= code < 600 else SendVerdict.FAILED, why=_why(code, reply))


def outcome_of_recipient(code: int, reply: bytes) -> SendOutcome:
    """What the refusal of a recipient says: whether there is no such mailbox, or it takes nothing now."""
    unknown = code in _NO_MAILBOX and not _OTHER_REASON.match(reply.lstrip())
    verdict = SendVerdict.REFUSED if unknown else SendVerdict.FAILED
    return SendOutcome(verdict=verdict, why=_why(code, reply), dead=unknown)


def outcome_of_server(code: int, reply: bytes | str) -> SendOutcome:
    """What a refusal says that is about neither the recipient nor the text: the gateway is wrong, or busy."""
    return SendOutcome(verdict=SendVerdict.FAILED, why=_why(code, reply))


def _why(code: int, reply: bytes | str) -> str:
    text = reply if isinstance(reply, str) else reply.decode(errors="replace")
    return answer_text(f"answered with code {code}: {text}")
