"""Every way this library fails; nothing else leaves it, whatever comes in."""

from actas.errors import ActasError


class ApiGatewayError(ActasError):
    """The root of this library's errors."""

    status = 500


class UnknownVersion(ApiGatewayError):
    """A format that does not exist."""

    code = "apigateway.unknown-version"
    hint = "Ask for a format that the function's docs name."

    def __init__(self, *, known: tuple[str, ...]) -> None:
        """List the formats there are."""
        self.known = known
        super().__init__(f"the format is none of {', '.join(known)}")


class MalformedRoute(ApiGatewayError):
    """A route's template that API Gateway would not take either."""

    code = "apigateway.malformed-route"
    hint = "Write a route as 'GET /orders/{id}', 'ANY /{proxy+}' or '$default'."

    def __init__(self, *, why: str) -> None:
        """Say what is wrong with the template."""
        super().__init__(f"the route {why}")


class RouteDoesNotMatch(ApiGatewayError):
    """The event was asked for under a route that the request does not take."""

    code = "apigateway.route-does-not-match"
    hint = "Choose the route by the request's method and path first."

    def __init__(self, *, route: str) -> None:
        """Name the route; the path is the caller's."""
        self.route = route
        super().__init__(f"the request does not take the route {route}")


class NaiveTime(ApiGatewayError):
    """A time without a zone."""

    code = "apigateway.naive-time"
    hint = "Pass an aware datetime in UTC."

    def __init__(self) -> None:
        """State it."""
        super().__init__("the time has no zone")


class InvalidAuthorizerAnswer(ApiGatewayError):
    """What the authorizer returned is no verdict; API Gateway answers 500."""

    code = "apigateway.invalid-authorizer-answer"
    hint = "Return isAuthorized (2.0) or principalId and policyDocument, as docs/libraries/apigateway.md shows."

    def __init__(self, *, why: str) -> None:
        """Say what is wrong with it, never its values."""
        super().__init__(f"the authorizer's answer {why}")


class AuthorizerUnauthorized(ApiGatewayError):
    """The authorizer failed with the one message that API Gateway turns into 401."""

    code = "apigateway.authorizer-unauthorized"
    hint = "Send a token that the authorizer takes."
    status = 401

    def __init__(self) -> None:
        """State it."""
        super().__init__("the authorizer said Unauthorized")
