"""`python -m tests.integration.grafana.picture FOLDER`: a picture of each dashboard in each language, as PNG and
HTML, once of the filled database of the tests and once of an empty one. Needs Chromium and playwright."""

import argparse
import asyncio
import shutil
from pathlib import Path
from typing import Any

import asyncpg
from playwright.async_api import async_playwright

from bench.bench_ingest import database_server, fresh_database
from bench.kit.records import roll_up
from grafana.dashboard import LANGUAGES
from grafana.files import DASHBOARDS
from store.migrate import migrate
from store.pool import open_pool
from tests.integration.api_world import World
from tests.integration.grafana.grafana_world import STATION, fill
from tests.integration.grafana.picture.page import WIDTH
from tests.integration.grafana.picture.reading import draw_dashboard

FLAGS = ["--no-sandbox", "--disable-gpu"]


async def draw_all(browser: Any, url: str, folder: Path, *, filled: bool) -> None:
    connection = await asyncpg.connect(url)
    await migrate(connection)
    async with open_pool(url, name="picture", size=2) as pool:
        world = World(pool)
        if filled:
            await fill(world)
            await roll_up(connection)
        await connection.execute("SET ROLE milepost_reader")
        screen = await browser.new_page(viewport={"width": WIDTH, "height": 800})
        for language in LANGUAGES:
            for dashboard in DASHBOARDS:
                html, _ = await draw_dashboard(connection, dashboard, language, now=world.now, station=STATION)
                path = folder / language / f"{dashboard.name}{'' if filled else '-empty'}.html"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(html, encoding="utf-8")
                await screen.set_content(html)
                await screen.screenshot(path=path.with_suffix(".png"), full_page=True)
        await connection.close()


async def main(folder: Path) -> None:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        with database_server() as server:
            for filled in (True, False):
                async with fresh_database(server) as url:
                    await draw_all(browser, url, folder, filled=filled)
        await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.integration.grafana.picture")
    parser.add_argument("folder", type=Path)
    asyncio.run(main(parser.parse_args().folder))
