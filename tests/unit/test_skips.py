from tests.skips import skip_table


def test_reasons_are_counted_with_their_files() -> None:
    skips = [
        ("tests/a.py::test_1", "Skipped: no Java"),
        ("tests/b.py::test_2[x]", "Skipped: no npm"),
        ("tests/a.py::test_3", "Skipped: no npm"),
    ]
    assert skip_table(skips) == [
        "tests  reason, and the files",
        "    2  no npm (tests/a.py, tests/b.py)",
        "    1  no Java (tests/a.py)",
    ]


def test_no_skip_is_said_too() -> None:
    assert skip_table([]) == ["nothing"]
