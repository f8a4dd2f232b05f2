"""Prints each alert that Milepost posts to it: python receiver.py PORT."""

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

MOST = 1_000_000
"""Bytes of a body that are read."""


class Alerts(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = min(int(self.headers["Content-Length"]), MOST)
        alert = json.loads(self.rfile.read(length))
        print(json.dumps(alert, ensure_ascii=False, indent=2), flush=True)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing beside the alerts."""


if __name__ == "__main__":
    address = ("127.0.0.1", int(sys.argv[1]))
    print("listening on port", address[1], flush=True)
    HTTPServer(address, Alerts).serve_forever()
