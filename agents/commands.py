"""What the agent does with orders from the server. It judges no signatures: without `accept_unsigned` it obeys none."""

import logging
from collections import OrderedDict
from typing import Final

from contract.clocks import WallMs
from contract.messages import Command, CommandStage, Config, Reply

_log = logging.getLogger(__name__)

KNOWN: Final = frozenset({"report_now"})
_REMEMBERED: Final = 64


class CommandPolicy:
    """Decides whether an order is carried out, and remembers the last replies: a command may come twice."""

    def __init__(self, *, accept_unsigned: bool) -> None:
        self._accept_unsigned = accept_unsigned
        self._rev = -1
        self._replies: OrderedDict[str, Reply] = OrderedDict()

    def accepts_config(self, config: Config) -> bool:
        """Whether to apply these settings: newer than the last, and trusted."""
        if config.rev <= self._rev:
            return False
        if not self._accept_unsigned:
            _log.warning("settings revision %d are ignored: they are not signed", config.rev)
            return False
        self._rev = config.rev
        return True

    def answer(self, command: Command, now: WallMs) -> tuple[Reply, str | None]:
        """The reply to a command and the name of the work to do, if any. `now` is the wall clock in ms."""
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
