"""The message of `milepost notify test`: marked as a test, in the language of its contact. Pure."""

from datetime import datetime
from typing import Final

from alerting.delivery.facts import AlertMessage
from alerting.delivery.sending import MessageContent
from alerting.delivery.texts import Language
from contract.glossary import word
from contract.said import Said

TRIAL_TYPE: Final = "milepost.test"
_TITLE: Final = Said("[TEST] Milepost test message", "【测试】Milepost 测试消息")
_BODY: Final = Said(
    "This is a test of the channel {place} ({kind}) of the contact {contact}. There is nothing to do.",
    "这是对联系人 {contact} 第 {place} 个通知渠道（{kind}）的测试，无需处理。",
)
_SHORT: Final = Said("[TEST] Milepost: nothing to do", "【测试】Milepost 测试消息，无需处理")


def write_trial(
    *, contact: str, place: int, kind: str, language: Language, link: str | None, at: datetime
) -> MessageContent:
    """The message for one channel; `place`: its number; `link`: of the console."""
    body = _BODY.text(language).format(place=place, kind=word("channel", kind, language), contact=contact)
    text = AlertMessage(
        title=_TITLE.text(language),
        body="\n".join(filter(None, (body, link))),
        short=_SHORT.text(language),
        link=link,
    )
    return MessageContent(
        text=text, language=language, severity="info", events=[{"type": TRIAL_TYPE, "at": at.isoformat()}]
    )
