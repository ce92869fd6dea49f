"""Every way a delivery is not taken, or a provider is not heard."""

from actas.events.errors import EventsError


class SourceError(EventsError):
    """Something is wrong between a provider and us."""

    status = 400


class MalformedDelivery(SourceError):
    """What came is not what the provider documents."""

    code = "events.malformed-delivery"
    hint = "Compare the source's kind with what sends to this address; its page shows what a delivery looks like."

    def __init__(self, *, why: str) -> None:
        """State what cannot be read; nothing of it is repeated."""
        self.why = why
        super().__init__(f"the delivery cannot be read: {why}")


class DeliveryTooLarge(SourceError):
    """More came than is read."""

    code = "events.delivery-too-large"
    hint = "Have the provider send fewer events at once; the source's page says where."
    status = 413

    def __init__(self, *, found: int, allowed: int) -> None:
        """State both sizes in bytes."""
        self.found, self.allowed = found, allowed
        super().__init__(f"the delivery has {found} bytes; at most {allowed} are read")


class NotAuthentic(SourceError):
    """Whoever sent it did not prove to be the provider."""

    code = "events.not-authentic"
    hint = "Give the provider and the source the same secret (or key, or audience); the source's page says where."
    status = 401

    def __init__(self, *, why: str) -> None:
        """State what does not hold."""
        self.why = why
        super().__init__(f"the delivery is not authentic: {why}")


class DeliveryTooOld(SourceError):
    """It was sent, or it happened, too long ago to be taken from whoever pushes."""

    code = "events.delivery-too-old"
    hint = "Let the source also ask the provider, which catches up; or raise its `oldest`."

    def __init__(self, *, seconds: int, allowed: int) -> None:
        """State both ages in seconds."""
        self.seconds, self.allowed = seconds, allowed
        super().__init__(f"the delivery speaks of {seconds} s ago; at most {allowed} s are taken")


class DeliveryFromTheFuture(SourceError):
    """It says that it happened later than now."""

    code = "events.delivery-from-the-future"
    hint = "Compare this host's clock with the provider's."

    def __init__(self, *, seconds: int, allowed: int) -> None:
        """State how far ahead it is, in seconds."""
        self.seconds, self.allowed = seconds, allowed
        super().__init__(f"the delivery speaks of {seconds} s from now; at most {allowed} s are taken")


class ProviderRefused(SourceError):
    """The provider does not let us ask."""

    code = "events.provider-refused"
    hint = (
        "See that the client is enabled and has the rights that the source's page names; `actas events doctor` looks."
    )
    status = 503

    def __init__(self, *, what: str, status: int) -> None:
        """State what was asked for, and the status."""
        self.what, self.found = what, status
        super().__init__(f"{what} was refused with status {status}")


class ProviderBusy(SourceError):
    """The provider asks us to come later."""

    code = "events.provider-busy"
    hint = "Wait; where it happens often, ask less often (`every`)."
    status = 503

    def __init__(self, *, what: str, status: int, retry_after: int) -> None:
        """State what was asked for, and when to come again."""
        self.what, self.found, self.retry_after = what, status, retry_after
        super().__init__(f"{what} was answered with status {status}; worth another try in {retry_after} s")


class ProviderUnreadable(SourceError):
    """The provider answered with what its documentation does not say."""

    code = "events.provider-unreadable"
    hint = "Compare the provider's version with the source's page."
    status = 503

    def __init__(self, *, what: str, why: str) -> None:
        """State what was asked for, and what is wrong with the answer."""
        self.what, self.why = what, why
        super().__init__(f"{what} {why}")


class SourceIncomplete(SourceError):
    """The settings of a source leave out what it cannot do without."""

    code = "events.source-incomplete"
    hint = "Add the key; `actas check` shows where."
    status = 500

    def __init__(self, *, source: str, why: str) -> None:
        """Name the source and what is missing."""
        self.source, self.why = source, why
        super().__init__(f"the source {source} {why}")
