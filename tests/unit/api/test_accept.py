"""Who asks: a browser, which wants a page, or a program, which wants the document."""

import pytest

from api.http.accept import by_preference, is_browser, is_program

CASES = {
    "a browser": ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True, False),
    "a client that takes anything": ("*/*", False, False),
    "nothing said": ("", False, False),
    "a program": ("application/json", False, True),
    "a program that knows problems": ("application/problem+json, application/json;q=0.9", False, True),
    "rather JSON than a page": ("text/html;q=0.2, application/json", False, True),
    "rather a page than JSON": ("application/json;q=0.5, Text/HTML", True, False),
    "no page at all": ("text/html;q=0", False, False),
    "a weight that is none": ("text/html;q=much", False, False),
    "another parameter than a weight": ("text/html;level=1", True, False),
}


@pytest.mark.parametrize("name", CASES)
def test_who_asks(name: str) -> None:
    accepted, browser, program = CASES[name]
    assert (is_browser(accepted), is_program(accepted)) == (browser, program)


def test_the_most_wanted_comes_first_and_what_is_refused_not_at_all() -> None:
    assert by_preference("en;q=0.5, zh-CN, de;q=0, fr;q=0.9") == ["zh-CN", "fr", "en"]
    assert len(by_preference(", ".join(["en"] * 1000))) <= 20
