"""Every way these doors turn somebody away before anybody is believed."""

from actas.http.errors import HttpError


class BadForm(HttpError):
    """The form or the query cannot be read in one way."""

    code = "http.saml-bad-form"
    hint = "Start the sign-in again. If it happens at once, see what the identity provider sends: each field once."

    def __init__(self, *, why: str) -> None:
        """State what is wrong with it."""
        super().__init__(f"the form cannot be read: {why}")


class NotAsked(HttpError):
    """An answer comes to a browser in which nothing was asked."""

    code = "http.saml-not-asked"
    hint = "Start the sign-in again in this browser, with cookies allowed, and finish it within five minutes."
    status = 403

    def __init__(self) -> None:
        """State what is missing."""
        super().__init__("the answer belongs to no sign-in that was begun in this browser in the last five minutes")


class NoWayThere(HttpError):
    """The provider's metadata offers no endpoint that we can use."""

    code = "http.saml-no-endpoint"
    hint = "Ask the provider for metadata with an endpoint for the Redirect or the POST binding."
    status = 502

    def __init__(self, *, provider: str, service: str) -> None:
        """State whose metadata, and which service it lacks."""
        super().__init__(f"the metadata of {provider} has no {service} for the Redirect or the POST binding")


class NoSignIn(HttpError):
    """The browser shows no sign-in of ours, or one that is over."""

    code = "http.saml-no-sign-in"
    hint = "Sign in first."
    status = 403

    def __init__(self) -> None:
        """State what is missing."""
        super().__init__("nobody is signed in in this browser")


class CrossSite(HttpError):
    """Another site sends a browser to do what only our own page may ask for."""

    code = "http.saml-cross-site"
    hint = "Open the page of this gateway and use its button."
    status = 403

    def __init__(self) -> None:
        """State where it came from."""
        super().__init__("the request was sent by a page of another site")
