"""pysaml2 as a provider over HTTP: run by the Python that has it, with a port, a folder and the program xmlsec1.

PUT /knows takes the service provider's metadata and how to answer it; what pysaml2 verifies of our requests it verifies
here, with the keys of that metadata.
"""

import html
import json
import re
import secrets
import sys
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.authn_context import PASSWORD
from saml2.config import Config
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server

PORT, FOLDER, XMLSEC = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
BASE = f"http://127.0.0.1:{PORT}"
MORE, XENC = "http://www.w3.org/2001/04/xmldsig-more#", "http://www.w3.org/2001/04/xmlenc#"
PEOPLE = {"ana": ("ana-pw", ["finance", "analysts"]), "ben": ("ben-pw", ["contractors"])}
PLAIN = {"sign_response": True, "sign_assertion": True}
KNOWN: dict = {}
SIGNED_IN: dict = {}
"""By the browser's cookie: who it is, and the names that pysaml2 gave the session."""


def described(service_provider: str | None) -> Config:
    """Describe this provider, and whom it knows."""
    pair = {"key_file": str(FOLDER / "key.pem"), "cert_file": str(FOLDER / "cert.pem")}
    endpoints = {
        "single_sign_on_service": [(f"{BASE}/sso", BINDING_HTTP_REDIRECT)],
        "single_logout_service": [(f"{BASE}/slo", BINDING_HTTP_REDIRECT), (f"{BASE}/slo", BINDING_HTTP_POST)],
    }
    policy = {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}}
    return Config().load(
        {
            "entityid": f"{BASE}/metadata",
            "xmlsec_binary": XMLSEC,
            **pair,
            "encryption_keypairs": [pair],
            "signing_algorithm": f"{MORE}rsa-sha256",
            "digest_algorithm": f"{XENC}sha256",
            "service": {
                "idp": {
                    "endpoints": endpoints,
                    "policy": policy,
                    "name_id_format": [NAMEID_FORMAT_PERSISTENT],
                    "want_authn_requests_signed": True,
                }
            },
            **({} if service_provider is None else {"metadata": {"inline": [service_provider]}}),
        }
    )


def name_of(person: str) -> NameID:
    """Give the name by which we know a person."""
    return NameID(format=NAMEID_FORMAT_PERSISTENT, name_qualifier=f"{BASE}/metadata", text=f"{person}-1")


def form_to(address: str, **fields: str | None) -> str:
    """Write a form that a browser sends on."""
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}"/>'
        for name, value in fields.items()
        if value is not None
    )
    return f'<form method="post" action="{html.escape(address)}">{inputs}<button>on</button></form>'


class Provider(BaseHTTPRequestHandler):
    """Answers one request."""

    def log_message(self, *_said: object) -> None:
        """Say nothing."""

    def do_PUT(self) -> None:
        """Learn of a service provider."""
        KNOWN.clear()
        KNOWN.update(json.loads(self._body()))
        KNOWN["server"] = Server(config=described(KNOWN["metadata"]))
        self._answer("known")

    def do_GET(self) -> None:
        """Give metadata, ask who it is, or end a session."""
        query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        match urlsplit(self.path).path:
            case "/metadata":
                self._answer(str(entity_descriptor(described(None))), kind="application/samlmetadata+xml")
            case "/sso":
                self._asks(self._signed_request("parse_authn_request", query).id, query.get("RelayState"))
            case "/begin":
                self._asks("", None)
            case "/slo" if "SAMLResponse" in query:
                found = KNOWN["server"].parse_logout_request_response(query["SAMLResponse"], BINDING_HTTP_REDIRECT)
                self._answer(f"left: {found.response.status.status_code.value}")
            case "/slo":
                self._leaves(self._signed_request("parse_logout_request", query), query.get("RelayState", ""))
            case "/leave":
                self._ends()
            case _:
                self._answer("nothing here", code=404)

    def do_POST(self) -> None:
        """Take a name and a password."""
        form = dict(parse_qsl(self._body().decode(), keep_blank_values=True))
        person = form.get("username", "")
        if PEOPLE.get(person, ("",))[0] != form.get("password"):
            self._answer("no", code=403)
            return
        response = KNOWN["server"].create_authn_response(
            identity={"groups": PEOPLE[person][1], "mail": [f"{person}@people.example"]},
            in_response_to=form.get("answers") or None,
            destination=KNOWN["acs"],
            sp_entity_id=KNOWN["entity"],
            name_id=name_of(person),
            authn={"class_ref": PASSWORD, "authn_auth": BASE},
            **PLAIN | KNOWN["how"],
        )
        session, cookie = re.search(r'SessionIndex="([^"]+)"', str(response)), secrets.token_hex(16)
        SIGNED_IN[cookie] = (person, [session[1]] if session else [])  # none where the assertion is encrypted
        page = form_to(
            KNOWN["acs"], SAMLResponse=b64encode(str(response).encode()).decode(), RelayState=form.get("RelayState")
        )
        self._answer(page, cookie=f"pysaml2={cookie}; Path=/")

    def _signed_request(self, read: str, query: dict) -> Any:
        """Read what our door sent, with its signature."""
        found = getattr(KNOWN["server"], read)(
            query["SAMLRequest"],
            BINDING_HTTP_REDIRECT,
            relay_state=query.get("RelayState"),
            sigalg=query["SigAlg"],
            signature=query["Signature"],
        )
        return found.message

    def _asks(self, answers: str, relay: str | None) -> None:
        page = form_to(f"{BASE}/sso", answers=answers, RelayState=relay)
        page = page.replace("<button>", '<input name="username"/><input type="password" name="password"/><button>')
        self._answer(page)

    def _leaves(self, request: Any, relay: str) -> None:
        """End the session that the service provider names, and answer it."""
        for cookie in [one for one, (person, _) in SIGNED_IN.items() if request.name_id.text == name_of(person).text]:
            del SIGNED_IN[cookie]
        response = KNOWN["server"].create_logout_response(request, [BINDING_HTTP_REDIRECT])
        self._goes(str(response), response.destination, relay, is_response=True)

    def _ends(self) -> None:
        """End the browser's session, and tell the service provider."""
        found = SIGNED_IN.pop(self._cookie(), None)
        if found is None:
            self._answer("nobody is here", code=403)
            return
        person, sessions = found
        _, request = KNOWN["server"].create_logout_request(
            KNOWN["slo"], KNOWN["entity"], name_id=name_of(person), session_indexes=sessions
        )
        self._goes(str(request), KNOWN["slo"], "", is_response=False)

    def _goes(self, message: str, where: str, relay: str, *, is_response: bool) -> None:
        made = KNOWN["server"].apply_binding(
            BINDING_HTTP_REDIRECT, message, where, relay, response=is_response, sign=True
        )
        self._answer("", code=302, location=dict(made["headers"])["Location"])

    def _cookie(self) -> str:
        shown = [part.strip().partition("=") for part in self.headers.get("Cookie", "").split(";")]
        return next((value for name, _, value in shown if name == "pysaml2"), "")

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(
        self, text: str, *, code: int = 200, kind: str = "text/html", location: str = "", cookie: str = ""
    ) -> None:
        content = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if location:
            self.send_header("Location", location)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(content)


with ThreadingHTTPServer(("127.0.0.1", PORT), Provider) as serving:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    serving.serve_forever()
