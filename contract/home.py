"""The time zone of a place that names none, and of the console: China's."""

from typing import Final
from zoneinfo import ZoneInfo

HOME_ZONE: Final = "Asia/Shanghai"
HOME: Final = ZoneInfo(HOME_ZONE)
