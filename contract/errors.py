"""The one exception that crosses every room: an error that a person can mend."""

from contract.said import BilingualError


class RemedyError(BilingualError):
    """Something is set up wrongly; the message names the thing and the remedy in one line.

    The command line prints the message and exits with status 2: starting again would not help. `said` has it in Chinese
    too, where that is known.
    """

    def __init__(self, en: str = "", zh: str | None = None) -> None:
        super().__init__(en, en if zh is None else zh)
