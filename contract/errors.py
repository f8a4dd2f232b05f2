"""The exception that every package may raise, an error that a person can correct; and the text of any exception."""

from contract.said import BilingualError


class RemedyError(BilingualError):
    """The setup is wrong; the message names the thing and the remedy in one line.

    The command line prints the message and exits with status 2, because a restart would not help. `said` has
    the Chinese text too, if there is one.
    """

    def __init__(self, en: str = "", zh: str | None = None) -> None:
        super().__init__(en, en if zh is None else zh)


def reason_of(exc: BaseException) -> str:
    """The text of an exception; its class name where the text is empty, as that of a TimeoutError is."""
    return str(exc) or type(exc).__name__
