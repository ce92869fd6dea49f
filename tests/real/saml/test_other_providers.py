"""SimpleSAMLphp, npm's samlp, Go's crewjam and pysaml2: the whole line, with what each of them does in its own way."""

import base64

import httpx
import pytest
from house import House
from visitor import Visitor

from actas.cli.login_pkce import challenge_of

VERIFIER = "v" * 43
BACK = "http://127.0.0.1:9/callback"
FINANCE = {"id": "finance", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["report"], "as": "reader"}
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
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


@pytest.fixture(scope="module")
def python(pysaml2, tmp_path_factory):
    with opened(pysaml2, tmp_path_factory.mktemp("gateway")) as house:
        house.provider = pysaml2
        pysaml2.knows(house)
        yield house


EACH = [
    pytest.param("php", marks=pytest.mark.part("simplesamlphp")),
    pytest.param("node", marks=pytest.mark.part("node")),
]
GO = pytest.param("go", marks=pytest.mark.part("crewjam"))


PYTHON = pytest.param("python", marks=pytest.mark.part("pysaml2"))


@pytest.fixture(params=[*EACH, GO, PYTHON])
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


@pytest.mark.parametrize(
    "how",
    [
        {"sign_response": False},
        {"sign_assertion": False},
        {"sign_alg": f"{MORE}rsa-sha512", "digest_alg": f"{XENC}sha512"},
    ],
    ids=["the assertion signed", "the response signed", "SHA-512"],
)
def test_pysaml2_may_have_it_with(python, visitor, how):
    python.provider.knows(python, **how)

    answer = python.call("report", token(python, visitor))
    python.provider.knows(python)

    assert answer.status_code == 200, answer.text


def test_pysaml2_encrypts_by_3des_which_is_opened_where_that_is_switched_on(python, visitor, tmp_path):
    python.provider.knows(python, encrypt_assertion=True)
    refused = visitor.sign_in(python.doors.login, "ana", "ana-pw", until="/saml/corp/")
    with opened(python.provider, tmp_path, old_ciphers=["tripledes-cbc"]) as lax, Visitor() as another:
        python.provider.knows(lax, encrypt_assertion=True)
        answer = lax.call("report", token(lax, another))
    python.provider.knows(python)

    assert refused.status_code == 403
    assert answer.status_code == 200, answer.text
    assert b"tripledes-cbc" in carried(another)
    assert b"finance" not in carried(another)


@pytest.mark.parametrize("name", [EACH[0], PYTHON])
def test_the_provider_is_told_of_a_sign_out(request, name, visitor):
    house = request.getfixturevalue(name)
    visitor.sign_in(house.doors.login, "ana", "ana-pw")

    left = visitor.sign_out(house.doors.logout)
    again = visitor.go("GET", house.doors.login)

    assert "You are signed out here and at your identity provider." in left.text, left.text
    assert 'name="password"' in again.text


@pytest.mark.parametrize("name", [EACH[0], PYTHON])
def test_the_provider_ends_a_session_by_itself(request, name, visitor):
    house = request.getfixturevalue(name)
    visitor.sign_in(house.doors.login, "ana", "ana-pw")
    before = visitor.go("GET", house.doors.done).status_code

    left = visitor.go("GET", house.provider.leaves)
    after = visitor.go("GET", house.doors.done).status_code

    assert (before, left.status_code, after) == (200, 200, 403)
