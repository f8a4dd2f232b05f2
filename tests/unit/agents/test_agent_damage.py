"""An outbox whose file was damaged, cut, removed or made by an older agent: nothing false is sent, no loss silent."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.outbox.file import SLICE
from agents.outbox.queue import Outbox
from agents.outbox.table import KEPT
from contract.codec import encode
from contract.messages import Event

COUNT = 200
OLD_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    seq INTEGER PRIMARY KEY,           -- the order of writing
    box TEXT NOT NULL,
    id INTEGER NOT NULL,
    held INTEGER NOT NULL,             -- still rewritten, so not to be sent yet
    body BLOB NOT NULL,
    UNIQUE (box, id)
);
CREATE TABLE IF NOT EXISTS dropped (records INTEGER NOT NULL);
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "terminal.outbox"


def body(number: int, words: str = "as it was written") -> bytes:
    return encode(Event(id=number, at=1_780_000_000_000 + number, name="n", detail=f"{number:04d} {words}"))


def open_outbox(path: Path, *, expected: bool = False) -> Outbox:
    return Outbox(path, rows=10_000, size=10_000_000, expected=lambda: expected)


def write(path: Path, count: int = COUNT) -> None:
    outbox = open_outbox(path)
    for number in range(1, count + 1):
        outbox.append("b0x", number, body(number))
    outbox.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an outbox with `COUNT` records, to be copied."""
    path = tmp_path_factory.mktemp("written") / "terminal.outbox"
    write(path)
    return path


@pytest.fixture
def filled(path: Path, written: Path) -> Path:
    path.write_bytes(written.read_bytes())
    return path


MEMORY = Path("/dev/shm")  # noqa: S108 -- of this test alone, in a directory with a random name


def change(path: Path, old: bytes, new: bytes) -> None:
    """Change one place of a file."""
    content = path.read_bytes()
    assert content.count(old) == 1 and len(old) == len(new)
    path.write_bytes(content.replace(old, new))


def mended(outbox: Outbox) -> Outbox:
    """All that is to be done about the files is done."""
    outbox.mend()
    while outbox._file.salvage:
        outbox.mend()
    return outbox


def sent(outbox: Outbox) -> dict[int, bytes]:
    """What would be sent, in portions, until nothing more comes; each is acknowledged."""
    found: dict[int, bytes] = {}
    while rows := outbox.newest(50):
        bodies = outbox.read(rows)
        found |= {row.id: text for row, text in bodies.items()}
        if not bodies and not outbox.spoilt:
            break
        outbox.spoilt.clear()
        outbox.delete([row.key for row in bodies])
    return found


def names(outbox: Outbox) -> list[str]:
    return [finding.name for finding in outbox.findings]


ONE_BAD = [
    pytest.param(b"0100 as it was", b"0100 as\x00it was", id="a byte that breaks the JSON"),
    pytest.param(b"0100 as it was", b"0100 as\xffit was", id="a byte that breaks the text"),
    pytest.param(b"0100 as it was", b"0101 as it was", id="a digit that only changes what it says"),
    pytest.param(b'"id":100,', b'"id":101,', id="the id that it says"),
]


@pytest.mark.parametrize(("old", "new"), ONE_BAD)
def test_one_flipped_byte_costs_its_own_record_and_no_other(filled: Path, old: bytes, new: bytes) -> None:
    change(filled, old, new)
    outbox = mended(open_outbox(filled))
    assert sent(outbox) == {number: body(number) for number in range(1, COUNT + 1) if number != 100}
    assert outbox.damaged == 1
    assert len(outbox) == 0, "the damaged one is out of the way"
    outbox.close()
    again = open_outbox(filled)
    assert again.damaged == 1, "a restart forgets no damage that was not told"
    again.mark_damage_reported()
    assert again.damaged == 0
    kept = sqlite3.connect(filled).execute("SELECT id, body FROM damaged").fetchall()
    assert [number for number, _ in kept] == [100]
    assert new in kept[0][1]
    again.close()


def test_the_damaged_that_are_kept_are_bounded(path: Path) -> None:
    write(path, KEPT + 50)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE record SET sum = sum + 1")
    db.close()
    outbox = open_outbox(path)
    assert sent(outbox) == {}
    assert outbox.damaged == KEPT + 50
    outbox.close()
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM damaged").fetchone() == (KEPT,)
    db.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("box", "'b0y'"), ("box", "x'ff'"), ("box", "CAST(x'62ff78' AS TEXT)"), ("id", "'no number'"), ("id", "-1.5"),
        ("body", "'text'"), ("body", "7"), ("sum", "'?'"), ("held", "7"),
    ],
)  # fmt: skip
def test_whatever_a_column_holds_costs_its_own_record(filled: Path, column: str, value: str) -> None:
    with sqlite3.connect(filled) as db:
        db.execute(f"UPDATE record SET {column} = {value} WHERE id = 100")  # noqa: S608  # from the table above
    db.close()
    outbox = mended(open_outbox(filled))
    whole = {number: body(number) for number in range(1, COUNT + 1)}
    lost = {} if column == "held" else {100: whole.pop(100)}
    assert sent(outbox) == whole
    assert outbox.damaged == len(lost)
    outbox.close()


def test_a_schema_that_is_no_text_costs_nothing(filled: Path) -> None:
    """SQLite quotes the wrong word in its message, which is no text either."""
    content = filled.read_bytes()
    assert b"PRIMARY KEY" in content
    filled.write_bytes(content.replace(b"PRIMARY KEY", b"PRIMARY \xcbEY", 1))
    outbox = mended(open_outbox(filled))
    assert sent(outbox) == {number: body(number) for number in range(1, COUNT + 1)}
    assert names(outbox) == ["outbox_corrupt"]
    outbox.close()


@given(st.integers(0, 2**32), st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_bit_anywhere_makes_nothing_false_and_no_loss_silent(written: Path, place: int, bit: int) -> None:
    content = bytearray(written.read_bytes())
    content[place % len(content)] ^= 1 << bit
    # In memory where there is such a directory: sixty outboxes are synced to a busy disk some thousand times.
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory:
        path = Path(directory) / "terminal.outbox"
        path.write_bytes(content)
        outbox = mended(open_outbox(path))
        found = sent(outbox)
        assert all(found[number] == body(number) for number in found)
        assert len(found) >= COUNT - 40, "a page holds some 30"
        assert len(found) == COUNT or outbox.damaged or outbox.findings
        outbox.append("new", 1, body(1))
        assert outbox.trouble is None
        outbox.close()


@pytest.mark.parametrize("page", [0, 1, 2, 5, -1])
@pytest.mark.parametrize("content", [b"\0", b"\xff", b"random"], ids=["zeros", "ones", "noise"])
def test_a_page_that_is_gone_costs_what_was_on_it(filled: Path, page: int, content: bytes) -> None:
    pages = filled.stat().st_size // 4096
    text = random.Random(7).randbytes(4096) if content == b"random" else content * 4096
    with filled.open("r+b") as file:
        file.seek(page % pages * 4096)
        file.write(text)
    outbox = mended(open_outbox(filled))
    found = sent(outbox)
    assert all(found[number] == body(number) for number in found)
    assert len(found) >= COUNT - 40
    assert names(outbox) == ["outbox_corrupt"]
    assert outbox.findings[0].detail["recovered"] == len(found)
    assert filled.with_suffix(".corrupt").exists()
    outbox.close()


def test_large_records_are_read_from_a_damaged_file(path: Path) -> None:
    outbox = open_outbox(path)
    words = "x" * 100_000
    for number in (1, 2, 3):
        outbox.append("b0x", number, body(number, words))
    outbox.close()
    with path.open("r+b") as file:
        file.write(bytes(8192))
    outbox = mended(open_outbox(path))
    found = sent(outbox)
    assert found
    assert all(found[number] == body(number, words) for number in found)
    outbox.close()


@pytest.mark.parametrize("left", [1, 100, 4096, 8192, 20_000, 40_000])
def test_a_file_that_was_cut_gives_what_is_left(filled: Path, left: int) -> None:
    os.truncate(filled, left)
    outbox = mended(open_outbox(filled, expected=True))
    found = sent(outbox)
    assert all(found[number] == body(number) for number in found)
    assert names(outbox) == ["outbox_lost" if left < 100 else "outbox_corrupt"]
    outbox.append("new", 1, b"x")
    assert outbox.trouble is None
    outbox.close()


@pytest.mark.parametrize(("make", "how"), [(Path.touch, "cut to nothing"), (lambda _: None, "gone")])
def test_a_file_that_is_empty_or_gone_is_a_loss_only_where_there_was_one(path: Path, make: object, how: str) -> None:
    make(path)  # type: ignore[operator]
    fresh = open_outbox(path)
    assert not fresh.findings
    fresh.close()
    path.unlink()
    make(path)  # type: ignore[operator]
    outbox = open_outbox(path, expected=True)
    assert [(finding.name, finding.detail["how"]) for finding in outbox.findings] == [("outbox_lost", how)]
    outbox.append("b", 1, b"x")
    assert outbox.trouble is None
    outbox.close()


def test_a_file_that_is_cut_to_nothing_under_the_agent_is_named(filled: Path) -> None:
    outbox = open_outbox(filled)
    os.truncate(filled, 0)
    outbox.append("new", 1, b"x")
    assert "outbox_lost" in names(outbox)
    assert outbox.trouble is None
    assert ("new", 1) in [row.key for row in mended(outbox).newest(1000)]
    outbox.close()


def test_a_file_that_is_removed_under_the_agent_is_written_anew(filled: Path) -> None:
    outbox = open_outbox(filled)
    filled.unlink()
    mended(outbox)
    outbox.append("b0x", COUNT + 1, body(COUNT + 1))
    assert names(outbox) == ["outbox_lost", "outbox_corrupt"]
    outbox.close()
    again = open_outbox(filled)
    assert sent(again) == {number: body(number) for number in range(1, COUNT + 2)}
    again.close()


@pytest.fixture
def old(path: Path) -> Iterator[sqlite3.Connection]:
    """A file as agents wrote it before records had a checksum."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(OLD_SCHEMA)
    rows = [(number, "b0x", number, 0, body(number)) for number in range(1, COUNT + 1)]
    db.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?)", rows)
    db.execute("INSERT INTO dropped VALUES (3)")
    db.commit()
    yield db
    db.close()


def test_an_older_agents_file_is_taken_over(path: Path, old: sqlite3.Connection) -> None:
    old.execute("UPDATE record SET held = 1 WHERE id = 7")
    old.execute("UPDATE record SET body = ? WHERE id = 100", (body(100).replace(b"{", b"("),))
    old.commit()
    old.close()
    outbox = mended(open_outbox(path))
    assert outbox.dropped == 3
    assert not outbox.findings
    outbox.append("new", COUNT + 1, body(COUNT + 1))
    assert sent(outbox) == {number: body(number) for number in range(1, COUNT + 2) if number != 100}
    assert outbox.damaged == 1
    outbox.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_older_agents_file_without_a_first_page_is_read(path: Path, old: sqlite3.Connection) -> None:
    old.execute("PRAGMA journal_mode = DELETE")
    old.close()
    with path.open("r+b") as file:
        file.write(bytes(4096))
    outbox = mended(open_outbox(path))
    assert sent(outbox) == {number: body(number) for number in range(1, COUNT + 1)}
    outbox.close()


def spoil_and_die(path: Path, slices: int) -> None:
    """An agent that is killed after `slices` slices of its damaged file."""
    program = (
        "import os, signal, sys; from pathlib import Path; from agents.outbox.queue import Outbox\n"
        "box = Outbox(Path(sys.argv[1]), rows=10**6, size=10**9)\n"
        f"[box.mend() for _ in range({slices})]\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("slices", [0, 1, 2, 3, 4])
def test_a_kill_in_the_middle_of_mending_loses_nothing(path: Path, slices: int) -> None:
    count = 2 * SLICE + 50
    old = sqlite3.connect(path)
    old.executescript(OLD_SCHEMA)
    old.executemany(
        "INSERT INTO record VALUES (?, ?, ?, ?, ?)", [(n, "b0x", n, 0, body(n)) for n in range(1, count + 1)]
    )
    old.commit()
    old.close()
    with path.open("r+b") as file:
        file.write(bytes(4096))
    spoil_and_die(path, slices)
    outbox = mended(open_outbox(path, expected=True))
    outbox.append("new", count + 1, body(count + 1))
    assert sent(outbox) == {number: body(number) for number in range(1, count + 2)}
    outbox.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["terminal.corrupt", "terminal.outbox"]


class TestReadOnly:
    """The database refuses every write, as on a disk that was mounted read-only."""

    @pytest.fixture
    def outbox(self, filled: Path) -> Iterator[Outbox]:
        change(filled, b"0100 as it was", b"0100 as it \xff\xff\xff")
        opened = open_outbox(filled)
        self.only_read(opened, yes=True)
        yield opened
        opened.close()

    @staticmethod
    def only_read(outbox: Outbox, *, yes: bool) -> None:
        assert outbox._file.table
        outbox._file.table._db.execute(f"PRAGMA query_only = {int(yes)}")

    def test_what_was_acknowledged_is_not_sent_again(self, outbox: Outbox) -> None:
        assert len(sent(outbox)) == COUNT - 1
        assert sent(outbox) == {}
        assert len(outbox) == 0
        assert outbox.trouble

    def test_a_damaged_record_stands_in_nobodys_way_and_is_counted(self, outbox: Outbox) -> None:
        assert 100 not in sent(outbox)
        assert outbox.damaged == 1

    def test_the_disk_has_it_once_it_can_be_written(self, outbox: Outbox, filled: Path) -> None:
        sent(outbox)
        outbox.append("new", 1, body(1))
        self.only_read(outbox, yes=False)
        outbox.append("new", 2, body(2))
        assert outbox.trouble is None
        db = sqlite3.connect(filled)
        assert db.execute("SELECT box, id FROM record ORDER BY id").fetchall() == [("new", 1), ("new", 2)]
        db.close()


def test_the_findings_that_nobody_asks_for_are_bounded(path: Path) -> None:
    outbox = open_outbox(path)
    for number in range(50):
        path.unlink()
        mended(outbox)
        outbox.append("a", number, b"x")
    assert len(outbox.findings) == outbox.findings.maxlen
    outbox.close()
