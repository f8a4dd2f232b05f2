"""Settings: stations and terminals that Milepost registers by itself."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from milepost.settings.values import Count


@dataclass(frozen=True, kw_only=True)
class RegistrationSection:
    """Stations and terminals that Milepost registers by itself."""

    auto_register: Annotated[
        bool | None,
        Meta(
            description="Whether an unknown station is registered at its first message. Unset: only under "
            "`milepost up`."
        ),
    ] = None
    auto_register_most: Annotated[
        Count,
        Meta(
            description="Maximum number of stations that are registered automatically; further unknown "
            "stations are listed under `/api/v1/unregistered`."
        ),
    ] = 100_000
    station_terminals: Annotated[
        Annotated[int, Meta(ge=1, le=1000)],
        Meta(description="Maximum number of terminals of a station; messages of further terminals are refused."),
    ] = 64
