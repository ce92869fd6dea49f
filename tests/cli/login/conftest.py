"""A real provider, a real loopback listener, and a browser made of HTTP requests."""

import re
import threading

import anyio
import httpx
import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from actas.cli.login_provider import LoginClient
from actas.model import clock


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def now():
    """One moment, for the provider and for us."""
    return clock.now()


@pytest.fixture
def idp(make_actas_idp, now):
    """A provider whose clock stands still until a test moves it (``idp.faults.skew``)."""
    return make_actas_idp(algorithm="ES256", clock=lambda: now)


@pytest.fixture
def client(idp):
    return LoginClient(provider="corp", issuer=idp.issuer, client_id="cli")


@pytest.fixture(autouse=True)
def keyring_of_this_machine(request):
    """No test touches the keyring of whoever runs it: there is none, unless the test asks for one."""
    before = keyring.get_keyring()
    keyring.set_keyring(InFiles() if "has_keyring" in request.fixturenames else keyring.backends.fail.Keyring())
    yield keyring.get_keyring()
    keyring.set_keyring(before)


@pytest.fixture
def has_keyring(keyring_of_this_machine):
    """A keyring that a system would guard."""
    return keyring_of_this_machine


class InFiles(KeyringBackend):
    """Keeps the whole contract of a keyring back end, in memory."""

    priority = 5

    def __init__(self):
        super().__init__()
        self.kept = {}

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def delete_password(self, service, username):
        if (service, username) not in self.kept:
            raise PasswordDeleteError
        del self.kept[service, username]


class Browser:
    """Opens the address it is given, signs somebody in, and follows the way back."""

    def __init__(self, idp, person="ana", answer="yes"):
        self.idp, self.person, self.answer = idp, person, answer
        self.pages = []
        self.opened = []
        self._is_done = threading.Event()

    def __call__(self, url):
        """Be called in a thread, as the system's browser is."""
        self.opened.append(url)
        try:
            self._sign_in(url)
        finally:
            self._is_done.set()
        return True

    def settled(self):
        """Wait until the last page is there; whoever is signed in does not wait for it."""
        assert not self.opened or self._is_done.wait(10)

    def _sign_in(self, url):
        with httpx.Client() as web:
            shown = web.get(url)
            ticket = re.search(r'name="ticket" value="([^"]+)"', shown.text)[1]
            password = self.idp.people[self.person].password.reveal()
            said = {"ticket": ticket, "person": self.person, "password": password, "answer": self.answer}
            back = web.post(f"{self.idp.base_url}/sign-in", data=said)
            self.come_back(web, back.headers["location"])

    def come_back(self, web, location):
        self.pages.append(web.get(location))


@pytest.fixture
def browser(idp):
    return Browser(idp)


@pytest.fixture
def browser_of():
    return Browser


@pytest.fixture
def within():
    """Run something that must not hang."""

    async def run(wanted, seconds=10):
        with anyio.fail_after(seconds):
            return await wanted

    return run
