"""Requests made up from the description of the API, as each role: no failure, and answers as they are described."""

from pathlib import Path
from typing import Final

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.matrix.askers import TOKENS, Asker
from tests.integration.matrix.places import Place, open_place
from tests.integration.matrix.subjects import FAR_AWAY, Subject
from tests.integration.matrix.table import ROWS
from tests.integration.matrix.test_matrix import marks_in, shown

_CHECKS: Final = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance,
]  # fmt: skip
_MANY: Final = 3
"""Requests made up for each path, each also sent about something in the scope and something outside."""
_ENDLESS: Final = "/api/v1/stream"
_BASE: Final = "http://milepost.test"


_MADE: Final[dict[str, list[Case]]] = {}


def made_up(operation: APIOperation) -> list[Case]:
    """The same cases in each run and for each role."""
    if operation.label in _MADE:
        return _MADE[operation.label]
    found = _MADE.setdefault(operation.label, [])

    @settings(max_examples=_MANY, derandomize=True, database=None, phases=[Phase.generate], deadline=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(operation.as_strategy())
    def gather(case: Case) -> None:
        found.append(case)

    gather()
    return found


def about(case: Case, subject: Subject) -> dict[str, object]:
    """The parameters of a path that is about a thing that is there, but not about the token that asks."""
    row = next(row for row in ROWS if row.route == (case.method.upper(), case.operation.path))
    names = {"id": subject.path(row).split("/")[4], "code": subject.area, "shard": "main"}
    if "/tokens/" in row.path or "/sessions/" in row.path:
        return dict(case.path_parameters)
    return {name: names.get(name, value) for name, value in case.path_parameters.items()}


async def send(place: Place, case: Case, headers: dict[str, str]) -> httpx.Response:
    """Send a case as it is."""
    plain = requests.Request(**case.as_transport_kwargs(base_url=_BASE)).prepare()
    assert plain.url is not None
    assert plain.method is not None
    place.client.cookies.clear()
    given = {name: value for name, value in plain.headers.items() if name.lower() not in ("host", "authorization")}
    answer = await place.client.request(plain.method, plain.url, headers=given | headers, content=plain.body)
    answer.elapsed  # noqa: B018 -- schemathesis asks for it
    return answer


@pytest.mark.timeout(300)
@pytest.mark.parametrize("asker", TOKENS, ids=lambda asker: asker.name)
async def test_answers_are_as_they_are_described(
    asker: Asker, postgres_server: str, template: str, tmp_path: Path
) -> None:
    async with open_place(postgres_server, template, tmp_path) as place:
        headers = await place.access.headers(asker)
        schema = schemathesis.openapi.from_dict(place.app.openapi())
        wrong, statuses = [], set[int]()
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.path == _ENDLESS or operation.path == "/docs":
                continue
            if operation.path == "/readyz":  # however long the answers took until now
                await place.pool.execute("UPDATE partition_clock SET tick_at = now(), judged_at = now()")
            for case in made_up(operation):
                subjects = (place.subjects.standing(asker.role), FAR_AWAY) if case.path_parameters else ()
                plain = case.path_parameters
                for parameters in (*(about(case, subject) for subject in subjects), plain):
                    case.path_parameters = parameters
                    answer = await send(place, case, headers)
                    statuses.add(answer.status_code)
                    if found_marks := marks_in(FAR_AWAY.masked(shown(answer))):
                        wrong.append(f"{operation.label} {answer.status_code} shows {found_marks}")
                    try:
                        case.validate_response(answer, checks=_CHECKS)
                    except FailureGroup as group:
                        wrong.append(f"{operation.label} {answer.status_code}: {group.exceptions}: {answer.text[:300]}")
        assert not wrong, "\n".join(wrong)[:6000]
        assert {200, 403, 404, 422} - ({403} if asker.letter == "A" else set()) <= statuses
