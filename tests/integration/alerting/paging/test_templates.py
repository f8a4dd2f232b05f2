"""Templates in the database: changed, reset, in the ledger; a broken one is not used and the log names it."""

import logging

import msgspec
import pytest

from alerting.delivery.wording.names import TemplateName
from alerting.delivery.wording.store import load_templates, load_wording, reset_template, set_template
from contract.errors import RemedyError
from store.author import Author
from store.pool import Pool

LI = Author("admin")


async def test_changed_then_reset_with_their_entries(pool: Pool) -> None:
    async with pool.acquire() as connection:
        assert await set_template(connection, TemplateName.SHORT, "zh-CN", "【文化云】{short}", by=LI)
        assert not await set_template(connection, TemplateName.SHORT, "zh-CN", "【文化云】{short}", by=LI), "the same"
        assert await set_template(connection, TemplateName.SHORT, "en", "[CC] {short}", by=LI)
        assert await set_template(connection, TemplateName.SHORT, "en", "[CLOUD] {short}", by=LI)
        stored = {(one.language, one.text, one.edited_by) for one in await load_templates(connection)}
        assert stored == {("zh-CN", "【文化云】{short}", "admin"), ("en", "[CLOUD] {short}", "admin")}
        assert set((await load_wording(connection)).templates) == {("short", "zh-CN"), ("short", "en")}
        assert await reset_template(connection, "short", "en", by=LI)
        assert not await reset_template(connection, "short", "en", by=LI)
        assert set((await load_wording(connection)).templates) == {("short", "zh-CN")}
    rows = await pool.fetch("SELECT kind, subject, body FROM ledger_entry WHERE subject LIKE 'template/%' ORDER BY id")
    assert [(row["kind"], row["subject"]) for row in rows] == [
        ("template.changed", "template/short/zh-CN"),
        ("template.changed", "template/short/en"),
        ("template.changed", "template/short/en"),
        ("template.reset", "template/short/en"),
    ]
    assert [list(msgspec.json.decode(row["body"])) for row in rows] == [["text_sha256"]] * 3 + [[]]


async def test_what_cannot_be_used_is_not_stored(pool: Pool) -> None:
    async with pool.acquire() as connection:
        with pytest.raises(RemedyError, match=r"there is no placeholder \{link\} here"):
            await set_template(connection, TemplateName.BODY, "zh-CN", "{link}", by=LI)
        assert await load_templates(connection) == []
    assert await pool.fetchval("SELECT count(*) FROM ledger_entry") == 0


async def test_a_broken_one_is_not_used_and_named(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    """As an older version or SQL wrote it."""
    await pool.execute(
        "INSERT INTO message_template (name, language, text, edited_by) VALUES "
        "('body', 'en', '{gone}', 'admin'), ('gone', 'en', 'x', 'admin'), ('title', 'en', '! {title}', 'admin')"
    )
    with caplog.at_level(logging.WARNING):
        async with pool.acquire() as connection:
            wording = await load_wording(connection)
    assert set(wording.templates) == {("title", "en")}
    assert "there is no placeholder {gone} here" in caplog.text and "there is no template 'gone'" in caplog.text
