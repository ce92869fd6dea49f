"""Where the effects of a function land that deduplicates by idempotency key: a service that is never killed.

A key and its effect are kept in one step, as a database would by a unique key. What the effect is about is the
provider's own id of the event: so a delivery that came again with another key would show as a second effect.
"""

import http.server
import json
import threading
from collections import Counter
from typing import Self


class Ledger:
    """Counts what it is told, once for each key."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._lock = threading.Lock()
        self._keys: set[str] = set()
        self._effects: Counter[tuple[str, str]] = Counter()
        self.told = 0
        """How often it was told of an effect, also of one that it knew."""
        ledger = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps({"first": ledger.note(body)}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def note(self, body: dict[str, str]) -> bool:
        """Have the effect, if the key is new; tell whether it was."""
        with self._lock:
            self.told += 1
            if body["key"] in self._keys:
                return False
            self._keys.add(body["key"])
            self._effects[body["source"], body["id"]] += 1
            return True

    def effects(self, source: str) -> Counter[str]:
        """Give how often each event of *source* had its effect, by the provider's own id."""
        with self._lock:
            return Counter({name: count for (whose, name), count in self._effects.items() if whose == source})

    @property
    def count(self) -> int:
        with self._lock:
            return len(self._keys)


FUNCTION = '''
"""Tell the ledger of an event, by its idempotency key, and work on for a moment: that is when it is killed."""

import json
import os
import time
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

URL = os.environ["AWS_ENDPOINT_URL_LAMBDA"] + "/2015-03-31/functions/ledger/invocations"


def handler(event, context):
    told = {"key": event["id"], "id": event["data"]["id"], "source": event["data"]["source"]}
    invoke(json.dumps(told).encode())
    time.sleep(0.1)


def invoke(body):
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    request = AWSRequest("POST", URL, data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(*(os.environ[name] for name in names)), "lambda", os.environ["AWS_REGION"]).add_auth(request)
    request = urllib.request.Request(URL, body, dict(request.headers), method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        if answer.headers.get("X-Amz-Function-Error"):
            raise RuntimeError("the ledger did not answer")
'''
