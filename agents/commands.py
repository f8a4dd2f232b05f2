"""Which commands and settings from the server the agent accepts.

The agent cannot verify signatures, so it accepts none without `accept_unsigned`.
"""

import logging
from collections import OrderedDict
from typing import Final

from contract.clocks import WallMs
from contract.messages import Command, CommandStage, Config, Reply

_log = logging.getLogger(__name__)

KNOWN: Final = frozenset({"report_now"})
_REMEMBERED: Final = 64


class CommandPolicy:
    """Accepts or refuses commands and settings. It remembers the last replies, because a command may arrive twice."""

    def __init__(self, *, accept_unsigned: bool) -> None:
        self._accept_unsigned = accept_unsigned
        self._rev = -1
        self._replies: OrderedDict[str, Reply] = OrderedDict()

    def accepts_config(self, config: Config) -> bool:
        """Whether to apply these settings: they are newer than the last, and unsigned settings are allowed."""
        if config.rev <= self._rev:
            return False
        if not self._accept_unsigned:
            _log.warning("settings revision %d are ignored: they are not signed", config.rev)
            return False
        self._rev = config.rev
        return True

    def answer(self, command: Command, now: WallMs) -> tuple[Reply, str | None]:
        """The reply to a command, and the name of the command when it is to be carried out now. `now`: wall clock."""
        if command.id in self._replies:
            return self._replies[command.id], None
        why_not = self._why_not(command, now)
        reply = _reply(command, "refused", now, why_not) if why_not else _reply(command, "done", now)
        self._replies[command.id] = reply
        if len(self._replies) > _REMEMBERED:
            self._replies.popitem(last=False)
        return reply, None if why_not else command.name

    def _why_not(self, command: Command, now: WallMs) -> str | None:
        if not self._accept_unsigned:
            return "unsigned"
        if command.name not in KNOWN:
            return "unknown_command"
        if command.not_after is not None and now > command.not_after:
            return "expired"
        return None


def _reply(command: Command, stage: CommandStage, now: WallMs, reason: str | None = None) -> Reply:
    if reason is None:
        return Reply(id=command.id, stage=stage, at=now)
    return Reply(id=command.id, stage=stage, at=now, result={"reason": reason})
