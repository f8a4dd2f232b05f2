"""The incident process passes over a fallen shard with every number at its edges, and no part of it fails."""

from alerting.incident_process.decide_pass import Decider, PassConfig
from milepost.cli import needed
from milepost.services import incidents_config
from store.pool import Pool
from tests.integration.alerting.test_suspicion import STATIONS, come_back, fall, fleet, go_on
from tests.unit.milepost.test_settings_edges import BY_FIELD, at, edges

SETTINGS = [BY_FIELD[name] for name in sorted(needed("incidents")) if name in BY_FIELD]


async def test_no_number_at_its_edge_stops_a_part_of_the_incident_process(pool: Pool) -> None:
    assert len(SETTINGS) > 20
    world = await fleet(pool)
    await pool.execute("UPDATE station SET area = NULL, isp = 'one', feeder = 'one'")
    async with pool.acquire() as connection:
        for setting in SETTINGS:
            for value in edges(setting):
                config = incidents_config(at(setting, value))
                decider = Decider(PassConfig(rules=config.rules, mass=config.mass, parts=config.parts), connection)
                await fall(pool, world, STATIONS[:6])
                await go_on(decider, pool, passes=2)
                await come_back(pool, STATIONS[:6])
                await go_on(decider, pool, passes=2)
                assert await pool.fetch("SELECT * FROM set_aside") == [], (setting.variable, value)
