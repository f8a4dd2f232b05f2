"""Settings: how long records and their figures are kept."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

_Kept = Annotated[int, Meta(ge=184, le=36_500)]
_KeptLong = Annotated[int, Meta(ge=400, le=36_500)]


@dataclass(frozen=True, kw_only=True)
class RetentionSection:
    """How long records and their figures are kept."""

    health_days: Annotated[
        _Kept, Meta(description="Days for which health records are kept; figures by hour and day are kept longer.")
    ] = 400
    usage_days: Annotated[
        _Kept, Meta(description="Days for which usage records are kept; figures by hour and day are kept longer.")
    ] = 400
    inventory_days: Annotated[_Kept, Meta(description="Days for which inventory records are kept.")] = 400
    event_days: Annotated[_Kept, Meta(description="Days for which event records are kept.")] = 400
    presence_days: Annotated[
        _KeptLong,
        Meta(
            description="Days for which presence records are kept. An older day is not revised any more, so keep "
            "them for as long as days may be corrected."
        ),
    ] = 3660
    hourly_days: Annotated[
        _KeptLong, Meta(description="Days for which figures of health and usage by hour are kept.")
    ] = 800
    daily_days: Annotated[
        _KeptLong, Meta(description="Days for which figures of health and usage by day are kept.")
    ] = 3660
