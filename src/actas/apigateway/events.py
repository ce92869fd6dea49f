"""Turn an HTTP request into the event that a function behind AWS's front doors would get.

Four formats: ``2.0`` (HTTP APIs), ``1.0`` (REST APIs, and HTTP APIs that ask for it), ``function-url`` and ``alb``.
What AWS leaves out when there is nothing to say (cookies, parameters, body, authorizer) is left out here too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote

from actas.apigateway import media, wire
from actas.apigateway.errors import NaiveTime, RouteDoesNotMatch, UnknownVersion
from actas.apigateway.exchange import HttpRequest
from actas.apigateway.routes import DEFAULT, Route, match, parse

VERSIONS: Final = ("1.0", "2.0", "function-url", "alb")
# The identity of a caller that IAM does not know; sourceIp and userAgent are filled in.
_NOBODY: Final = dict.fromkeys(
    (
        "accessKey",
        "accountId",
        "caller",
        "cognitoAuthenticationProvider",
        "cognitoAuthenticationType",
        "cognitoIdentityId",
        "cognitoIdentityPoolId",
        "principalOrgId",
        "sourceIp",
        "user",
        "userAgent",
        "userArn",
    )
)


@dataclass(frozen=True, slots=True)
class _Api:
    """The API that was called."""

    account_id: str
    api_id: str
    domain_name: str
    stage: str
    stage_variables: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class _Extras:
    """What one format alone looks at."""

    binary_media_types: Sequence[str]
    client_cert: Mapping[str, Any] | None
    target_group_arn: str | None
    multi_value_headers: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """Everything an event is made of; ``path`` is inside the API, without the stage."""

    request: HttpRequest
    route: Route
    path: str
    parameters: Mapping[str, str] = field(repr=False)
    authorizer: Mapping[str, Any] | None = field(repr=False)
    request_id: str
    now: datetime
    api: _Api
    extras: _Extras


def event(
    request: HttpRequest,
    *,
    now: datetime,
    request_id: str,
    version: str = "2.0",
    route: str = DEFAULT,
    stage: str = DEFAULT,
    authorizer: Mapping[str, Any] | None = None,
    account_id: str = "000000000000",
    api_id: str = "local",
    domain_name: str = "localhost",
    stage_variables: Mapping[str, str] | None = None,
    binary_media_types: Sequence[str] = (),
    client_cert: Mapping[str, Any] | None = None,
    target_group_arn: str | None = None,
    multi_value_headers: bool = False,
) -> dict[str, Any]:
    """Make the event of *request* under *route*.

    ``authorizer`` is put in as it is (``{"jwt": …}``, ``{"lambda": …}``, ``{"iam": …}``; flat in 1.0).
    ``binary_media_types`` counts in 1.0 only; ``target_group_arn`` and ``multi_value_headers`` with ``alb`` only.
    A path that starts with a named stage is matched without it. Raises `ApiGatewayError` only.
    """
    if version not in VERSIONS:
        raise UnknownVersion(known=VERSIONS)
    if now.tzinfo is None:
        raise NaiveTime
    template = parse(route)
    path, parameters = _matched(template, request, stage)
    api = _Api(account_id, api_id, domain_name, stage, stage_variables)
    extras = _Extras(binary_media_types, client_cert, target_group_arn, multi_value_headers)
    asked = _Asked(request, template, path, parameters, authorizer, request_id, now.astimezone(UTC), api, extras)
    makers = {"1.0": _version_1, "2.0": _version_2, "function-url": _function_url, "alb": _load_balancer}
    return makers[version](asked)


def _matched(route: Route, request: HttpRequest, stage: str) -> tuple[str, dict[str, str]]:
    """Find the path inside the API and its parameters."""
    for path in (*_inside(request.path, stage), request.path):
        parameters = match(route, request.method, path)
        if parameters is not None:
            return path, parameters
    raise RouteDoesNotMatch(route=route.key)


def _inside(path: str, stage: str) -> tuple[str, ...]:
    """Take a named stage off a path that starts with it."""
    prefix = f"/{stage}"
    if stage != DEFAULT and (path == prefix or path.startswith(f"{prefix}/")):
        return (path.removeprefix(prefix) or "/",)
    return ()


def _version_1(asked: _Asked) -> dict[str, Any]:
    """Payload 1.0: names keep their case, the last of several values counts, nothing said is null."""
    request = asked.request
    headers = wire.grouped(request.headers)
    query = wire.query(request.query_string)
    body, encoded = None, False
    if request.body:
        binary = media.is_binary(media.media_type(request.header("content-type")), asked.extras.binary_media_types)
        body, encoded = media.encode(request.body, binary=binary)
    return {
        "version": "1.0",
        "resource": asked.route.path,
        "path": asked.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "requestContext": _context_1(asked),
        "pathParameters": dict(asked.parameters) or None,
        "stageVariables": dict(asked.api.stage_variables or {}) or None,
        "body": body,
        "isBase64Encoded": encoded,
    }


def _context_1(asked: _Asked) -> dict[str, Any]:
    """Give the request context of payload 1.0; its path has the stage in front, unless that is the default one."""
    request = asked.request
    identity = _NOBODY | {"sourceIp": request.source_ip, "userAgent": request.header("user-agent") or None}
    if asked.extras.client_cert is not None:
        identity |= {"clientCert": asked.extras.client_cert}
    context = {
        "accountId": asked.api.account_id,
        "apiId": asked.api.api_id,
        "domainName": asked.api.domain_name,
        "domainPrefix": asked.api.domain_name.partition(".")[0],
        "extendedRequestId": asked.request_id,
        "httpMethod": request.method,
        "identity": identity,
        "path": asked.path if asked.api.stage == DEFAULT else f"/{asked.api.stage}{asked.path}",
        "protocol": request.protocol,
        "requestId": asked.request_id,
        "requestTime": wire.clf(asked.now),
        "requestTimeEpoch": wire.milliseconds(asked.now),
        "resourceId": asked.route.key,
        "resourcePath": asked.route.path,
        "stage": asked.api.stage,
    }
    if asked.authorizer is not None:
        context["authorizer"] = dict(asked.authorizer)
    return context


def _version_2(asked: _Asked) -> dict[str, Any]:
    """Payload 2.0: lower-case names, several values joined with commas, the path decoded, nothing said is left out."""
    made = _common_2(asked, path=unquote(asked.request.path, errors="replace"), key=asked.route.key)
    context = made["requestContext"]
    if asked.extras.client_cert is not None:
        context["authentication"] = {"clientCert": asked.extras.client_cert}
    if asked.parameters:
        made["pathParameters"] = dict(asked.parameters)
    if asked.api.stage_variables:
        made["stageVariables"] = dict(asked.api.stage_variables)
    return made


def _function_url(asked: _Asked) -> dict[str, Any]:
    """Payload 2.0 as Lambda itself makes it: the path stays encoded, route and stage are placeholders."""
    made = _common_2(asked, path=asked.request.path, key=DEFAULT)
    context = made["requestContext"]
    context |= {"authentication": None, "stage": DEFAULT}
    if asked.authorizer is None:  # AuthType NONE
        context["accountId"] = "anonymous"
    return made


def _common_2(asked: _Asked, *, path: str, key: str) -> dict[str, Any]:
    """Make what HTTP APIs and function URLs share."""
    request = asked.request
    headers = wire.lower(request.headers)
    cookies = [part for value in headers.pop("cookie", ()) for part in wire.cookies(value)]
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": key,
        "rawPath": path,
        "rawQueryString": request.query_string,
        "headers": {name: ",".join(values) for name, values in headers.items()},
        "requestContext": _context_2(asked, path=path, key=key),
        "isBase64Encoded": False,
    }
    if cookies:
        made["cookies"] = cookies
    query = wire.query(request.query_string)
    if query:
        made["queryStringParameters"] = {name: ",".join(values) for name, values in query.items()}
    if request.body:
        binary = not media.is_text(media.media_type(request.header("content-type")))
        made["body"], made["isBase64Encoded"] = media.encode(request.body, binary=binary)
    return made


def _context_2(asked: _Asked, *, path: str, key: str) -> dict[str, Any]:
    """Give the request context of payload 2.0."""
    request = asked.request
    context: dict[str, Any] = {
        "accountId": asked.api.account_id,
        "apiId": asked.api.api_id,
        "domainName": asked.api.domain_name,
        "domainPrefix": asked.api.domain_name.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent"),
        },
        "requestId": asked.request_id,
        "routeKey": key,
        "stage": asked.api.stage,
        "time": wire.clf(asked.now),
        "timeEpoch": wire.milliseconds(asked.now),
    }
    if asked.authorizer is not None:
        context["authorizer"] = dict(asked.authorizer)
    return context


def _load_balancer(asked: _Asked) -> dict[str, Any]:
    """Make an Application Load Balancer's event: the query stays encoded, and nothing is ever null."""
    request = asked.request
    arn = asked.extras.target_group_arn or (
        f"arn:aws:elasticloadbalancing:us-east-1:{asked.api.account_id}:targetgroup/{asked.api.api_id}/0000000000000000"
    )
    headers = wire.lower(request.headers)
    query = wire.query(request.query_string, decode=False)
    # A body with a Content-Encoding is never text, whatever its type.
    text = media.is_text(media.media_type(request.header("content-type"))) and "content-encoding" not in headers
    body, encoded = media.encode(request.body, binary=bool(request.body) and not text)
    made: dict[str, Any] = {
        "requestContext": {"elb": {"targetGroupArn": arn}},
        "httpMethod": request.method,
        "path": request.path,
    }
    if asked.extras.multi_value_headers:
        made |= {"multiValueQueryStringParameters": query, "multiValueHeaders": headers}
    else:
        made["queryStringParameters"] = {name: values[-1] for name, values in query.items()}
        made["headers"] = {name: values[-1] for name, values in headers.items()}
    return made | {"body": body, "isBase64Encoded": encoded}
