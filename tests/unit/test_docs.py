"""What README, CONTRIBUTING and the Makefile say is so."""

import re
import shlex
from pathlib import Path

import pytest

from milepost.cli import COMMANDS, UsageError, build_parser
from tests.machine_words import ROOMS, ROOT

DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
VALUES = {"ID": "6321220007", "STATION": "6321220007", "URL": "mqtt://127.0.0.1", "FILE": "x.csv", "N": "40", "S": "2"}


def commands_in(text: str) -> list[str]:
    """Each `milepost …` of code spans and indented blocks."""
    spans = re.findall(r"`((?:\.venv/bin/)?milepost [^`]+)`", text)
    blocks = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    lines = [part for block in blocks for part in block.split("#")[0].split("&&") if "milepost " in part]
    return [line.strip().removeprefix(".venv/bin/") for line in spans + lines]


TYPED = [README, (DOCS / "README.md").read_text(encoding="utf-8")]


@pytest.mark.parametrize(
    "line", sorted({line for text in TYPED for line in commands_in(text) if not re.search("COMMAND|…", line)})
)
def test_every_command_that_is_shown_can_be_typed(line: str) -> None:
    words = [VALUES.get(word, word) for word in shlex.split(line)]
    try:
        build_parser().parse_args(words[1:])
    except UsageError as exc:
        pytest.fail(f"{line}: {exc}")


def written_in(document: Path) -> list[str]:
    """The commands of a page, without what a shell makes of them."""
    lines = commands_in(document.read_text(encoding="utf-8"))
    plain = [re.sub(r"\$\([^)]*\)", "x", re.sub(r"[<>]\s*\S+|[\[\]]", "", line)) for line in lines]
    return [line for line in plain if line.startswith("milepost ") and not re.search("COMMAND|WHAT|…", line)]


@pytest.mark.parametrize("document", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_every_command_of_a_page_is_there(document: Path) -> None:
    """Its words may be left out in a sentence; those that are written must be right."""
    for line in written_in(document):
        words = [VALUES.get(word, word) for word in shlex.split(line)]
        try:
            build_parser().parse_args(words[1:])
        except UsageError as exc:
            assert "required" in str(exc), line


@pytest.mark.parametrize("line", ["milepost exports", "milepost users ad", "milepost import routes --dryrun x.csv"])
def test_a_command_that_is_not_there_would_be_noticed(tmp_path: Path, line: str) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"A `{line}`, and\n\n    .venv/bin/{line} <file\n", encoding="utf-8")
    assert written_in(document) == [line, f"{line} "]
    with pytest.raises(AssertionError):
        test_every_command_of_a_page_is_there(document)


def test_every_command_is_in_the_readme() -> None:
    written = {line.split()[1] for line in commands_in(README)}
    assert set(COMMANDS) <= written


def test_every_target_that_is_written_about_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    spoken_of = set(re.findall(r"^    make ([a-z]+)", README + contributing, flags=re.MULTILINE))
    assert {"demo", "test", "check", "bench"} <= spoken_of <= targets


def anchors(document: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} (.+)$", without_code(document), flags=re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        numbered = (f"{slug}-{number}" if number else slug for number in range(1000))
        found.add(next(name for name in numbered if name not in found))
    return found


def without_code(document: Path) -> str:
    """The text without fenced and indented blocks."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)


def broken_links(document: Path) -> list[str]:
    """Links to files that are not there, and to headings that their page does not have."""
    broken = []
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', without_code(document)):
        path, _, anchor = target.partition("#")
        page = document.parent / path if path else document
        if "://" in target:
            continue
        if not page.exists() or (anchor and page.suffix == ".md" and anchor not in anchors(page)):
            broken.append(target)
    return broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(document: Path) -> None:
    assert broken_links(document) == []


def test_a_link_that_leads_nowhere_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    page.write_text("# A `b`, c\n## A\n## A\n    # no heading\n[x](#a-b-c) [x](#a-1) [x](a.md#a) [x](https://x/y#z)\n")
    assert broken_links(page) == []
    page.write_text('# A\n[x](#b) [x](b.md) [x](a.md#c)\n    # b\n<img src="c.png">\n')
    assert broken_links(page) == ["#b", "b.md", "a.md#c", "c.png"]


def test_every_page_is_in_the_table_of_contents_with_a_line() -> None:
    """Also every decision, by its own title."""
    contents = (DOCS / "README.md").read_text(encoding="utf-8")
    for page in sorted(DOCS.glob("*.md")):
        if page.name != "README.md":
            assert re.search(rf"^\| \[{page.name}\]\({page.name}\) \| .{{20,}} \|$", contents, re.MULTILINE), page.name
    for page in sorted((DOCS / "adr").glob("*.md")):
        number, _, title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").partition(". ")
        assert f"| {number} | [{title}](adr/{page.name}) |" in contents, page.name
    assert "(docs/README.md)" in README


def test_pins_name_no_host() -> None:
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][^\s/@:]*", line), line


CODE_PATHS = re.compile(r"`((?:\w+/)*\w+\.(?:py|sql|yaml))`")
MADE = {"roles.sql"}
"""What `milepost backup` writes."""
CODE_FOLDERS = [ROOT / room for room in (*ROOMS, "bench", "tests")]


def test_every_file_that_is_named_is_there() -> None:
    """In documents and in docstrings; a name without its folders is that of some file."""
    files = [path for folder in CODE_FOLDERS for path in folder.rglob("*.*")]
    known = {path.relative_to(ROOT).as_posix() for path in files} | {path.name for path in files}
    documents = [path for path in DOCUMENTS if path.name != "CHANGELOG.md"]
    code = [path for path in files if path.suffix == ".py"]
    texts = {path: path.read_text(encoding="utf-8") for path in (*documents, *code)}
    named = {(path.relative_to(ROOT).as_posix(), name) for path in texts for name in CODE_PATHS.findall(texts[path])}
    assert len(named) > 50
    assert {(where, name) for where, name in named if name not in known | MADE} == set()


NAMED_IN = re.compile(r"`(\w+)` in\s+`([\w/]+\.py)`")


def test_every_step_of_a_walk_names_a_function_of_its_file() -> None:
    walks = (DOCS / "architecture.md").read_text(encoding="utf-8").partition("## Three walks")[2].partition("\n## ")[0]
    steps = NAMED_IN.findall(walks)
    assert len(steps) > 25
    for name, path in steps:
        code = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^ *(async def|def|class) {name}\b", code, re.MULTILINE), f"{path} has no {name}"
