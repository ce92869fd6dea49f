"""An assertion traded at STS by unmodified boto3: once, for a role that the rules give and the assertion may claim."""

from datetime import timedelta

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from actas.model import clock

ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"
ROLE = f"{ATTRIBUTES}Role"
ACCOUNT = "111122223333"
PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:saml-provider/ping"


@pytest.fixture(scope="module")
def sts(house):
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    session = boto3.Session(region_name="eu-west-1")
    return session.client("sts", endpoint_url=f"http://{house.control}", config=config)


@pytest.fixture
def take(sts):
    def ask(assertion, role="app-reader", principal=PRINCIPAL, **more):
        arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        return sts.assume_role_with_saml(RoleArn=arn, PrincipalArn=principal, SAMLAssertion=assertion, **more)

    ask.model = sts.meta.service_model
    return ask


@pytest.fixture
def refused(take):
    def ask(*asked, **more):
        with pytest.raises(ClientError) as wrong:
            take(*asked, **more)
        found = wrong.value.response
        return found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]

    return ask


@pytest.fixture
def claiming(ping, pair):
    """An assertion that claims a role, of somebody in the group whose roles come from assertions."""

    def make(*roles, **more):
        said = {"groups": ("aws",), ROLE: tuple(pair(one) for one in roles or ("app-reader",))}
        return ping.response(attributes=said | more.pop("attributes", {}), **more)

    return make


def test_an_assertion_is_traded_for_credentials(take, claiming, house, ping):
    named = {f"{ATTRIBUTES}RoleSessionName": ("ana-at-ping",)}
    answer = take(claiming(subject="f1a9-ana", attributes=named))
    decided = house.trail(answer["ResponseMetadata"]["RequestId"])[0]

    assert answer["AssumedRoleUser"]["Arn"].endswith("assumed-role/app-reader/ana-at-ping")
    assert (answer["Subject"], answer["Issuer"]) == ("f1a9-ana", "https://ping.example/")
    assert answer["Audience"] == ping.doors.acs
    assert answer["SubjectType"] == "persistent"
    members = take.model.operation_model("AssumeRoleWithSAML").output_shape.members
    # Nothing narrowed the session, and the assertion has no source identity.
    assert members.keys() - answer.keys() == {"PackedPolicySize", "SourceIdentity"}
    assert answer["Credentials"]["Expiration"] <= clock.now() + timedelta(minutes=15)
    assert (decided["function"], decided["evidence"], decided["role"]) == (
        "sts:AssumeRoleWithSAML", "saml", "app-reader",
    )  # fmt: skip


def test_the_answer_to_a_browser_s_sign_in_is_for_that_browser_alone(
    take, refused, claiming, browser, asked_by_redirect
):
    asked = asked_by_redirect(browser.get("/saml/ping/login").headers["location"])
    stolen = claiming(answers=asked.id)

    assert refused(stolen) == ("InvalidIdentityToken", 400)
    signed_in = browser.post("/saml/ping/acs", {"SAMLResponse": stolen, "RelayState": asked.relay})
    assert signed_in.status_code == 303  # the try at the other door did not use it up
    assert take(claiming(answers="_of-the-machine"))["Credentials"]


def test_a_session_without_a_name_of_its_own_has_the_pseudonym(take, claiming, house):
    answer = take(claiming())
    decided = house.trail(answer["ResponseMetadata"]["RequestId"])[0]

    assert answer["AssumedRoleUser"]["Arn"].endswith(f"assumed-role/app-reader/{decided['subject']}")


def test_the_credentials_are_used_and_chained_like_any(take, claiming, house):
    found = take(claiming("app-reader"))["Credentials"]
    keys = {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }
    session = boto3.Session(region_name="eu-west-1")
    signed = session.client("sts", endpoint_url=f"http://{house.control}", **keys)
    wish = {"RoleSessionName": "again"}

    assert signed.get_caller_identity()["Account"] == ACCOUNT
    assert signed.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/app-reader", **wish)["Credentials"]
    with pytest.raises(ClientError, match="AccessDenied"):  # what else the assertion claimed is not known any more
        signed.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/app-writer", **wish)


def test_an_assertion_counts_once(take, refused, claiming):
    assertion = claiming()

    assert take(assertion)
    assert refused(assertion) == ("IDPRejectedClaim", 403)


def test_a_role_that_the_assertion_does_not_claim_is_not_given(refused, take, claiming):
    assert refused(claiming("app-writer"), "app-reader") == ("AccessDenied", 403)
    assert take(claiming("app-writer"), "app-writer")


def test_a_role_that_the_rules_do_not_give_is_not_given_whatever_it_claims(refused, claiming):
    assert refused(claiming("hidden"), "hidden") == ("AccessDenied", 403)


UNBELIEVED = [
    ("it has ended", {"now": clock.now() - timedelta(hours=2)}, {}, ("ExpiredTokenException", 400)),
    ("it is for another door", {"recipient": "https://signin.aws.amazon.com/saml"}, {}, ("InvalidIdentityToken", 400)),
    ("it is for somebody else", {"audience": "https://other.example/"}, {}, ("InvalidIdentityToken", 400)),
    (
        "it names no provider of ours",
        {},
        {"principal": f"arn:aws:iam::{ACCOUNT}:saml-provider/pong"},
        ("InvalidIdentityToken", 400),
    ),
    (
        "its provider is of another account",
        {},
        {"principal": "arn:aws:iam::444455556666:saml-provider/ping"},
        ("InvalidIdentityToken", 400),
    ),
    ("it is of another provider", {}, {"principal": f"arn:aws:iam::{ACCOUNT}:saml-provider/oid"}, None),
]


@pytest.mark.parametrize(
    ("said", "asked", "wanted"), [row[1:] for row in UNBELIEVED], ids=[row[0] for row in UNBELIEVED]
)
def test_an_assertion_that_is_not_believed(refused, claiming, said, asked, wanted):
    assert refused(claiming(**said), **asked) == (wanted or ("InvalidIdentityToken", 400))


def test_an_assertion_that_was_changed(refused, claiming):
    assertion = claiming()
    place = len(assertion) // 2

    changed = assertion[:place] + ("A" if assertion[place] != "A" else "B") + assertion[place + 1 :]
    assert refused(changed) == ("InvalidIdentityToken", 400)


def test_tags_in_an_assertion_are_the_sessions(take, claiming):
    tags = {f"{ATTRIBUTES}PrincipalTag:team": ("blue",), f"{ATTRIBUTES}SourceIdentity": ("ana",)}

    answer = take(claiming(attributes=tags))
    assert answer["SourceIdentity"] == "ana"
    assert answer["PackedPolicySize"]
