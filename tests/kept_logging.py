"""Logging as before: handlers and levels that a command set in the process of the tests are removed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from milepost import logs

_NAMES: Final = (None, "milepost", "python_multipart", *logs.QUIET)


@contextmanager
def kept_logging() -> Iterator[None]:
    """Remove handlers that were added meanwhile, restore levels, of the loggers that `milepost.logs` changes."""
    loggers = [logging.getLogger(name) for name in _NAMES]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    try:
        yield
    finally:
        logging.captureWarnings(False)
        for logger, level, handlers in before:
            logger.setLevel(level)
            for handler in [each for each in logger.handlers if each not in handlers]:
                logger.removeHandler(handler)
                handler.close()
