"""Which bodies may be large, and how many at a time."""

import pytest

from api.http.problems import Problem
from api.http.uploads.bounds import MOST_OF_ACCOUNT, MOST_UPLOADS, Uploads, carries_file

FORM, PICTURE = "multipart/form-data; boundary=B", "image/jpeg"


@pytest.mark.parametrize(
    ("method", "path", "content_type", "large"),
    [
        ("POST", "/api/v1/incidents/17/photos", PICTURE, True),
        ("POST", "/api/v1/closures/17/photos", FORM, True),
        ("POST", "/incidents/17/photos", FORM, True),
        ("POST", "/api/v1/findings/17/photos", PICTURE, True),
        ("POST", "/findings/17/photos", FORM, True),
        ("POST", "/closures", FORM, True),
        ("POST", "/findings", FORM, True),
        ("POST", "/disputes", FORM, True),
        ("POST", "/incidents/17/repair", FORM, True),
        ("POST", "/api/v1/incidents/17/repairs", FORM, False),
        ("POST", "/api/v1/disputes", FORM, False),
        ("POST", "/findings/17/answer", FORM, False),
        ("POST", "/closures", "application/x-www-form-urlencoded", False),
        ("POST", "/closures", "text/plain", False),
        ("POST", "/api/v1/closures", FORM, False),
        ("PUT", "/incidents/17/photos", FORM, False),
        ("POST", "/incidents/17/note", FORM, False),
        ("POST", "/incidents/x/photos", FORM, False),
        ("POST", "/incidents/17/photos/x", FORM, False),
        ("POST", "/x/incidents/17/photos", FORM, False),
        ("POST", "/signin", FORM, False),
    ],
)
def test_only_some_requests_carry_a_file(method: str, path: str, content_type: str, large: bool) -> None:
    assert carries_file(method, path, content_type) is large


def test_one_account_cannot_take_all_places_and_places_are_given_back() -> None:
    uploads = Uploads()

    def hold(account: str, others: int) -> int:
        """The status of the first refusal while `others` places more are taken; 0: none."""
        try:
            with uploads.hold(account):
                return hold(account, others - 1) if others else 0
        except Problem as exc:
            return exc.status

    assert hold("a", MOST_OF_ACCOUNT - 1) == 0
    assert hold("a", MOST_OF_ACCOUNT) == 429

    def fill(number: int) -> int:
        try:
            with uploads.hold(f"a{number}"):
                return fill(number - 1) if number else 0
        except Problem as exc:
            return exc.status

    assert fill(MOST_UPLOADS - 1) == 0
    assert fill(MOST_UPLOADS) == 503
    assert hold("a", 0) == 0
