"""How many attempts may be under way at once, for each kind of channel, so that one provider delays no other. Pure."""

from collections import Counter

from registry.contacts.model import ChannelKind


class Slots:
    """Counts the attempts that are under way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._used: Counter[ChannelKind] = Counter()

    def full(self) -> set[ChannelKind]:
        """The kinds of which no further attempt may begin."""
        return {kind for kind, number in self._used.items() if number >= self._most}

    def take(self, kind: ChannelKind) -> None:
        """An attempt begins."""
        self._used[kind] += 1

    def release(self, kind: ChannelKind) -> None:
        """An attempt ended."""
        self._used[kind] -= 1
