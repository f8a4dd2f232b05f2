"""The one exception that crosses every room: an error that a person can mend."""


class RemedyError(Exception):
    """Something is set up wrongly; the message names the thing and the remedy in one line.

    The command line prints the message and exits with status 2: starting again would not help.
    """
