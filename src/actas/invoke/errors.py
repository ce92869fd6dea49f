"""Every way a function cannot be run."""

from actas.errors import ActasError


class InvokeError(ActasError):
    """The function could not be reached or run."""

    status = 502


class NoSuchFunction(InvokeError):
    """The rules allow it, but nothing by this name runs here."""

    code = "invoke.no-such-function"
    hint = "Name a function that the settings file lists under functions."
    status = 404

    def __init__(self, *, function: str) -> None:
        """State which function was asked for."""
        super().__init__(f"there is no function {function}")


class TooDeep(InvokeError):
    """Functions called one another further down than they may: most likely in a circle."""

    code = "invoke.too-deep"
    hint = "Break the circle of functions that call each other, or raise gateway.limits.depth."
    status = 400  # no client tries again: it would come to the same end

    def __init__(self, *, function: str, depth: int, allowed: int) -> None:
        """State how deep the call would be and how deep it may be."""
        self.function, self.depth, self.allowed = function, depth, allowed
        super().__init__(f"function {function} would run {depth} calls below its root; at most {allowed} are allowed")


class TooManyNested(InvokeError):
    """The functions below one root call have called as often as they may."""

    code = "invoke.too-many-nested"
    hint = "Let the function call less, or raise gateway.limits.calls_per_root."
    status = 400  # as above

    def __init__(self, *, function: str, allowed: int) -> None:
        """State the budget."""
        self.function, self.allowed = function, allowed
        super().__init__(f"function {function} would be one call more than the {allowed} allowed below one root call")


class RootOver(InvokeError):
    """The call that this one belongs to has ended: its caller is gone, or its time is up."""

    code = "invoke.root-over"
    hint = "Finish what a function calls before it answers, or invoke it as an event, which runs by itself."
    status = 409

    def __init__(self, *, function: str) -> None:
        """State which function was to be called."""
        self.function = function
        super().__init__(f"function {function} is called for a root call that is over")
