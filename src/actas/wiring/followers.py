"""Who keeps a copy of the trail, as the settings say; each kind is one visible line."""

from collections.abc import Sequence

from actas.assume.base_identity import Base
from actas.assume.exchange import Exchange
from actas.assume.sts import endpoint
from actas.assume.vouching import Voucher
from actas.audit.interface import Follower
from actas.settings.reader import Loaded
from actas.settings.schema import Settings
from actas.wiring.aws_base import base


def followers(
    loaded: Loaded, settings: Settings, *, chain: str, exchange: Exchange, voucher: Voucher
) -> Sequence[Follower]:
    """Make them; *chain* names the log streams, one for each trail."""
    cloudwatch = settings.audit.cloudwatch
    if cloudwatch is None:
        return ()
    from actas.audit.sinks.cloudwatch import CloudWatch, CloudWatchMetrics, Logs

    region = cloudwatch.region or settings.gateway.region
    path = ("audit", "cloudwatch", "base")
    address = cloudwatch.sts or endpoint(region)
    credentials: Base = base(loaded, path, cloudwatch.base, exchange=exchange, voucher=voucher, sts=address)

    def logs() -> Logs:
        return Logs(credentials=credentials, region=region, endpoint=cloudwatch.endpoint)

    found: list[Follower] = [CloudWatch(logs(), group=cloudwatch.group, stream=chain)]
    if cloudwatch.metrics is not None:
        found.append(CloudWatchMetrics(logs(), group=cloudwatch.metrics, stream=chain, namespace=cloudwatch.namespace))
    return found
