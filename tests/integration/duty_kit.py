"""Contacts, duties, substitutes and routes of tests, written as they are stored."""

from datetime import datetime, timedelta

from registry.routes.model import Route
from registry.routes.steps import parse_steps
from registry.routes.store import put_routes
from store.author import Author
from store.pool import Pool


async def add_contact(pool: Pool, contact: str, area: str | None = None, *, role: str = "technician") -> None:
    """A contact whose name is its id."""
    await pool.execute(
        "INSERT INTO contact (id, name, role, area, edited_by) VALUES ($1, $1, $2, $3, 'operator')", contact, role, area
    )


async def add_duty(pool: Pool, contact: str, area: str | None = None, *, times: str = "24x7", week: int = 1) -> int:
    """A duty as technician; week `week` of 53."""
    number: int = await pool.fetchval(
        "INSERT INTO duty (area, role, contact, times, weeks, week, valid_from, edited_by) "
        "VALUES ($1, 'technician', $2, $3, 53, $4, '2026-01-01', 'operator') RETURNING id",
        *(area, contact, times, week),
    )
    return number


async def add_substitute(pool: Pool, contact: str, substitute: str, begin: datetime, *, reason: str = "培训") -> int:
    """A substitute for a day."""
    number: int = await pool.fetchval(
        "INSERT INTO duty_substitute (contact, substitute, from_at, until_at, reason, edited_by) "
        "VALUES ($1, $2, $3, $4, $5, 'operator') RETURNING id",
        *(contact, substitute, begin, begin + timedelta(days=1), reason),
    )
    return number


async def add_route(pool: Pool, name: str, area: str | None = None, steps: str = "technician") -> None:
    """A route of all incidents of an area, or of everything."""
    async with pool.acquire() as connection:
        route = Route(id=name, name=name, area=area, steps=parse_steps(steps))
        await put_routes(connection, [route], by=Author("operator"))
