"""Every error that STS knows, provoked by unmodified boto3; and requests that no client of AWS's would send."""

import re
from datetime import timedelta
from hashlib import sha512
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from actas.model import clock

VERSION = "2011-06-15"


@pytest.fixture
def changed(signed):
    """Give STS with the credentials of a session, of which each request is changed by *change* after it is signed."""

    def make(change, **more):
        made = signed(**more)
        made.meta.events.register("before-send.sts", lambda request, **_: change(request))
        return made

    return make


TOKENS = [
    ("a token that is none", lambda idp: "none.of.ours", "InvalidIdentityToken", 400),
    ("a token for somebody else", lambda idp: idp.token(person="ana", audience="other"), "InvalidIdentityToken", 400),
    ("a token without an audience", lambda idp: idp.token(person="ana", drop=("aud",)), "InvalidIdentityToken", 400),
    (
        "a token that has ended",
        lambda idp: idp.token(person="ana", lifetime=timedelta(minutes=1), issued_at=clock.now() - timedelta(hours=2)),
        "ExpiredTokenException",
        400,
    ),
    ("a token of another provider", None, "InvalidIdentityToken", 400),
]


@pytest.mark.parametrize(("token", "code", "status"), [row[1:] for row in TOKENS], ids=[row[0] for row in TOKENS])
def test_a_token_that_is_not_believed(sts, idp, other_idp, refused, take, token, code, status):
    shown = other_idp.token(person="ana") if token is None else token(idp)

    found = refused(take, WebIdentityToken=shown)
    assert found[:2] == (code, status)
    assert shown not in found[2]
    assert take()["Credentials"]


def test_a_provider_that_cannot_be_asked(start, house_settings, client, refused, idp, arn):
    settings = house_settings()
    settings["providers"]["gone"] = {
        "preset": "oidc", "issuer": "http://127.0.0.1:9", "audience": "actas", "private": True,
    }  # fmt: skip
    with start(settings) as one:
        sts = client(one.control)
        wish = {"RoleArn": arn("reader"), "RoleSessionName": "ana"}
        token = idp.token(person="ana", iss="http://127.0.0.1:9")
        found = refused(sts.assume_role_with_web_identity, **wish, WebIdentityToken=token)

        assert found[:2] == ("IDPCommunicationError", 400)
        with pytest.raises(sts.exceptions.IDPCommunicationErrorException):
            sts.assume_role_with_web_identity(**wish, WebIdentityToken=token)


NARROWED = [
    ("a policy that is no JSON", {"Policy": "{"}, "MalformedPolicyDocument"),
    ("a policy that names somebody", {"Policy": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
      '"Principal":"*","Action":"*","Resource":"*"}]}'}, "MalformedPolicyDocument"),
    ("policies longer than they may be", {"Policy": "x" * 2000, "PolicyArns": [{"arn": "arn:aws:iam::0:" + "x" * 60}]},
     "PackedPolicyTooLarge"),
    ("a policy of another account", {"PolicyArns": [{"arn": "arn:aws:iam::111122223333:policy/only-s3"}]},
     "ValidationError"),
    ("a policy that the settings do not list", {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
     "ValidationError"),
]  # fmt: skip


@pytest.mark.parametrize(("wish", "code"), [row[1:] for row in NARROWED], ids=[row[0] for row in NARROWED])
def test_a_session_policy_that_cannot_be(take, refused, wish, code):
    assert refused(take, **wish)[:2] == (code, 400)


def test_tags_that_take_too_much_room(signed, refused, arn):
    def tags(count):
        return [{"Key": f"key-{place}", "Value": sha512(bytes([place])).hexdigest()} for place in range(count)]

    once, wish = signed(), {"RoleArn": arn("reader"), "RoleSessionName": "ana"}
    found = refused(once.assume_role, **wish, Tags=tags(50))

    assert found[:2] == ("PackedPolicyTooLarge", 400)
    assert re.match(r"Packed policy consumes \d{3}% of allotted space", found[2])
    assert once.assume_role(**wish, Tags=tags(3))["PackedPolicySize"]


VALUES = [
    ("a role that the caller may not have", {"role": "idle"}, "AccessDenied", 403),
    ("a role that there is not", {"role": "nobody"}, "AccessDenied", 403),
    ("a caller who may not have the role", {"person": "ben"}, "AccessDenied", 403),
    ("a duration that the role does not allow", {"role": "short", "DurationSeconds": 900}, "ValidationError", 400),
    ("a duration that no role of ours allows", {"DurationSeconds": 3601}, "ValidationError", 400),
    ("a duration that STS does not know", {"DurationSeconds": 899}, "ValidationError", 400),
    ("a provider that is not OpenID Connect", {"ProviderId": "www.amazon.com"}, "ValidationError", 400),
    ("an ARN that is none", {"RoleArn": "nothing-valid-in-here"}, "ValidationError", 400),
]


@pytest.fixture
def loose(house, client, tokens, arn):
    """Take a role by a client that does not look at the parameters itself."""
    sts = client(house.control, parameter_validation=False)

    def ask(role="reader", person="ana", **more):
        wish = {"RoleArn": arn(role), "RoleSessionName": person, "WebIdentityToken": tokens[person], **more}
        return sts.assume_role_with_web_identity(**wish)

    return ask


@pytest.mark.parametrize(
    "name",
    ["ana\nben", "ana\r\nX: 1", "ana\x00", "ana/../ben", "ana ben", "an\u0430", "ana:ben", "${aws:username}", "*"],
    ids=[
        "a line",
        "a field",
        "a NUL",
        "a path",
        "a space",
        "a letter that looks alike",
        "a colon",
        "a variable",
        "all",
    ],
)
def test_session_name_forging_and_log_injection(name, loose, refused, house):
    found = refused(loose, RoleSessionName=name)
    plain = [loose(RoleSessionName=one)["AssumedRoleUser"]["Arn"] for one in ("ana", "Ana", "an.a")]

    assert found[0] in {"ValidationError", "MalformedQueryString"}
    assert name not in str(house.records())
    assert [arn.rpartition("/")[2] for arn in plain] == ["ana", "Ana", "an.a"]  # nothing is made of two names


def test_role_choice_by_the_client(loose, refused, arn):
    for role in (arn("rea*er"), arn("READER"), arn("reader/"), arn("reader").replace("000000000000", "000000000001")):
        assert refused(loose, RoleArn=role)[1] in (400, 403)
    assert loose(RoleArn=arn("reader"))["Credentials"]


def test_policy_variable_wildcard_injection(signed, refused, arn, take):
    one = signed(take()["Credentials"])
    wish = {"RoleArn": arn("reader"), "RoleSessionName": "ana"}

    for value in ("*", "?", "${aws:username}"):
        assert refused(one.assume_role, **wish, Tags=[{"Key": "team", "Value": value}])[0] == "ValidationError"
    assert one.assume_role(**wish, Tags=[{"Key": "team", "Value": "a-team"}])["Credentials"]


@pytest.mark.parametrize(("wish", "code", "status"), [row[1:] for row in VALUES], ids=[row[0] for row in VALUES])
def test_a_wish_that_is_not_granted(loose, refused, wish, code, status):
    assert refused(loose, **wish)[:2] == (code, status)


def test_a_wish_that_is_not_granted_is_answered_in_the_services_own_words(loose, signed, refused, arn):
    assert refused(loose, RoleSessionName="Session1:2")[2] == (
        "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member "
        r"must satisfy regular expression pattern: [\w+=,.@-]*"
    )
    assert refused(loose, role="short", DurationSeconds=900)[2] == (
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    )
    assert refused(signed().assume_role, RoleArn=arn("reader"), RoleSessionName="ana", DurationSeconds=7200)[2] == (
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    )
    assert refused(loose, RoleArn="nothing-valid-in-here")[2] == "nothing-valid-in-here is invalid"


def test_what_only_long_lived_credentials_may_ask_for(signed, refused):
    once = signed()

    assert refused(once.get_session_token) == (
        "AccessDenied", 403, "Cannot call GetSessionToken with session credentials",
    )  # fmt: skip
    assert refused(once.get_federation_token, Name="ana")[:2] == ("AccessDenied", 403)


def test_somebody_without_credentials(sts, refused):
    for ask in (sts.get_caller_identity, sts.get_session_token):
        assert refused(ask)[:2] == ("MissingAuthenticationToken", 403)


def test_credentials_that_are_none_of_ours(house, client, take, refused):
    good = take()["Credentials"]
    for change in (
        {"AccessKeyId": "ASIAQAAAAAAAGU7TLX7B"},
        {"SessionToken": "FwoGZXIvYXdzEBYaDH"},
        {"SessionToken": good["SessionToken"][:-8] + "AAAAAAAA"},
    ):
        found = refused(client(house.control, credentials={**good, **change}).get_caller_identity)
        assert found[:2] == ("InvalidClientTokenId", 403), change
    assert client(house.control, credentials=good).get_caller_identity()["Arn"]


def test_another_secret(house, client, take, refused):
    good = take()["Credentials"]
    wrong = {**good, "SecretAccessKey": "x" * 40}

    assert refused(client(house.control, credentials=wrong).get_caller_identity)[:2] == ("SignatureDoesNotMatch", 403)


def test_a_request_that_was_changed_by_one_byte(changed, signed, refused, arn):
    def flip(request):
        request.body = request.body.replace("RoleSessionName=ana", "RoleSessionName=anb")

    wish = {"RoleArn": arn("reader"), "RoleSessionName": "ana"}
    assert refused(changed(flip).assume_role, **wish)[:2] == ("SignatureDoesNotMatch", 403)
    assert signed().assume_role(**wish)["Credentials"]


def test_a_signature_that_was_cut(changed, refused):
    def cut(request):
        request.headers["Authorization"] = request.headers["Authorization"].decode()[:-10]

    assert refused(changed(cut).get_caller_identity)[:2] == ("IncompleteSignature", 400)


def test_a_request_of_an_hour_ago(signed, refused, monkeypatch):
    import botocore.auth

    ago = clock.now().replace(tzinfo=None) - timedelta(hours=1)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_a, **_k: ago)
    found = refused(signed().get_caller_identity)

    assert found[:2] == ("SignatureDoesNotMatch", 403)
    assert found[2].startswith("Signature expired: ")


def test_a_presigned_request_whose_time_is_over(signed, house, monkeypatch):
    import botocore.auth

    ago = clock.now().replace(tzinfo=None) - timedelta(hours=1)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_a, **_k: ago)
    url = signed().generate_presigned_url("get_caller_identity", ExpiresIn=60)
    answer = house.ask("GET", url.removeprefix(f"http://{house.control}"), control=True)

    assert answer.status_code == 400
    assert "<Code>RequestExpired</Code>" in answer.text


def test_a_presigned_request_of_a_clock_that_is_ahead_has_not_expired(signed, house, monkeypatch):
    import botocore.auth

    ahead = clock.now().replace(tzinfo=None) + timedelta(hours=1)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_a, **_k: ahead)
    url = signed().generate_presigned_url("get_caller_identity", ExpiresIn=60)
    answer = house.ask("GET", url.removeprefix(f"http://{house.control}"), control=True)

    assert answer.status_code == 403
    assert "<Code>SignatureDoesNotMatch</Code>" in answer.text
    assert "not yet current" in answer.text


def test_too_many_requests_of_one_caller(start, house_settings, client, tokens, refused, arn):
    settings = house_settings()
    settings["gateway"]["limits"] = {"rate": {"network": 0, "subject": 1, "burst": 2}}
    with start(settings) as one:
        sts = client(one.control)
        wish = {"RoleArn": arn("reader"), "RoleSessionName": "ana", "WebIdentityToken": tokens["ana"]}
        for _ in range(2):
            assert sts.assume_role_with_web_identity(**wish)["Credentials"]

        assert refused(sts.assume_role_with_web_identity, **wish)[:2] == ("Throttling", 400)


def test_an_error_is_one_that_boto3_has_a_class_for(sts, take, loose):
    for ask, kind in (
        (lambda: take(WebIdentityToken="none.of.ours"), sts.exceptions.InvalidIdentityTokenException),
        (lambda: take(Policy="{"), sts.exceptions.MalformedPolicyDocumentException),
    ):
        with pytest.raises(kind):
            ask()
    with pytest.raises(ClientError):
        loose(role="idle")


def code(answer):
    return re.search("<Code>(.*?)</Code>", answer.text)[1]


FORM = "application/x-www-form-urlencoded"
FORMS = [
    ("nothing is asked", "", "MissingAction", 400),
    ("no action", f"Version={VERSION}", "MissingAction", 400),
    ("no version", "Action=GetCallerIdentity", "InvalidAction", 400),
    ("another version", "Action=GetCallerIdentity&Version=2010-05-08", "InvalidAction", 400),
    ("an action that there is not", f"Action=AssumeRoot&Version={VERSION}", "InvalidAction", 400),
    ("an action twice", f"Action=GetCallerIdentity&Action=AssumeRole&Version={VERSION}", "MalformedQueryString", 404),
    ("an escape that is none", f"Action=Get%zzCallerIdentity&Version={VERSION}", "MalformedQueryString", 404),
    ("octets that are no text", f"Action=%ff&Version={VERSION}", "MalformedQueryString", 404),
    ("a name without a value", f"Action=GetCallerIdentity&Version={VERSION}&Policy", "MalformedQueryString", 404),
    ("too many parameters", "&".join(f"a{place}=1" for place in range(401)), "MalformedQueryString", 404),
    (
        "a parameter that the action has not",
        f"Action=AssumeRoleWithWebIdentity&Version={VERSION}&Polcy=x",
        "InvalidQueryParameter",
        400,
    ),
    ("nothing that is needed", f"Action=AssumeRoleWithWebIdentity&Version={VERSION}", "ValidationError", 400),
    (
        "a list with a gap",
        urlencode(
            {
                "Action": "AssumeRoleWithWebIdentity",
                "Version": VERSION,
                "PolicyArns.member.2.arn": "arn:aws:iam::aws:policy/x",
            }
        ),
        "InvalidQueryParameter",
        400,
    ),
]


@pytest.mark.parametrize(("form", "wanted", "status"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_a_form_that_no_client_of_aws_sends(house, form, wanted, status):
    answer = house.ask("POST", "/", control=True, content=form.encode(), headers={"Content-Type": FORM})

    assert (code(answer), answer.status_code) == (wanted, status)
    assert answer.headers["content-type"] == "text/xml"
    assert answer.headers["x-amzn-requestid"] == answer.headers["actas-call-id"]


def test_everything_that_is_wrong_with_a_form_is_said_at_once(house):
    form = f"Action=AssumeRoleWithWebIdentity&Version={VERSION}"
    answer = house.ask("POST", "/", control=True, content=form.encode(), headers={"Content-Type": FORM})

    assert "3 validation errors detected: Value null at 'roleArn' failed to satisfy constraint" in answer.text


KINDS = ["application/json", "application/x-www-form-urlencoded; charset=latin-1", "text/plain"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_of_another_kind_is_no_form(house, kind):
    content = f"Action=GetCallerIdentity&Version={VERSION}".encode()
    answer = house.ask("POST", "/", control=True, content=content, headers={"Content-Type": kind})

    assert (code(answer), answer.status_code) == ("MalformedQueryString", 404)


def test_a_form_that_is_too_large(house):
    content = b"Action=" + b"x" * 300_000
    answer = house.ask("POST", "/", control=True, content=content, headers={"Content-Type": FORM})

    assert (code(answer), answer.status_code) == ("RequestEntityTooLarge", 413)


def test_a_query_beside_a_form_is_refused(house):
    content = f"Action=GetCallerIdentity&Version={VERSION}".encode()
    answer = house.ask("POST", "/?Action=AssumeRole", control=True, content=content, headers={"Content-Type": FORM})

    assert code(answer) == "MalformedQueryString"


def test_who_looks_for_a_page_finds_none(house):
    assert house.ask("GET", "/", control=True).status_code == 404
    assert house.ask("GET", "/?a=b", control=True).json()["code"] == "http.no-such-path"
    assert house.ask("DELETE", "/", control=True).status_code == 405


def test_strangers_are_counted_and_not_trailed(house):
    before = len([one for one in house.records() if one["type"] == "decided"])
    for _ in range(3):
        house.ask("POST", "/", control=True, content=b"", headers={"Content-Type": FORM})

    assert len([one for one in house.records() if one["type"] == "decided"]) == before


def test_sts_is_not_spoken_on_the_public_origin(house):
    content = f"Action=GetCallerIdentity&Version={VERSION}".encode()

    assert house.ask("POST", "/", content=content, headers={"Content-Type": FORM}).status_code in (404, 405)
