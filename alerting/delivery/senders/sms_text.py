"""The text of one SMS: the short form, which ends with its link where there is room. Pure."""

from alerting.delivery.facts import AlertMessage
from alerting.delivery.short import MOST_UNITS, cut


def sms_text(message: AlertMessage) -> str:
    """The text in at most 70 UTF-16 units, which is one SMS."""
    return cut(" ".join((message.short or message.title).split()), MOST_UNITS)
