"""The part of Grafana's HTTP API that sync uses, as Grafana's documentation describes it: a real one is not to be had
where the tests run. What it holds is `folders`, `datasources` and `dashboards`, by uid."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "glsa_made_up"


class GrafanaServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folders: dict[str, dict[str, Any]] = {}
        self.datasources: dict[str, dict[str, Any]] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.written: list[str] = []
        self.messages: dict[str, list[str]] = {}
        self.lists_versions = False
        self.refuse: tuple[int, str] | None = None
        self.breaks_after: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if method != "GET":
            self.written.append(f"{method} {path}")
        kind, _, uid = path.removeprefix("/api/").replace("/uid/", "/").partition("/")
        if kind == "folders":
            return self._folder(method, uid, body)
        if kind == "datasources":
            return self._datasource(method, uid, body)
        if uid.partition("?")[0].endswith("/versions"):
            return self._versions(uid.partition("/")[0])
        return self._dashboard(method, uid, body)

    def _folder(self, method: str, uid: str, body: dict[str, Any]) -> tuple[int, Any]:
        if method == "POST":
            self.folders[body["uid"]] = {**body, "version": 1}
            return 200, self.folders[body["uid"]]
        if uid not in self.folders:
            return 404, {"message": "folder not found", "status": "not-found"}
        if method == "PUT":
            if not body.get("overwrite"):
                return 412, {"message": "The folder has been changed by someone else", "status": "version-mismatch"}
            self.folders[uid] |= {"title": body["title"]}
        return 200, self.folders[uid]

    def _datasource(self, method: str, uid: str, body: dict[str, Any]) -> tuple[int, Any]:
        if method == "GET":
            found = self.datasources.get(uid)
            return (404, {"message": "Data source not found"}) if found is None else (200, _shown(found))
        uid = uid or body["uid"]
        if method == "POST" and uid in self.datasources:
            return 409, {"message": "data source with the same name already exists"}
        version = self.datasources.get(uid, {}).get("version", 0) + 1
        self.datasources[uid] = {"readOnly": False, **body, "id": 1, "orgId": 1, "version": version}
        return 200, {"datasource": _shown(self.datasources[uid]), "message": "Datasource added", "id": 1}

    def _dashboard(self, method: str, uid: str, body: dict[str, Any]) -> tuple[int, Any]:
        if method == "GET":
            found = self.dashboards.get(uid)
            return (404, {"message": "Dashboard not found"}) if found is None else (200, found)
        model = body["dashboard"]
        if model["uid"] in self.dashboards and not body.get("overwrite"):
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        version = self.dashboards.get(model["uid"], {}).get("dashboard", {}).get("version", 0) + 1
        self.dashboards[model["uid"]] = {
            "meta": {"folderUid": body["folderUid"], "provisioned": False, "version": version},
            # As a newer Grafana does, which answers in its own newest model.
            "dashboard": {**model, "id": 7, "version": version, "schemaVersion": 99},
        }
        self.messages.setdefault(model["uid"], []).insert(0, body.get("message", ""))
        return 200, {"id": 7, "uid": model["uid"], "status": "success", "version": version}

    def save_by_hand(self, uid: str, **changes: Any) -> None:
        """What a person does in Grafana's editor."""
        self.dashboards[uid]["dashboard"] |= changes
        self.messages[uid].insert(0, "made it nicer")

    def _versions(self, uid: str) -> tuple[int, Any]:
        """Grafana 11 answers a list, newer ones an object."""
        versions = [{"version": n, "message": message} for n, message in enumerate(self.messages.get(uid, ()))]
        return 200, versions if self.lists_versions else {"continueToken": "", "versions": versions}


def _shown(datasource: dict[str, Any]) -> dict[str, Any]:
    """Secrets are never answered, only that they are there."""
    secrets = datasource.get("secureJsonData", {})
    rest = {name: value for name, value in datasource.items() if name != "secureJsonData"}
    return {**rest, "secureJsonFields": dict.fromkeys(secrets, True)}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: GrafanaServer

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.breaks_after is not None and len(self.server.written) >= self.server.breaks_after:
            self.close_connection = True
        elif self.server.refuse is not None:
            self._say(self.server.refuse[0], self.server.refuse[1].encode())
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._say(401, b'{"message":"Invalid API key"}')
        elif not re.match(r"/api/(folders|datasources|dashboards)(/|$)", self.path):
            self._say(404, b'{"message":"Not found"}')
        else:
            status, answer = self.server.answer(self.command, self.path, json.loads(raw or b"{}"))
            self._say(status, json.dumps(answer).encode())

    do_GET = do_POST = do_PUT = _serve  # noqa: N815 -- the names its parent looks for

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- its parent's name for it
        pass


@contextmanager
def grafana_server() -> Iterator[GrafanaServer]:
    with GrafanaServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="grafana")
        thread.start()
        yield server
        server.shutdown()
        thread.join()
