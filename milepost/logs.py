"""Structured logs on stderr: a readable line or a JSON object for each record, with its `extra` fields."""

import logging
import sys
import time
from pathlib import Path
from typing import Any, Final

from contract.errors import RemedyError

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
# These say at INFO what only their authors want to know.
_QUIET = ("aiokafka", "apprise", "asyncio", "gmqtt", "paho", "httpx", "httpcore", "uvicorn")
_SAY_AGAIN: Final = 10.0
_MOST_MESSAGES: Final = 1000


def configure(*, level: str, style: str) -> None:
    """Send all logging to stderr; `style` is text or json. Raises RemedyError when json is not installed."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Repetitions())
    handler.setFormatter(_json_formatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def add_file(path: Path) -> None:
    """Also write what our own modules log, from INFO on, to a file that is rotated by size."""
    from logging.handlers import RotatingFileHandler

    handler = RotatingFileHandler(path, maxBytes=10_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(TextFormatter())
    for other in logging.getLogger().handlers:
        other.setLevel(logging.getLogger().level)
    own = logging.getLogger("milepost")
    own.setLevel(logging.INFO)
    own.addHandler(handler)


class TextFormatter(logging.Formatter):
    """``2026-11-23T05:40:10.123Z INFO broker.bridge connected shard=main attempt=3``"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        _use_utc(self)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name that logging calls
        return " ".join([super().formatMessage(record), *(f"{k}={_quote(v)}" for k, v in _extra(record).items())])


class Repetitions(logging.Filter):
    """Lets a message of aiokafka through once in `_SAY_AGAIN` seconds: it says at each attempt that a broker is away.

    That nothing connects is never let through: what it means for us is said where it matters.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("aiokafka"):
            return True
        message = str(record.msg)
        if message.startswith("Unable connect to"):
            return False
        last = self._said.get((record.name, message))
        if last is not None and 0 <= record.created - last < _SAY_AGAIN:
            return False
        if len(self._said) >= _MOST_MESSAGES:
            self._said.clear()
        self._said[record.name, message] = record.created
        return True


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _PLAIN}


def _quote(value: object) -> str:
    text = str(value)
    return repr(text) if not text or any(c.isspace() or c in "\"'=" for c in text) else text


def _json_formatter() -> logging.Formatter:
    try:
        from pythonjsonlogger.json import JsonFormatter
    except ImportError:
        raise RemedyError("MILEPOST_LOG_FORMAT is json, which needs: pip install 'milepost[server]'") from None
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
