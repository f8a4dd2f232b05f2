"""Photos as the API and the pages take them and show them."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from PIL import Image

from access.roles import Role
from registry.photos.rules import MAX_UPLOAD
from store.pool import Pool
from tests.integration.api.test_api_pages import browser  # noqa: F401 -- a fixture
from tests.integration.api.test_api_service import running
from tests.integration.api.test_api_shares import token_of
from tests.integration.api_world import OWN_PAGE, TOKEN, World, config, other_account, serving, sign_in, sign_in_page
from tests.pictures import CAMERA, encoded, flag, of_a_phone, png_that_claims
from tests.servers import find_free_port

V1 = "/api/v1"
JPEG = {"Content-Type": "image/jpeg"}
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"


async def station(pool: Pool) -> World:
    world = World(pool)
    await world.clock()
    await world.station("6321220007", "offline")
    return world


async def send(client: httpx.AsyncClient, path: str, content: bytes, **more: str) -> httpx.Response:
    return await client.post(f"{V1}/{path}/photos", content=content, headers=JPEG, params=more)


async def test_a_photo_of_an_incident_from_the_phone_to_the_ledger(pool: Pool, database: str, tmp_path: Path) -> None:
    incident = await (await station(pool)).incident("station_offline", station="6321220007")
    async with serving(config(database, tmp_path)) as (client, _):
        made = await send(client, f"incidents/{incident}", of_a_phone(6), by="Li")
        again = await send(client, f"incidents/{incident}", of_a_phone(6))
        assert (made.status_code, again.status_code) == (201, 201)
        photo = made.json()
        assert again.json() == photo, "the same picture is the same photo"
        assert (photo["incident"], photo["closure"], photo["width"], photo["height"]) == (incident, None, 20, 40)
        assert (photo["made_by"], photo["made_remark"]) == ("admin", "Li")
        listed = (await client.get(f"{V1}/incidents/{incident}/photos")).json()
        assert listed == {"items": [photo], "next": None}
        assert (await client.get(f"{V1}/photos/{photo['id']}")).json() == photo
        picture = await client.get(f"{V1}/photos/{photo['id']}/jpeg")
        history = (await client.get(f"{V1}/incidents/{incident}")).json()["entries"]
    require_inert(picture)
    assert hashlib.sha256(picture.content).hexdigest() == photo["sha256"]
    assert len(picture.content) == photo["size"]
    assert CAMERA.encode() not in picture.content
    assert Image.open(io.BytesIO(picture.content)).size == (20, 40)
    entries = [(one["action"], one["actor"], one["remark"], one["text"]) for one in history]
    assert entries == [("photo", "admin", "Li", None), ("opened", "milepost", None, None)]
    rows = await pool.fetch("SELECT kind, body FROM ledger_entry WHERE subject = $1", f"incident/{incident}")
    assert [row["kind"] for row in rows] == ["photo.added"]
    assert msgspec.json.decode(rows[0]["body"])["jpeg_sha256"] == photo["sha256"]


def require_inert(picture: httpx.Response) -> None:
    """A browser shows it as a picture, whatever it holds, and keeps it nowhere."""
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.headers["x-content-type-options"] == "nosniff"
    assert picture.headers["cache-control"] == "no-store"
    assert picture.headers["content-disposition"].startswith('inline; filename="photo-')
    policy = picture.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "nothing": (b"", 422, "empty"),
    "a GIF": (b"GIF89a\x01\x00\x01\x00", 415, "unknown_kind"),
    "a page": (b"<html><script>alert(1)</script>", 415, "unknown_kind"),
    "a HEIC file": (HEIC, 415, "heic"),
    "half a photo": (of_a_phone(width=800, height=600)[:-400], 422, "broken"),
    "a bomb": (png_that_claims(60_000, 60_000), 413, "too_many_pixels"),
    "more than 20 MB": (b"\xff\xd8\xff" + bytes(MAX_UPLOAD), 413, "too_large"),
    "far more than 20 MB": (b"\xff\xd8\xff" + bytes(2 * MAX_UPLOAD), 413, "too_large"),
}


async def test_what_is_no_photo_is_refused_with_the_reason_and_the_next_one_is_taken(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    world = await station(pool)
    incident = await world.incident("station_offline", station="6321220007")
    withdrawn = await world.closure(-1, 1, station="6321220007")
    await pool.execute("UPDATE closure SET withdrawn_by = 'x', withdrawn_at = now() WHERE id = $1", withdrawn)
    async with serving(config(database, tmp_path)) as (client, _):
        for name, (content, status, refusal) in REFUSED.items():
            answer = await send(client, f"incidents/{incident}", content)
            assert (answer.status_code, answer.json()["refusal"]) == (status, refusal), name
        broken = await client.post(
            f"{V1}/incidents/{incident}/photos",
            content=b"--B\r\nContent-Disposition: form-data",
            headers={"Content-Type": "multipart/form-data; boundary=B"},
        )
        assert (broken.status_code, broken.json()["refusal"]) == (422, "broken")
        answer = await send(client, f"closures/{withdrawn}", of_a_phone())
        assert (answer.status_code, answer.json()["refusal"]) == (409, "withdrawn")
        assert await pool.fetchval("SELECT count(*) FROM photo") == 0
        good = await client.post(f"{V1}/incidents/{incident}/photos", files={"photo": ("a.jpg", of_a_phone())})
        png = await send(client, f"incidents/{incident}", encoded(flag(90), "PNG"))
        largest = of_a_phone(width=50).ljust(MAX_UPLOAD, b"\0")
        full = await send(client, f"incidents/{incident}", largest)
        assert (good.status_code, png.status_code, full.status_code) == (201, 201, 201)
        for path in ("incidents/999", "closures/999"):
            assert (await send(client, path, of_a_phone())).status_code == 404


async def test_a_wider_incident_takes_no_photo_of_a_county(pool: Pool, database: str, tmp_path: Path) -> None:
    world = World(pool)
    await world.area("63", "青海", level="province")
    await world.area("6301", "东县", "63")
    wide = await world.incident("area_outage", area="63")
    await pool.execute("INSERT INTO incident_share VALUES ($1, '6301', 2, 1)", wide)
    county = await token_of(pool, "li", Role.TECHNICIAN, "6301")
    async with serving(config(database, tmp_path)) as (client, _):
        whole = await send(client, f"incidents/{wide}", of_a_phone())
        path = f"{V1}/incidents/{wide}/photos"
        refused = await client.post(path, content=of_a_phone(), headers={**JPEG, **county})
        shown = await client.get(path, headers=county)
        hidden = await client.get(f"{V1}/photos/{whole.json()['id']}/jpeg", headers=county)
    assert (whole.status_code, refused.status_code, hidden.status_code) == (201, 403, 404)
    assert shown.json()["items"] == []


async def test_over_a_real_connection_a_large_file_is_answered_and_a_broken_one_leaves_nothing(
    pool: Pool, database: str, tmp_path: Path
) -> None:
    incident = await (await station(pool)).incident("station_offline", station="6321220007")
    path = f"{V1}/incidents/{incident}/photos"

    async def many() -> AsyncIterator[bytes]:
        for _ in range(25):
            yield bytes(1_000_000)

    port = find_free_port()
    async with running(config(database, tmp_path, port=port)) as (client, _, _):
        for large in (await client.post(path, content=bytes(25_000_000)), await client.post(path, content=many())):
            assert (large.status_code, large.json()["refusal"]) == (413, "too_large")
        content = of_a_phone()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        head += f"Content-Length: {len(content)}\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head.encode() + content[:-10])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert await reader.read() == b""
        anonymous = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}")
        async with anonymous:
            assert (await anonymous.post(path, content=content)).status_code == 401
        assert (await client.post(path, content=content)).status_code == 201
    assert await pool.fetchval("SELECT count(*) FROM photo") == 1


async def as_it_arrives(content: bytes, meanwhile: Callable[[], Awaitable[httpx.Response]]) -> AsyncIterator[bytes]:
    """A body whose second half comes after something happened."""
    yield content[: len(content) // 2]
    assert (await meanwhile()).is_success
    yield content[len(content) // 2 :]


@pytest.mark.parametrize("to", ["API", "page"])
async def test_what_a_person_sends_who_is_disabled_meanwhile_does_not_count(
    to: str, pool: Pool, database: str, tmp_path: Path
) -> None:
    """A photo takes minutes over a slow line: its sender is looked up again when it has arrived."""
    incident = await (await station(pool)).incident("station_offline", station="6321220007")
    sender = await other_account(pool, Role.TECHNICIAN)
    form = httpx.Request("POST", "http://x", data={"cause": "power"}, files={"photo": ("x.jpg", of_a_phone())})
    async with serving(config(database, tmp_path), token=None) as (client, _):
        admin = {"Authorization": f"Bearer {TOKEN}"}

        async def disable() -> httpx.Response:
            return await client.post(f"{V1}/accounts/{sender.account}/disable", headers=admin)

        if to == "API":
            path, content, headers = f"{V1}/incidents/{incident}/photos", of_a_phone(), JPEG | sender.headers
        else:
            made = await client.post(f"{V1}/accounts/{sender.account}/link", headers=admin)
            code = made.json()["link"].partition("code=")[2]
            assert (await client.post("/signin", data={"code": code}, headers=OWN_PAGE)).status_code == 303
            path, content = f"/incidents/{incident}/repair", form.read()
            headers = OWN_PAGE | {"Content-Type": form.headers["content-type"], "Accept-Language": "en"}
        answer = await client.post(path, content=as_it_arrives(content, disable), headers=headers)
    assert answer.status_code == 401
    assert to == "API" or "Nothing was saved: sign in" in answer.text
    assert await pool.fetchval("SELECT (SELECT count(*) FROM photo) + (SELECT count(*) FROM repair)") == 0


async def page_of(client: httpx.AsyncClient, path: str, language: str = "en") -> str:
    answer = await client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return answer.text


async def post(client: httpx.AsyncClient, path: str, content: bytes | None, language: str = "en", **fields: str) -> Any:
    files = {"photo": ("x.jpg", content)} if content is not None else {"photo": ("", b"")}
    headers = {**OWN_PAGE, "Accept-Language": language}
    return await client.post(path, data=fields, files=files, headers=headers)


async def test_the_pages_send_and_show_photos(pool: Pool, database: str, tmp_path: Path) -> None:
    world = await station(pool)
    incident = await world.incident("station_offline", station="6321220007")
    closure = await world.closure(-1, 1, station="6321220007")
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        for path in (f"/incidents/{incident}", f"/closures/{closure}"):
            form = await page_of(client, path)
            assert f'action="{path}/photos" enctype="multipart/form-data"' in form
            sent = await post(client, f"{path}/photos", of_a_phone(), by="Li <b>")
            assert (sent.status_code, sent.headers["location"]) == (303, f"{path}#photos")
            shown = await page_of(client, path)
            photo = shown.partition('<a href="/photos/')[2].partition('"')[0]
            assert 'alt="Photo 1"' in shown
            assert "Li &lt;b&gt;" in shown
            require_inert(await client.get(f"/photos/{photo}"))
            for language, said in (("zh-CN", "照片是 HEIC 格式"), ("en", "the photo is a HEIC file")):
                refused = await post(client, f"{path}/photos", HEIC, language)
                assert refused.status_code == 415
                assert said in refused.text
            assert (await client.get(f"{path}/photos")).headers["location"] == path
            assert "no photo was sent" in (await post(client, f"{path}/photos", None)).text
            foreign = await client.post(f"{path}/photos", files={"photo": of_a_phone()}, headers={"Origin": "http://x"})
            assert foreign.status_code == 403
        assert "照片" in await page_of(client, f"/incidents/{incident}", "zh-CN")
    assert await pool.fetchval("SELECT count(*) FROM photo") == 2


async def test_a_closure_is_declared_with_a_photo_as_evidence(pool: Pool, database: str, tmp_path: Path) -> None:
    await station(pool)
    times = {"from": "2026-11-01T00:00", "until": "2026-11-02T00:00"}
    fields = {"scope": "station", "name": "6321220007", "kind": "closure", "reason": "停电 three days", **times}
    async with serving(config(database, tmp_path), token=None) as (client, _):
        await sign_in(client)
        for content, said in ((b"GIF89a", "not a JPEG, PNG or WebP"), (bytes(MAX_UPLOAD + 99), "more than 20 MB")):
            refused = await post(client, "/closures", content, **fields)
            assert refused.status_code == 422
            assert said in refused.text
            assert "停电 three days" in refused.text, "what was typed is still there"
        assert await pool.fetchval("SELECT count(*) FROM closure") == 0, "no closure without its photo"
        wrong = await post(client, "/closures", of_a_phone(), **{**fields, "name": "9999999999"})
        assert wrong.status_code == 422
        made = await post(client, "/closures", of_a_phone(), **fields)
        assert made.status_code == 303
        assert 'alt="Photo 1"' in await page_of(client, made.headers["location"])
        plain = await post(client, "/closures", None, **fields)
        assert 'alt="Photo' not in await page_of(client, plain.headers["location"])
    assert await pool.fetchval("SELECT count(*) FROM photo WHERE closure IS NOT NULL") == 1


async def test_a_browser_makes_a_photo_smaller_and_sends_it_without_its_script_too(
    browser: Any,  # noqa: F811
    pool: Pool,
    database: str,
    tmp_path: Path,
) -> None:
    incident = await (await station(pool)).incident("station_offline", station="6321220007")
    file = tmp_path / "IMG_1.jpg"
    file.write_bytes(encoded(Image.effect_noise((2000, 1000), 20).convert("RGB"), quality=90))
    settings = config(database, tmp_path, port=find_free_port())
    async with running(settings):
        for scripted in (True, False):
            context = await browser.new_context(java_script_enabled=scripted, viewport={"width": 360, "height": 740})
            page = await context.new_page()
            await sign_in_page(page, settings.url)
            await page.goto(f"{settings.url}/incidents/{incident}")
            await page.set_input_files("form[action$='/photos'] input[name=photo]", file)
            # The script disables the button until the photo is ready, and the click waits for that.
            async with page.expect_navigation():
                await page.get_by_role("button", name="Add photo").click()
            await context.close()
    rows = await pool.fetch("SELECT width, height FROM photo ORDER BY made_at")
    assert [tuple(row) for row in rows] == [(1600, 800), (2000, 1000)]
