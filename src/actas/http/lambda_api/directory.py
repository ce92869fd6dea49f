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
        self.names = tuple(sorted(self.by_name))
        self._by_arn: dict[tuple[str, str, str], list[Known]] = {}
        for known in self.by_name.values():
            parts = known.arn.split(":")
            self._by_arn.setdefault((parts[4], parts[6], parts[7]), []).append(known)
        self._region, self._account = region, account

    def find(self, named: FunctionName) -> Known | None:
        """Find the function; None where there is none by this name, or not this version of it."""
        if named.account is None:
            found = self.by_name.get(named.name)
            if found is None or named.qualifier not in (None, found.qualifier):
                return None
            return found
        # An ARN without a qualifier is that of $LATEST, whatever versions there are: nothing wider.
        there = self._by_arn.get((named.account, named.name, named.qualifier or LATEST), ())
        matches = [one for one in there if _is_in(one, named)]
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


def _is_in(known: Known, named: FunctionName) -> bool:
    """See that it is where the name says, as far as the name says it."""
    _, partition, _, region, *_ = known.arn.split(":")
    return named.region in (None, region) and named.partition in (None, partition)
