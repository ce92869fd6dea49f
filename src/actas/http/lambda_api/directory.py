"""The functions of one moment's settings, found by whatever name a caller has for them. Pure.

A bare name is one of the settings file's. An ARN, whole or without its region, is the function's own: that of a
function in AWS, or the one that the gateway gives to a function that runs here. A name that fits none of them is
nobody's: it is decided upon as such, and so refused and recorded like any function that is not there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from actas.http.lambda_api.names import LATEST, FunctionName
from actas.settings.schema import Function

PARTITION: Final = "aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A function that the settings file has."""

    name: str
    arn: str
    """Qualified."""
    settings: Function

    @property
    def bare_arn(self) -> str:
        """Its ARN without the qualifier."""
        return self.arn.rpartition(":")[0]

    @property
    def qualifier(self) -> str:
        """Its version or alias."""
        return self.arn.rpartition(":")[2]


class Directory:
    """Finds functions by name."""

    def __init__(
        self, functions: Mapping[str, Function], arns: Iterable[tuple[str, str]], *, region: str, account: str
    ) -> None:
        """Take the settings' functions, the qualified ARN of each, and where functions that run here are said to be."""
        self.by_name = {
            name: Known(name=name, arn=arn, settings=functions[name]) for name, arn in arns if name in functions
        }
        self._region, self._account = region, account

    def find(self, named: FunctionName) -> Known | None:
        """Find the function; None where there is none by this name, or not this version of it."""
        if named.account is None:
            found = self.by_name.get(named.name)
            if found is None or named.qualifier not in (None, found.qualifier):
                return None
            return found
        # An ARN without a qualifier is that of $LATEST, whatever versions there are: nothing wider.
        wanted = named.qualifier or LATEST
        matches = [one for one in self.by_name.values() if one.qualifier == wanted and _is(one, named)]
        return matches[0] if len({one.arn for one in matches}) == 1 else None

    def arn(self, named: FunctionName) -> str:
        """Write the ARN that a caller's name stands for, whether there is such a function or not."""
        known = self.by_name.get(named.name) if named.account is None else None
        if known is not None:
            bare = known.bare_arn
        else:
            region, account = named.region or self._region, named.account or self._account
            bare = f"arn:{named.partition or PARTITION}:lambda:{region}:{account}:function:{named.name}"
        return f"{bare}:{named.qualifier}" if named.qualifier else bare


def _is(known: Known, named: FunctionName) -> bool:
    _, partition, _, region, account, _, name, _ = known.arn.split(":")
    theirs = (named.account, named.name, named.region or region, named.partition or partition)
    return theirs == (account, name, region, partition)
