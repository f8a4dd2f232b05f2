"""The figures say what is owed and not settled."""

from pathlib import Path

from store.pool import Pool
from tests.integration.alerting.paging.kit import add_contact, add_incident, owe
from tests.integration.api_world import config, serving


async def test_pages_that_wait_are_counted(pool: Pool, database: str, tmp_path: Path) -> None:
    await add_contact(pool, "zhang", ("wecom", "http://127.0.0.1:9/x"))
    for number in range(4):
        await owe(pool, "zhang", await add_incident(pool, number))
    await pool.execute("UPDATE page SET created_at = now() - interval '90 seconds' WHERE id = 1")
    await pool.execute("UPDATE page SET not_before = now() + interval '1 hour' WHERE id = 2")
    await pool.execute("UPDATE page SET status = 'sending', reason = 'unreached' WHERE id = 3")
    await pool.execute("UPDATE page SET status = 'paid', created_at = now() - interval '1 day' WHERE id = 4")
    async with serving(config(database, tmp_path)) as (client, _):
        lines = (await client.get("/metrics")).text.splitlines()
    found = dict(line.rsplit(" ", 1) for line in lines if line.startswith("milepost_page"))
    assert {name: float(value) for name, value in found.items() if "waiting" in name} == {
        'milepost_pages_waiting{state="due"}': 2,
        'milepost_pages_waiting{state="held"}': 1,
        'milepost_pages_waiting{state="unreached"}': 1,
    }
    assert 90 <= float(found["milepost_page_oldest_seconds"]) < 3600
