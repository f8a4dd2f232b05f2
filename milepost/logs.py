"""Structured logs on stderr: a readable line or a JSON object for each record, with its `extra` fields."""

import logging
import sys
import time
from pathlib import Path
from typing import Any, Final

from contract.errors import RemedyError

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
QUIET: Final = ("aiokafka", "apprise", "asyncio", "gmqtt", "paho", "httpx", "httpcore", "uvicorn")
"""Loggers whose INFO messages are of no use to operators."""
_OFTEN: Final = 20
_WITHIN: Final = 10.0
_MOST_MESSAGES: Final = 1000


def configure(*, level: str, style: str) -> None:
    """Send all logging to stderr; `style` is text or json. Raises RemedyError when json is not installed."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Repetitions())
    handler.setFormatter(_json_formatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    # This library warns of each damaged form with a different text, so a client could fill the disk.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def add_file(path: Path) -> None:
    """Also write messages of our own modules, from INFO on, to a file that is rotated by size."""
    from logging.handlers import RotatingFileHandler

    handler = RotatingFileHandler(path, maxBytes=10_000_000, backupCount=3, encoding="utf-8")
    handler.addFilter(Repetitions())
    handler.setFormatter(TextFormatter())
    for other in logging.getLogger().handlers:
        other.setLevel(logging.getLogger().level)
    own = logging.getLogger("milepost")
    own.setLevel(logging.INFO)
    own.addHandler(handler)


class TextFormatter(logging.Formatter):
    """Lines like ``2026-11-23T05:40:10.123Z INFO broker.bridge connected shard=main attempt=3``"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        _use_utc(self)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name that logging calls
        """The line of a record, with its `extra` fields."""
        return " ".join([super().formatMessage(record), *(f"{k}={_quote(v)}" for k, v in _extra(record).items())])


class Repetitions(logging.Filter):
    """Lets a message through at most _OFTEN times in _WITHIN seconds, whatever its fields are, so that a client that
    repeats a wrong request cannot fill the disk. The next message that is let through has the number of suppressed ones
    in `held_back`.

    A message of aiokafka, which repeats at each attempt that a broker is away, is let through once. Its failures to
    connect are never let through: our own modules report them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], _MessageCount] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to let a record through."""
        if record.levelno < logging.INFO:
            return True
        kafka, message = record.name.startswith("aiokafka"), str(record.msg)
        if kafka and message.startswith("Unable connect to"):
            return False
        often = 1 if kafka else _OFTEN
        said = self._find(record.name, message, record.created)
        if not said.is_fresh(record.created):
            if said.times > often:
                record.held_back = said.times - often
            said.since, said.times = record.created, 0
        said.times += 1
        return said.times <= often

    def _find(self, name: str, message: str, now: float) -> "_MessageCount":
        """The count of a message; with too many different messages, the common count of its logger."""
        found = self._said.get((name, message))
        if found is None and len(self._said) >= _MOST_MESSAGES:
            self._said = {key: said for key, said in self._said.items() if said.is_fresh(now)}
            message = "" if len(self._said) >= _MOST_MESSAGES else message
        return found or self._said.setdefault((name, message), _MessageCount())


class _MessageCount:
    """How many times a message came since `since`."""

    def __init__(self) -> None:
        self.since, self.times = float("-inf"), 0

    def is_fresh(self, now: float) -> bool:
        return 0 <= now - self.since < _WITHIN


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _PLAIN}


def _quote(value: object) -> str:
    text = str(value)
    return repr(text) if not text or any(c.isspace() or c in "\"'=" for c in text) else text


def _json_formatter() -> logging.Formatter:
    try:
        from pythonjsonlogger.json import JsonFormatter
    except ImportError:
        raise RemedyError(
            "MILEPOST_LOG_FORMAT is json, which needs: pip install 'milepost[server]'",
            "MILEPOST_LOG_FORMAT 为 json，需要：pip install 'milepost[server]'",
        ) from None
    formatter = JsonFormatter(
        "%(asctime)s %(levelname)s %(name)s %(message)s",
        rename_fields={"asctime": "at", "levelname": "level", "name": "logger"},
    )
    _use_utc(formatter)
    return formatter


def _use_utc(formatter: logging.Formatter) -> None:
    formatter.converter = time.gmtime
    formatter.default_time_format = "%Y-%m-%dT%H:%M:%S"
    formatter.default_msec_format = "%s.%03dZ"
