"""The section ``audit.cloudwatch`` of the settings file: a copy of the trail, and figures of it, in AWS."""

from typing import Annotated

import msgspec

from actas.settings.schema_keys import Keys
from actas.settings.schema_roles import AwsBase
from actas.settings.values import Span

Group = Annotated[str, msgspec.Meta(pattern=r"^(?!aws/)[A-Za-z0-9._/#-]{1,512}$")]


class CloudWatch(Keys, frozen=True):
    """A copy of the trail in CloudWatch Logs; the files stay the chain."""

    group: Group
    """The log group that the lines go to; it is made where it is not there."""
    base: AwsBase
    """Whose credentials hand the lines in."""
    metrics: Group | None = None
    """The log group that figures go to, in the embedded metric format; none where it is left out."""
    namespace: Annotated[str, msgspec.Meta(pattern=r"^(?!AWS/)[A-Za-z0-9._/#-][A-Za-z0-9._/#:-]{0,254}$")] = "Actas"
    """The namespace of the metrics."""
    region: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,30}$")] | None = None
    """The region; ``gateway.region`` where it is left out."""
    every: Span = Span.read("5s")
    """How long lines wait for more of them."""
    endpoint: str | None = None
    """Another address of CloudWatch Logs, for tests against a double."""
    sts: str | None = None
    """Another address of STS for ``base.role``, for tests against a double."""
