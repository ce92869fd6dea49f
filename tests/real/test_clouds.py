"""A local function acts at Azure and at Google: from the caller's token to the token in the function's environment.

The clouds are doubles that read the gateway's own discovery and keys, as the real ones do, and verify what they are
shown with an independent library; what they leave out: federated credentials, pools, rights behind the tokens.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from gateway import Gateway

from actas.testing.idp import Idp

POOL = "//iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/actas/providers/actas"
ACCOUNT = "reader@example-project.iam.gserviceaccount.com"
TELLS = """
import os

def handler(event, context):
    return {name: os.environ.get(name) for name in (
        "ACTAS_BEARER_TOKEN", "ACTAS_BEARER_EXPIRES_AT", "GOOGLE_OAUTH_ACCESS_TOKEN", "AWS_SESSION_TOKEN")}
"""


class Cloud(BaseHTTPRequestHandler):
    """Both clouds' side of the wire."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        form = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        if self.path.endswith(":generateAccessToken"):
            assert self.headers["authorization"] == "Bearer federated"
            seconds = json.loads(body)["lifetime"]
            self.server.shown.append({"lifetime": seconds})
            self.answer({"accessToken": "ya29.account", "expireTime": "2099-01-01T00:00:00Z"})
        elif self.path == "/v1/token":
            self.verified(form["subject_token"], f"https:{form['audience']}")
            self.answer({"access_token": "federated", "token_type": "Bearer", "expires_in": 3599})
        else:
            self.verified(form["client_assertion"], "api://AzureADTokenExchange")
            self.answer({"access_token": "eyJ.azure", "token_type": "Bearer", "expires_in": 3599})

    def verified(self, token, audience):
        found = httpx.get(f"{self.server.issuer}/.well-known/openid-configuration").json()
        keys = httpx.get(f"{self.server.issuer}{found['jwks_uri'].removeprefix(found['issuer'])}").json()
        header = jwt.get_unverified_header(token)
        key = next(one for one in jwt.PyJWKSet.from_dict(keys).keys if one.key_id == header["kid"])
        assert header["alg"] in found["id_token_signing_alg_values_supported"]
        self.server.shown.append(
            jwt.decode(token, key, algorithms=[header["alg"]], audience=audience, issuer=found["issuer"])
        )

    def answer(self, told):
        text = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_words):
        pass


@pytest.fixture(scope="module")
def cloud():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
    server.daemon_threads = True
    server.shown = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def gateway(cloud, tmp_path_factory):
    with Idp(shape="oidc") as idp:
        arn = "arn:aws:iam::000000000000:role"
        azure = {
            "tenant": "contoso",
            "client": "c",
            "scope": "https://storage.azure.com/.default",
            "authority": cloud.url,
        }
        google = {"audience": POOL, "service_account": ACCOUNT, "sts": cloud.url, "iam": cloud.url}
        settings = {
            "providers": {"corp": {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}},
            "functions": {"tells": {"python": "tells.py:handler", "timeout": "20s"}},
            "roles": {
                "azure": {"arn": f"{arn}/azure", "broker": "azure-workload", "azure": azure},
                "google": {"arn": f"{arn}/google", "broker": "google-wif", "google": google},
            },
            "rules": [{"id": "all", "who": {"provider": "corp"}, "may": ["tells"], "as": ["azure", "google"]}],
        }  # fmt: skip
        folder = tmp_path_factory.mktemp("gateway")
        (folder / "tells.py").write_text(TELLS)
        with Gateway(folder, settings) as running:
            cloud.issuer, running.idp = running.control, idp
            yield running


CLOUDS = [("azure", "eyJ.azure", None), ("google", "ya29.account", "ya29.account")]


@pytest.mark.parametrize(("role", "token", "googles"), CLOUDS)
def test_the_function_has_the_token_of_the_callers_role(gateway, cloud, role, token, googles):
    cloud.shown.clear()
    answer = gateway.call("tells", gateway.idp.token(person="ana"), **{"Actas-Role": role})

    assert answer.status_code == 200, answer.text + gateway.log()
    found = answer.json()
    assert (found["ACTAS_BEARER_TOKEN"], found["GOOGLE_OAUTH_ACCESS_TOKEN"]) == (token, googles)
    assert found["ACTAS_BEARER_EXPIRES_AT"].endswith("Z")
    assert found["AWS_SESSION_TOKEN"].startswith("actas1.")
    said = cloud.shown[0]
    assert said["sub"] == "actas:role:azure" if role == "azure" else said["actas"]["role"] == "google"
    assert token not in gateway.log()


def test_the_next_call_asks_the_cloud_nothing(gateway, cloud):
    token = gateway.idp.token(person="ana")
    gateway.call("tells", token, **{"Actas-Role": "google"})
    cloud.shown.clear()

    assert gateway.call("tells", token, **{"Actas-Role": "google"}).status_code == 200
    assert cloud.shown == []
