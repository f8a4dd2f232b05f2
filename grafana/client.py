"""A client for the few calls of Grafana's HTTP API that sync needs, on the standard library.

The published client for Python installs a package that overwrites `urllib3` for the whole environment, which delivers
alerts; five calls are not worth that.
"""

import http.client
import json
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit

from contract.errors import RemedyError, reason_of

LONGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that are read."""


class GrafanaClient:
    """One Grafana server. Each call returns the JSON of the answer.

    Raises RemedyError when the server cannot be reached, is no Grafana, or refuses the token or the request. Redirects
    are not followed, because the token is only for this address.
    """

    def __init__(self, *, url: str, token: str, timeout: float = 10.0) -> None:
        parts = urlsplit(url.rstrip("/"))
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.url = url.rstrip("/")
        self._prefix = parts.path
        self._connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    def get(self, path: str) -> dict[str, Any] | None:
        """GET `path` below /api; None when Grafana answers 404."""
        return self._object("GET", path, None)

    def newest_message(self, uid: str) -> str | None:
        """What the newest saved version of a dashboard was saved with; None when Grafana keeps no versions.

        Grafana 11 answers a list, newer ones an object with `versions` (grafana/grafana#104556).
        """
        answer = self._call("GET", f"/dashboards/uid/{uid}/versions?limit=1", None)
        versions = answer.get("versions") if isinstance(answer, dict) else answer
        newest = versions[0] if isinstance(versions, list) and versions else None
        return str(newest.get("message", "")) if isinstance(newest, dict) else None

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST `body` to `path` below /api."""
        return self._object("POST", path, body) or {}

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """PUT `body` to `path` below /api."""
        return self._object("PUT", path, body) or {}

    def _object(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any] | None:
        answer = self._call(method, path, body)
        if isinstance(answer, list):
            raise self._remedy(method, path, http.client.OK, None)
        return answer

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any] | list[Any] | None:
        status, raw = self._exchange(method, path, body)
        if method == "GET" and status == http.client.NOT_FOUND:
            return None
        answer = _parsed(raw)
        if status >= http.client.MULTIPLE_CHOICES or answer is None:
            raise self._remedy(method, path, status, answer)
        return answer

    def _exchange(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, bytes]:
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        try:
            sent = None if body is None else json.dumps(body)
            self._connection.request(method, f"{self._prefix}/api{path}", sent, headers)
            response = self._connection.getresponse()
            return response.status, response.read(LONGEST_ANSWER)
        except (OSError, http.client.HTTPException) as exc:
            raise RemedyError(
                f"Grafana at {self.url} cannot be reached ({reason_of(exc)}): start it, or correct --url",
                f"无法连接 {self.url} 的 Grafana（{reason_of(exc)}）：请启动它，或改正 --url",
            ) from exc

    def _remedy(self, method: str, path: str, status: int, answer: dict[str, Any] | list[Any] | None) -> RemedyError:
        if status == http.client.UNAUTHORIZED:
            return RemedyError(
                f"Grafana at {self.url} does not know the token: make one for a service account with the role Admin",
                f"{self.url} 的 Grafana 不认识此令牌：请为角色是 Admin 的服务账户生成令牌",
            )
        if status == http.client.FORBIDDEN:
            return RemedyError(
                f"the token may not {method} {path} at {self.url}: give its service account the role Admin",
                f"令牌无权在 {self.url} 执行 {method} {path}：请将其服务账户设为 Admin 角色",
            )
        if answer is None:
            return RemedyError(
                f"{self.url} answered {status} and no JSON: give --url as the address of Grafana itself",
                f"{self.url} 返回 {status}，且不是 JSON：--url 须为 Grafana 本身的地址",
            )
        why = (answer.get("message") if isinstance(answer, dict) else None) or answer
        return RemedyError(
            f"Grafana at {self.url} answered {status} to {method} {path}: {why}",
            f"{self.url} 的 Grafana 对 {method} {path} 返回 {status}：{why}",
        )


def _parsed(raw: bytes) -> dict[str, Any] | list[Any] | None:
    try:
        answer = json.loads(raw)
    except ValueError:
        return None
    return answer if isinstance(answer, dict | list) else None
