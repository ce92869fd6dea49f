"""The events we make have the keys and types of events that others recorded, key by key."""

from base64 import b64encode
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from actas import apigateway
from actas.apigateway import HttpRequest

POWERTOOLS, SAM = "lambda-events-powertools", "lambda-events-sam-cli"
NOW = datetime(2026, 3, 14, tzinfo=UTC)
FILL = {
    "method": "GET",
    "path": "orders/7",
    "resource": "/{proxy+}",
    "stage": "live",
    "account_id": "111122223333",
    "dns_suffix": "us-east-1.amazonaws.com",
    "region": "us-east-1",
    "partition": "aws",
    "restApiId": "abc",
}


def made_like(recorded, *, version, route, multi=False, **more):
    """Make the event of the request that *recorded* tells of."""
    context = recorded["requestContext"]
    headers = recorded.get("multiValueHeaders") or {n: [v] for n, v in (recorded.get("headers") or {}).items()}
    cookies = [("cookie", "; ".join(recorded["cookies"]))] if recorded.get("cookies") else []
    pairs = [(name, value) for name, values in headers.items() for value in values] + cookies
    query = recorded.get("multiValueQueryStringParameters") or recorded.get("queryStringParameters") or {}
    if not isinstance(query, dict):
        query = {"foo": ["bar"]}
    raw = recorded.get("rawQueryString") or "&".join(
        f"{name}={quote(value)}"
        for name, values in query.items()
        for value in (values if isinstance(values, list) else [values])
    )
    names = {name.lower() for name, _ in pairs}
    if "user-agent" not in names:
        pairs.append(("user-agent", "agent"))
    if "content-type" not in names:
        pairs.append(("content-type", "image/png" if recorded["isBase64Encoded"] else "text/plain"))
    http = context.get("http", {})
    request = HttpRequest(
        recorded.get("httpMethod") or http["method"],
        recorded.get("path") or recorded["rawPath"],
        raw,
        tuple(pairs),
        (recorded.get("body") or "").encode(),
        "192.0.2.7",
    )
    given = context.get("authorizer")
    return apigateway.event(
        request,
        version=version,
        route=route,
        stage=context.get("stage", "$default"),
        authorizer=given if given and any(given.values()) else None,
        request_id="r-1",
        now=NOW,
        stage_variables=recorded.get("stageVariables"),
        binary_media_types=("image/png",),
        client_cert=CERTIFICATE if "clientCert" in str(recorded) else None,
        multi_value_headers=multi,
        **more,
    )


CERTIFICATE = {
    "clientCertPem": "…",
    "subjectDN": "…",
    "issuerDN": "…",
    "serialNumber": "…",
    "validity": {"notBefore": "…", "notAfter": "…"},
}
FREE = {"headers", "multiValueHeaders", "authorizer", "pathParameters", "stageVariables"}


def differences(ours, theirs, where="", *, known=frozenset()):
    """List each key that one side has and the other has not, and each value of another type."""
    for name in sorted(ours.keys() | theirs.keys()):
        at = f"{where}.{name}".lstrip(".")
        if at in known:
            continue
        if name not in ours:
            yield f"{at} is missing"
        elif name not in theirs:
            yield f"{at} is ours alone"
        elif isinstance(theirs[name], dict) and isinstance(ours[name], dict):
            if name not in FREE:
                yield from differences(ours[name], theirs[name], at, known=known)
        elif theirs[name] is not None and type(ours[name]) is not type(theirs[name]):
            yield f"{at} is {type(ours[name]).__name__}, not {type(theirs[name]).__name__}"


# HTTP APIs put nulls where REST APIs leave the authorizer out; ours leaves it out.
V1 = {"requestContext.authorizer"}
CASES = [
    ("apiGatewayProxyEvent.json", "1.0", "GET /my/path", V1),
    ("apiGatewayProxyEventAnotherPath.json", "1.0", "GET /my/anotherPath", V1),
    ("apiGatewayProxyEventNoOrigin.json", "1.0", "GET /my/path", V1),
    ("apiGatewayProxyEventPathTrailingSlash.json", "1.0", "GET /my/path", V1),
    ("apiGatewayProxyOtherEvent.json", "1.0", "GET /other/path", V1),
    # A REST API's event has no version, HTTP APIs' 1.0 has one; ours says it always.
    ("apiGatewayProxyEvent_noVersionAuth.json", "1.0", "GET /my/path", {"version"}),
    ("apiGatewayProxyV2Event.json", "2.0", "POST /my/{parameter1}", set()),
    ("apiGatewayProxyV2Event_GET.json", "2.0", "GET /my/{parameter1}", set()),
    ("apiGatewayProxyV2OtherGetEvent.json", "2.0", "GET /other/{parameter1}", set()),
    ("apiGatewayProxyV2EventPathTrailingSlash.json", "2.0", "POST /my/{parameter1}", set()),
    ("apiGatewayProxyV2IamEvent.json", "2.0", "GET /{proxy+}", set()),
    ("apiGatewayProxyV2LambdaAuthorizerEvent.json", "2.0", "GET /{proxy+}", set()),
    ("lambdaFunctionUrlEvent.json", "function-url", "$default", {"requestContext.authentication"}),
    ("lambdaFunctionUrlEventWithHeaders.json", "function-url", "$default", {"requestContext.authentication"}),
    # Null or left out, says the developer guide; ours leaves them out.
    ("lambdaFunctionUrlIAMEvent.json", "function-url", "$default", {"pathParameters", "stageVariables"}),
    ("lambdaFunctionUrlEventPathTrailingSlash.json", "function-url", "$default", {"pathParameters", "stageVariables"}),
    ("albEvent.json", "alb", "$default", set()),
    ("albEventPathTrailingSlash.json", "alb", "$default", set()),
]


@pytest.mark.parametrize(("name", "version", "route", "known"), CASES, ids=[c[0] for c in CASES])
def test_an_event_of_powertools_has_our_keys_and_types(recorded, name, version, route, known):
    theirs = recorded(POWERTOOLS, name)

    ours = made_like(theirs, version=version, route=route)

    assert list(differences(ours, theirs, known=known)) == []


@pytest.mark.parametrize("name", ["albMultiValueHeadersEvent.json", "albMultiValueQueryStringEvent.json"])
def test_a_load_balancers_event_with_multi_values_has_our_keys_and_types(recorded, name):
    theirs = recorded(POWERTOOLS, name)

    ours = made_like(theirs, version="alb", route="$default", multi=True)

    assert list(differences(ours, theirs)) == []


# SAM's sample of a REST event is older than these members.
OLDER = {
    "version",
    "requestContext.domainName",
    "requestContext.domainPrefix",
    "requestContext.extendedRequestId",
    "requestContext.identity.principalOrgId",
    # Samples that are text until filled in.
    "queryStringParameters",
    "multiValueQueryStringParameters",
}
SAM_CASES = [
    ("events/apigateway/AwsProxy.json", "1.0", "ANY /{proxy+}", OLDER),
    ("events/apigateway/HttpApi.json", "2.0", "GET /orders/{parameter1}", set()),
    ("events/alb/ALBRequest.json", "alb", "$default", set()),
]


@pytest.mark.parametrize(("name", "version", "route", "known"), SAM_CASES, ids=[c[0] for c in SAM_CASES])
def test_an_event_of_sam_has_our_keys_and_types(recorded, name, version, route, known):
    theirs = recorded(SAM, name, **FILL, body=b64encode(b"hello").decode(), querystringparameters="")

    ours = made_like(theirs, version=version, route=route)

    assert list(differences(ours, theirs, known=known)) == []
