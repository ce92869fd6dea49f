"""A browser without a screen: keeps cookies as browsers do on loopback, sends forms on, signs in where asked."""

import html
import re
import socket
from urllib.parse import urljoin, urlsplit

import httpx

FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL | re.IGNORECASE)
INPUT = re.compile(r"<(?:input|button)\b[^>]*>", re.IGNORECASE)
MOST_STEPS = 24


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Cookies:
    """What one browser keeps for 127.0.0.1, whose ports share cookies; Secure ones too, as browsers have it there."""

    def __init__(self):
        self.kept = {}

    def take(self, answer):
        for line in answer.headers.get_list("set-cookie"):
            first, *rest = [part.strip() for part in line.split(";")]
            name, _, value = first.partition("=")
            told = {key.lower(): text for key, _, text in (part.partition("=") for part in rest)}
            key = (name, told.get("path", "/"))
            if told.get("max-age") == "0" or not value:
                self.kept.pop(key, None)
            else:
                self.kept[key] = value

    def shown(self, address):
        path = urlsplit(address).path
        found = [f"{name}={value}" for (name, below), value in self.kept.items() if path.startswith(below)]
        return {"Cookie": "; ".join(found)} if found else {}


def _attribute(tag, name):
    found = re.search(rf'\b{name}\s*=\s*"([^"]*)"', tag, re.DOTALL | re.IGNORECASE)
    return html.unescape(found[1]) if found else None


def form_of(page, base, wanted=None):
    """Read a form of a page: where it goes, and its fields."""
    found = [one for one in FORM.findall(page) if wanted is None or wanted in one]
    assert found, page[:2000]
    fields = {_attribute(tag, "name"): _attribute(tag, "value") or "" for tag in INPUT.findall(found[0])}
    action = _attribute(found[0].partition(">")[0] + ">", "action") or base
    return urljoin(base, action), {name: value for name, value in fields.items() if name}


class Visitor:
    """One browser."""

    def __init__(self):
        self.client = httpx.Client(trust_env=False, timeout=60, follow_redirects=False)
        self.cookies = Cookies()
        self.seen = []
        """Every address that was visited, with what came."""

    def close(self):
        self.client.close()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def go(self, method, address, form=None):
        """Visit, and follow redirections up to a page, or to where *stop* is."""
        for _ in range(MOST_STEPS):
            self.client.cookies.clear()
            answer = self.client.request(method, address, data=form, headers=self.cookies.shown(address))
            self.cookies.take(answer)
            self.seen.append((method, address, answer))
            if answer.status_code not in (301, 302, 303, 307):
                return answer
            method, form = "GET", None
            address = urljoin(address, answer.headers["location"])
        raise AssertionError([one for _, one, _ in self.seen])

    def sign_in(self, address, person, password, *, fields=("username", "password"), until="/signed-in"):
        """Open *address*, sign in at whatever asks, and go on until a page of ours."""
        page = self.go("GET", address)
        for _ in range(MOST_STEPS):
            where = str(page.request.url)
            if until in where or "<form" not in page.text:
                return page
            user, word = fields
            if f'name="{word}"' in page.text:
                target, form = form_of(page.text, where, f'name="{word}"')
                form |= {user: person, word: password}
            else:
                target, form = form_of(page.text, where)
            page = self.go("POST", target, form)
        raise AssertionError(page.text[:2000])

    def sign_out(self, address):
        """Use the button of our page, and go on wherever that leads."""
        page = self.go("POST", address, {})
        for _ in range(MOST_STEPS):
            if "SAMLRe" not in page.text:
                return page
            target, form = form_of(page.text, str(page.request.url), "SAMLRe")
            page = self.go("POST", target, form)
        raise AssertionError(page.text[:2000])
