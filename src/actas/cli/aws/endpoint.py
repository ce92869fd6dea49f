"""Give credentials on loopback as a container's are given, to programs that hold the token for it.

Every AWS SDK reads ``AWS_CONTAINER_CREDENTIALS_FULL_URI`` and asks again before what it holds ends.
"""

import hmac
import http.server
import secrets
import socketserver
import threading
from types import TracebackType
from typing import Any, Final, Self

import anyio

from actas.cli.aws import forms
from actas.cli.aws.taking import Purse
from actas.errors import ActasError

HOST: Final = "127.0.0.1"
PATH: Final = "/credentials"
MOST: Final = 16
"""Connections at once."""
PATIENCE: Final = 10.0
"""Seconds that one connection may take to ask."""


class Endpoint:
    """A listener that lives as long as the block."""

    def __init__(self, purse: Purse) -> None:
        self._token = secrets.token_urlsafe(32)
        self._server = _Server(purse, self._token)
        self._thread = threading.Thread(target=self._server.serve_forever, name="credentials", daemon=True)

    @property
    def variables(self) -> dict[str, str]:
        """Tell a program where to ask and what to show."""
        wanted = self._server.purse.wanted
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{HOST}:{self._server.server_address[1]}{PATH}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": self._token,
            **forms.places(wanted.control, self._server.purse.public, self._server.purse.region),
        }

    def wait(self) -> None:
        """Serve until interrupted."""
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, purse: Purse, token: str) -> None:
        super().__init__((HOST, 0), _Handler)
        self.purse, self.token = purse, token
        self._free = threading.BoundedSemaphore(MOST)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection, or hang up where there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve it, and make room for the next."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """Say nothing of a connection that broke: it is the program's own affair."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE
    server_version, sys_version = "actas", ""

    def do_GET(self) -> None:
        shown = self.headers.get_all("Authorization") or [""]
        if len(shown) != 1 or not hmac.compare_digest(shown[0].encode(), self.server.token.encode()):
            self._say(401, '{"code":"NotAuthorized","message":"the authorization token is not the one given"}')
        elif self.path != PATH:
            self._say(404, '{"code":"NotFound","message":"there is nothing here"}')
        else:
            self._give()

    def _give(self) -> None:
        try:
            taken = anyio.run(self.server.purse.credentials)
        except ActasError as wrong:
            self._say(500, forms.failure_json(wrong.code, str(wrong)))
        else:
            self._say(200, forms.container_json(taken, self.server.purse.wanted.role))

    def _say(self, status: int, body: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *_values: object) -> None:  # noqa: A002 - the name is the library's
        """Log nothing: who asks is on this machine."""
