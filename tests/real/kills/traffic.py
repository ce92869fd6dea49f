"""What happens at the providers all the while: people who sign in, or fail to, and a sender of signed webhooks."""

import contextlib
import hashlib
import hmac
import json
import random
import secrets
import threading
from collections.abc import Callable
from typing import Self

import httpx
from keycloak.server import Keycloak

from actas.model import clock

PEOPLE = ("ana", "ben", "chidi")
SENDER_SECRET = "what-the-sender-signs-by"


class Traffic:
    """Does one thing again and again, beside the test, until the end of the block."""

    def __init__(self, seed: int, pause: float) -> None:
        self._dice, self._pause = random.Random(seed), pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failed = 0
        """How often nobody was there."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        with httpx.Client(timeout=20, trust_env=False) as client:
            while not self._stop.wait(self._pause * self._dice.uniform(0.5, 1.5)):
                with contextlib.suppress(httpx.HTTPError):
                    self.once(client)
                    continue
                self.failed += 1

    def once(self, client: httpx.Client) -> None:
        raise NotImplementedError


class SignIns(Traffic):
    """People at a real Keycloak; one attempt in four has the wrong password."""

    def __init__(self, keycloak: Keycloak, *, seed: int = 1, pause: float = 0.15) -> None:
        super().__init__(seed, pause)
        self._url = f"{keycloak.issuer}/protocol/openid-connect/token"
        self.answered = self.signed_in = 0
        """Answers of any kind, also of a Keycloak that only begins to start; and sign-ins that succeeded."""

    def once(self, client: httpx.Client) -> None:
        name = self._dice.choice(PEOPLE)
        password = "wrong" if self._dice.random() < 0.25 else f"{name}-pw"
        form = {"grant_type": "password", "client_id": "cli", "scope": "openid", "username": name}
        status = client.post(self._url, data={**form, "password": password}).status_code
        self.answered += 1
        self.signed_in += status == 200


class Sender(Traffic):
    """A provider that pushes events and tells each until it is acknowledged, at whichever gateway takes it."""

    def __init__(self, urls: Callable[[], list[str]], *, seed: int = 1, pause: float = 0.15) -> None:
        super().__init__(seed, pause)
        self._urls = urls
        self.acknowledged: list[str] = []
        self._told: str | None = None

    def once(self, client: httpx.Client) -> None:
        self._told = self._told or secrets.token_hex(16)
        event = {
            "id": self._told, "type": "in", "time": clock.now().isoformat(),
            "who": f"person-{self._dice.randrange(20)}",
        }  # fmt: skip
        body = json.dumps(event).encode()
        signature = hmac.new(SENDER_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Sig": signature, "Content-Type": "application/json"}
        answer = client.post(f"{self._dice.choice(self._urls())}/events/sender", content=body, headers=headers)
        if answer.status_code != 204:
            self.failed += 1
            return
        self.acknowledged.append(self._told)
        self._told = None
