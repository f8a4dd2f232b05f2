"""The default time zone of stations and of the console: that of China."""

from typing import Final
from zoneinfo import ZoneInfo

HOME_ZONE: Final = "Asia/Shanghai"
HOME: Final = ZoneInfo(HOME_ZONE)
