"""The time of China: the default zone of stations, and the time of the console and of import files."""

from datetime import timedelta, timezone
from typing import Final

HOME_ZONE: Final = "Asia/Shanghai"
"""The zone of a station's schedule that names none."""
HOME: Final = timezone(timedelta(hours=8))
"""The time of the console, and of a time without a zone in an import file: the same offset in every year."""
