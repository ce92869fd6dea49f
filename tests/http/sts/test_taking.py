"""Roles taken through STS by unmodified boto3: by token, by session, narrowed, tagged."""

import json
import math
from datetime import timedelta

import pytest

from actas.model import clock

CLASH = (
    "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the "
    "calling session."
)
LAST = timedelta(seconds=60)


def lasts(answer):
    return answer["Credentials"]["Expiration"] - clock.now()


@pytest.fixture
def functions(house, client):
    """The Lambda API, asked with the credentials of a session."""
    return lambda answer: client(house.public, service="lambda", credentials=answer["Credentials"])


def test_a_token_is_traded_for_credentials_that_boto3_uses(take, signed, house, idp, tokens):
    answer = take()
    caller = signed(answer["Credentials"]).get_caller_identity()

    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/reader/ana" == caller["Arn"]
    assert answer["AssumedRoleUser"]["AssumedRoleId"] == caller["UserId"]
    assert caller["Account"] == "000000000000"
    assert (answer["Provider"], answer["Audience"]) == (idp.issuer, "actas")
    assert answer["SessionTokenSize"] == len(answer["Credentials"]["SessionToken"])
    assert answer["SessionTokenUtilization"] == math.ceil(100 * answer["SessionTokenSize"] / 16_384)
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert len(answer["Credentials"]["AccessKeyId"]) == 20


@pytest.mark.parametrize(
    ("claims", "wanted"),
    [
        ({"aud": ["actas", "web"]}, "actas"),
        ({"azp": "app"}, "app"),
        ({"aud": "actas", "azp": ""}, "actas"),
        ({"azp": 5}, None),
    ],
    ids=["the first of several", "the party that asked for it", "nobody who asked for it", "what is no text"],
)
def test_the_audience_is_told_as_aws_reads_it(sts, idp, arn, claims, wanted):
    token = idp.token(person="ana", **claims)

    answer = sts.assume_role_with_web_identity(RoleArn=arn("reader"), RoleSessionName="ana", WebIdentityToken=token)

    assert answer.get("Audience") == wanted


@pytest.mark.parametrize("size", [2500, 2501, 2502, 2503, 4095, 4096])
def test_a_session_token_has_at_least_the_size_that_is_asked_for_and_works(sts, tokens, arn, signed, size):
    wish = {"RoleArn": arn("reader"), "RoleSessionName": "ana", "WebIdentityToken": tokens["ana"]}

    answer = sts.assume_role_with_web_identity(**wish, MinimumSessionTokenSize=size)

    assert size <= answer["SessionTokenSize"] < size + 8
    assert sts.assume_role_with_web_identity(**wish, MinimumSessionTokenSize=0)["SessionTokenSize"] < 2500
    assert answer["SessionTokenSize"] == len(answer["Credentials"]["SessionToken"])
    assert signed(answer["Credentials"]).get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]


def test_every_member_of_an_answer_is_there_or_has_nothing_to_say(sts, signed, take, tokens, arn, document):
    model = sts.meta.service_model
    allow = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    wish = {"RoleSessionName": "ana", "Policy": allow}
    one = signed(take()["Credentials"])
    answers = {
        "AssumeRoleWithWebIdentity": take(Policy=allow),
        "AssumeRole": one.assume_role(RoleArn=arn("reader"), **wish, SourceIdentity="ana"),
        "GetCallerIdentity": one.get_caller_identity(),
        "GetAccessKeyInfo": one.get_access_key_info(AccessKeyId=take()["Credentials"]["AccessKeyId"]),
    }

    missing = {
        (name, member)
        for name, answer in answers.items()
        for member in model.operation_model(name).output_shape.members
        if member not in answer
    }

    assert missing == {("AssumeRoleWithWebIdentity", "SourceIdentity")}  # this token carries none


def test_the_decision_is_in_the_trail_and_names_nobody(take, house):
    answer = take()
    decided, ended = house.trail(answer["ResponseMetadata"]["RequestId"])

    assert (decided["function"], decided["door"], decided["verdict"]) == (
        "sts:AssumeRoleWithWebIdentity", "sts", "allow",
    )  # fmt: skip
    assert (decided["role"], decided["rules"], ended["outcome"]) == ("reader", ["reading"], "answered")
    assert answer["SubjectFromWebIdentityToken"] not in json.dumps([decided, ended])


def test_a_role_in_a_folder_is_named_without_it(take, signed):
    once = signed(take()["Credentials"])
    answer = once.assume_role(
        RoleArn="arn:aws:iam::000000000000:role/team/writer", RoleSessionName="ana", ExternalId="42"
    )

    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/writer/ana"


def test_credentials_invoke_what_the_rules_name_and_the_trail_says_by_which_call(take, functions, house):
    answer = take()
    done = functions(answer).invoke(FunctionName="echo", Payload=b'{"a": 1}')
    decided = house.trail(done["ResponseMetadata"]["HTTPHeaders"]["actas-call-id"])[0]

    assert json.loads(done["Payload"].read()) == {"event": {"a": 1}}
    assert (decided["evidence"], decided["function"], decided["role"]) == ("session", "echo", "reader")
    assert decided["evidence_id"] == answer["ResponseMetadata"]["RequestId"]
    assert decided["subject"] == house.trail(decided["evidence_id"])[0]["subject"]


def test_a_function_that_the_rules_do_not_name_is_not_invoked(take, functions, refused):
    lambdas = functions(take())

    assert refused(lambdas.invoke, FunctionName="page")[:2] == ("AccessDeniedException", 403)


DURATIONS = [
    ("as long as the role's sessions, where nothing is asked", "short", {}, timedelta(minutes=10)),
    ("as asked", "reader", {"DurationSeconds": 900}, timedelta(minutes=15)),
    ("as long as the token lives at most", "reader", {"DurationSeconds": 3600}, timedelta(hours=1)),
]


@pytest.mark.parametrize(("role", "more", "wanted"), [row[1:] for row in DURATIONS], ids=[row[0] for row in DURATIONS])
def test_a_session_lasts(take, role, more, wanted):
    assert wanted - LAST * 20 < lasts(take(role, **more)) <= wanted


def test_a_role_is_taken_with_a_session_by_whoever_knows_the_external_id(signed, refused, arn, take):
    once = signed()
    wish = {"RoleArn": arn("team/writer"), "RoleSessionName": "again"}

    assert once.assume_role(**wish, ExternalId="42")["AssumedRoleUser"]["Arn"].endswith("assumed-role/writer/again")
    assert refused(once.assume_role, **wish, ExternalId="43")[:2] == ("AccessDenied", 403)
    assert refused(once.assume_role, **wish)[:2] == ("AccessDenied", 403)
    assert refused(take, role="team/writer")[:2] == ("AccessDenied", 403)  # its trust policy names nobody's token


def test_a_chained_session_never_outlives_the_one_it_came_from(take, signed, arn):
    parent = take(DurationSeconds=900)
    child = signed(parent["Credentials"]).assume_role(
        RoleArn=arn("reader"), RoleSessionName="ana", DurationSeconds=3600
    )

    assert child["Credentials"]["Expiration"] <= parent["Credentials"]["Expiration"]


def test_a_chained_session_can_be_used_and_chained_again(take, signed, functions, arn):
    first = take()
    second = signed(first["Credentials"]).assume_role(RoleArn=arn("reader"), RoleSessionName="second")
    third = signed(second["Credentials"]).assume_role(RoleArn=arn("reader"), RoleSessionName="third")

    assert signed(third["Credentials"]).get_caller_identity()["Arn"].endswith("assumed-role/reader/third")
    assert functions(third).invoke(FunctionName="echo")["StatusCode"] == 200


def test_an_inline_policy_narrows_and_stays_along_the_chain(take, signed, functions, refused, document, arn):
    arns = {name: f"arn:aws:lambda:us-east-1:000000000000:function:{name}" for name in ("echo", "page")}
    echo = document({"Effect": "Allow", "Action": ["lambda:InvokeFunction", "sts:AssumeRole"], "Resource": "*"})
    page = document({"Effect": "Allow", "Action": ["lambda:InvokeFunction", "sts:*"], "Resource": arns["page"]})

    assert functions(take(Policy=echo)).invoke(FunctionName="echo")["StatusCode"] == 200
    assert refused(functions(take(Policy=page)).invoke, FunctionName="echo")[:2] == ("AccessDeniedException", 403)
    wide = signed(take(Policy=echo)["Credentials"])
    narrow = wide.assume_role(RoleArn=arn("reader"), RoleSessionName="narrow", Policy=page)
    assert refused(functions(narrow).invoke, FunctionName="echo")[:2] == ("AccessDeniedException", 403)
    still = signed(take(Policy=page)["Credentials"])
    assert refused(still.assume_role, RoleArn=arn("reader"), RoleSessionName="narrow")[:2] == ("AccessDenied", 403)


def test_a_policy_by_its_arn_narrows(take, functions, refused):
    known = [{"arn": "arn:aws:iam::000000000000:policy/only-s3"}]

    assert refused(functions(take(PolicyArns=known)).invoke, FunctionName="echo")[:2] == ("AccessDeniedException", 403)
    assert functions(take()).invoke(FunctionName="echo")["StatusCode"] == 200


def test_what_narrows_is_measured(take, document):
    answer = take(Policy=document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}))

    assert 0 < answer["PackedPolicySize"] <= 100
    assert "PackedPolicySize" not in take()


def test_tags_and_a_source_identity_are_kept_along_the_chain(take, signed, refused, arn):
    once = signed()
    tagged = once.assume_role(
        RoleArn=arn("reader"),
        RoleSessionName="ana",
        Tags=[{"Key": "Team", "Value": "Blau 1"}, {"Key": "other", "Value": ""}],
        TransitiveTagKeys=["Team"],
        SourceIdentity="ana",
    )
    assert tagged["SourceIdentity"] == "ana"
    second = signed(tagged["Credentials"])
    again = {"RoleArn": arn("reader"), "RoleSessionName": "bea"}

    assert second.assume_role(**again)["SourceIdentity"] == "ana"
    assert second.assume_role(**again, SourceIdentity="ana")["SourceIdentity"] == "ana"
    assert refused(second.assume_role, **again, SourceIdentity="ben")[:2] == ("ValidationError", 400)
    clash = [{"Key": "team", "Value": "red"}]
    assert refused(second.assume_role, **again, Tags=clash) == (
        "InvalidParameterValue",
        400,
        CLASH,
    )
    assert second.assume_role(**again, Tags=[{"Key": "Other", "Value": "x"}])["Credentials"]


def test_tags_in_a_token_need_to_be_trusted_by_the_role(sts, idp, refused, arn):
    tags = {"https://aws.amazon.com/tags": {"principal_tags": {"team": ["blue"]}, "transitive_tag_keys": ["team"]}}
    wish = {"RoleSessionName": "ana"}
    plain, tagged = idp.token(person="ana"), idp.token(person="ana", **tags)

    assert sts.assume_role_with_web_identity(RoleArn=arn("tagged"), WebIdentityToken=plain, **wish)["Credentials"]
    assert refused(
        sts.assume_role_with_web_identity, RoleArn=arn("tagged"), WebIdentityToken=tagged, **wish
    )[:2] == ("AccessDenied", 403)  # fmt: skip
    assert sts.assume_role_with_web_identity(RoleArn=arn("reader"), WebIdentityToken=tagged, **wish)["PackedPolicySize"]


def test_a_source_identity_in_a_token_is_the_sessions(sts, idp, arn):
    token = idp.token(person="ana", **{"https://aws.amazon.com/source_identity": "ana-at-work"})
    answer = sts.assume_role_with_web_identity(RoleArn=arn("reader"), RoleSessionName="ana", WebIdentityToken=token)

    assert answer["SourceIdentity"] == "ana-at-work"


def test_an_access_key_tells_its_account(signed, take):
    answer = take()
    found = signed(answer["Credentials"]).get_access_key_info(AccessKeyId=answer["Credentials"]["AccessKeyId"])

    assert found["Account"] == "000000000000"


def test_a_presigned_request_is_answered_by_get_and_by_post(signed, house):
    once = signed()
    for method in ("GET", "POST"):
        url = once.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod=method)
        target = url.removeprefix(f"http://{house.control}")
        answer = house.ask(method, target, control=True)

        if method == "GET":
            assert answer.status_code == 200, answer.text
            assert "assumed-role/reader/ana" in answer.text
        else:  # its form would have to be in the body
            assert answer.status_code == 404


def test_a_refusal_can_be_opened_by_whoever_may(take, signed, refused, house, tokens):
    told = refused(take, role="idle")[2]
    sealed = told.rpartition(" ")[2]
    auditor = signed(take(person="dalia")["Credentials"])
    opened = json.loads(auditor.decode_authorization_message(EncodedMessage=sealed)["DecodedMessage"])

    assert told.startswith("Not authorized to perform sts:AssumeRoleWithWebIdentity. Encoded authorization failure")
    assert (opened["allowed"], opened["explicitDeny"]) == (False, False)
    assert opened["reasons"][0]["code"] == "role-not-offered"
    assert opened["context"]["action"] == "sts:AssumeRoleWithWebIdentity"
    assert refused(signed().decode_authorization_message, EncodedMessage=sealed)[:2] == ("AccessDenied", 403)
    assert refused(auditor.decode_authorization_message, EncodedMessage=sealed[:-2])[:2] == (
        "InvalidAuthorizationMessageException", 400,
    )  # fmt: skip
    by_admin = house.ask("POST", "/admin/v1/denials", tokens["dalia"], control=True, json={"message": sealed})
    assert by_admin.json() == opened


def test_what_a_function_was_given_takes_no_role_though_its_caller_may(house, tokens, signed, arn):
    answer = house.call("lend", tokens["ana"], {"role": arn("reader")})

    assert (answer.status_code, answer.json()) == (200, "AccessDenied")
    assert signed().assume_role(RoleArn=arn("reader"), RoleSessionName="more")["Credentials"]
