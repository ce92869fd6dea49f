"""SimpleSAMLphp, npm's samlp and Go's crewjam: the whole line, with what each of them does in its own way."""

import base64

import httpx
import pytest
from house import House
from visitor import Visitor

from actas.cli.login_pkce import challenge_of

VERIFIER = "v" * 43
BACK = "http://127.0.0.1:9/callback"
FINANCE = {"id": "finance", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["report"], "as": "reader"}
XENC, XENC11 = "http://www.w3.org/2001/04/xmlenc#", "http://www.w3.org/2009/xmlenc11#"


def opened(provider, folder, **more):
    shape = {"preset": "saml", "metadata": provider.metadata, "private": True, "idp_initiated": True, **more}
    return House(folder, shape, rules=[FINANCE])


@pytest.fixture(scope="module")
def php(simplesamlphp, tmp_path_factory):
    with opened(simplesamlphp, tmp_path_factory.mktemp("gateway")) as house:
        house.provider = simplesamlphp
        simplesamlphp.knows(house)
        yield house


@pytest.fixture(scope="module")
def node(samlp, tmp_path_factory):
    with opened(samlp, tmp_path_factory.mktemp("gateway")) as house:
        house.provider = samlp
        samlp.knows(house)
        yield house


@pytest.fixture(scope="module")
def go(crewjam, tmp_path_factory):
    with opened(crewjam, tmp_path_factory.mktemp("gateway")) as house:
        house.provider = crewjam
        crewjam.knows(house)
        yield house


EACH = [
    pytest.param("php", marks=pytest.mark.part("simplesamlphp")),
    pytest.param("node", marks=pytest.mark.part("node")),
]
GO = pytest.param("go", marks=pytest.mark.part("crewjam"))


@pytest.fixture(params=[*EACH, GO])
def house(request):
    found = request.getfixturevalue(request.param)
    yield found
    found.provider.knows(found)


def token(house, visitor, person="ana"):
    query = httpx.QueryParams({"redirect": BACK, "state": "s" * 22, "challenge": challenge_of(VERIFIER)})
    page = None
    try:
        page = visitor.sign_in(f"{house.doors.login}?{query}", person, f"{person}-pw", until="/callback")
    except httpx.ConnectError as nobody:  # nobody listens there: the address is all that is wanted
        code = httpx.URL(str(nobody.request.url)).params["code"]
    assert page is None, (page.status_code, page.text, house.log())
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": BACK}
    answer = httpx.post(house.doors.token, data=form, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def carried(visitor):
    """Give the response that the browser carried last."""
    bodies = [answer.request.read().decode() for method, _, answer in visitor.seen if method == "POST"]
    return base64.b64decode([httpx.QueryParams(one)["SAMLResponse"] for one in bodies if "SAMLResponse=" in one][-1])


def test_a_person_runs_a_function_as_a_role_and_the_trail_holds(house, visitor):
    answer = house.call("report", token(house, visitor))
    with Visitor() as another:
        refused = house.call("report", token(house, another, "ben"))

    assert answer.status_code == 200, answer.text
    assert answer.json()["groups"] == ["analysts", "finance"]
    assert (answer.json()["subject"], answer.json()["role"]) == ("ana-1", "reader")
    assert refused.status_code == 403
    checked = house.verified()
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_provider_begins_by_itself(house, visitor):
    provider = house.provider
    begins = f"{provider.begins}{house.doors.metadata}" if hasattr(provider, "begins") else f"{provider.base}/sso"

    page = visitor.sign_in(begins, "ana", "ana-pw")

    assert "You are signed in at corp until" in page.text, page.text


@pytest.mark.parametrize(
    "how",
    [
        {"saml20.sign.response": False},
        {"saml20.sign.assertion": False},
        {"signature.algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"},
        {"assertion.encryption": True, "sharedkey_algorithm": f"{XENC}aes256-cbc"},
        {"assertion.encryption": True, "sharedkey_algorithm": f"{XENC}aes128-cbc"},
        {"nameid.encryption": True},
    ],
    ids=["the assertion signed", "the response signed", "SHA-512", "AES-256-CBC", "AES-128-CBC", "the name encrypted"],
)
def test_simplesamlphp_may_have_it_with(php, visitor, how):
    php.provider.knows(php, **how)

    answer = php.call("report", token(php, visitor))
    php.provider.knows(php)

    assert answer.status_code == 200, answer.text
    if how.get("assertion.encryption"):
        assert b"EncryptedAssertion" in carried(visitor)


@pytest.mark.parametrize(
    "how",
    [
        {"signResponse": True},
        {"signResponse": True, "signAssertion": False},
        {"algorithm": f"{XENC11}aes128-gcm"},
        {"algorithm": f"{XENC11}aes256-gcm"},
        {"algorithm": f"{XENC}aes256-cbc"},
    ],
    ids=["both signed", "the response signed", "AES-128-GCM", "AES-256-GCM", "AES-256-CBC"],
)
def test_samlp_may_have_it_with(node, visitor, how):
    node.provider.knows(node, **how)

    answer = node.call("report", token(node, visitor))
    node.provider.knows(node)

    assert answer.status_code == 200, answer.text
    if how.get("algorithm"):
        assert b"EncryptedAssertion" in carried(visitor)


@pytest.mark.parametrize("name", EACH)
def test_sha_1_is_refused_until_the_settings_allow_it(request, name, visitor, tmp_path):
    house = request.getfixturevalue(name)
    how = {
        "php": {"signature.algorithm": "http://www.w3.org/2000/09/xmldsig#rsa-sha1"},
        "node": {"signatureAlgorithm": "rsa-sha1", "digestAlgorithm": "sha1"},
    }[name]
    house.provider.knows(house, **how)
    refused = visitor.sign_in(house.doors.login, "ana", "ana-pw", until="/saml/corp/")
    with opened(house.provider, tmp_path, allow_sha1=True) as lax, Visitor() as another:
        house.provider.knows(lax, **how)
        taken = another.sign_in(lax.doors.login, "ana", "ana-pw")
    house.provider.knows(house)

    assert refused.status_code == 403
    assert "You are signed in at corp until" in taken.text


def test_crewjam_encrypts_to_the_certificate_of_our_metadata(go, visitor):
    answer = go.call("report", token(go, visitor))

    assert answer.status_code == 200, answer.text
    assert b"EncryptedAssertion" in carried(visitor)
    assert b"finance" not in carried(visitor)


def test_simplesamlphp_is_told_of_a_sign_out(php, visitor):
    visitor.sign_in(php.doors.login, "ana", "ana-pw")

    left = visitor.sign_out(php.doors.logout)
    again = visitor.go("GET", php.doors.login)

    assert "You are signed out here and at your identity provider." in left.text, left.text
    assert 'name="password"' in again.text


def test_simplesamlphp_ends_a_session_by_itself(php, visitor):
    visitor.sign_in(php.doors.login, "ana", "ana-pw")
    before = visitor.go("GET", php.doors.done).status_code

    visitor.go("GET", f"{php.provider.base}/saml2/idp/initSLO.php?RelayState={php.provider.base}/")
    after = visitor.go("GET", php.doors.done).status_code

    assert (before, after) == (200, 403)
