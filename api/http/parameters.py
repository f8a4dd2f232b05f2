"""Ids in the paths of pages and routes."""

from typing import Annotated

from fastapi import Path

from api.http.paging import MAX_ID

StationId = Annotated[str, Path(max_length=64, description="the station's id")]
IncidentId = Annotated[int, Path(ge=0, le=MAX_ID, description="the incident's number")]
ClosureId = Annotated[int, Path(ge=0, le=MAX_ID, description="the closure's number")]
