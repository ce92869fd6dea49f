"""API Gateway's events and answers: a request in, what the function would get; its return value, what the client gets.

Pure: no socket, no clock, no state. `event` makes payload formats 1.0, 2.0, function URL and load balancer,
`answer` reads what a function returned, `authorizer_answer` what a Lambda authorizer returned.

>>> from datetime import UTC, datetime
>>> request = HttpRequest("GET", "/orders/caf%C3%A9", query_string="full=1")
>>> made = event(request, route="GET /orders/{id}", request_id="r-1", now=datetime(2026, 3, 14, tzinfo=UTC))
>>> made["rawPath"], made["pathParameters"], made["queryStringParameters"]
('/orders/café', {'id': 'café'}, {'full': '1'})
>>> answer(b'{"statusCode": 201, "body": "made"}', version="2.0").status
201
>>> authorizer_answer(b'{"isAuthorized": false}').effect
'Deny'
"""

from actas.apigateway.answers import answer
from actas.apigateway.authorizers import AuthorizerVerdict, authorizer_answer
from actas.apigateway.errors import (
    ApiGatewayError,
    AuthorizerUnauthorized,
    InvalidAuthorizerAnswer,
    MalformedRoute,
    NaiveTime,
    RouteDoesNotMatch,
    UnknownVersion,
)
from actas.apigateway.events import event
from actas.apigateway.exchange import HttpAnswer, HttpRequest

__all__ = [
    "ApiGatewayError",
    "AuthorizerUnauthorized",
    "AuthorizerVerdict",
    "HttpAnswer",
    "HttpRequest",
    "InvalidAuthorizerAnswer",
    "MalformedRoute",
    "NaiveTime",
    "RouteDoesNotMatch",
    "UnknownVersion",
    "answer",
    "authorizer_answer",
    "event",
]
