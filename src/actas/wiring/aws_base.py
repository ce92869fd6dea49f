"""Whose credentials the gateway itself has at AWS, as the settings say."""

from actas.assume.base_identity import Base, Chain, OwnRole, given
from actas.assume.exchange import Exchange
from actas.assume.vouching import Voucher
from actas.model.secret import Secret
from actas.settings.mistakes import dotted
from actas.settings.positions import Path
from actas.settings.reader import Loaded
from actas.settings.resolve import resolve
from actas.settings.schema import AwsBase, SecretRef


def base(loaded: Loaded, path: Path, aws: AwsBase, *, exchange: Exchange, voucher: Voucher, sts: str) -> Base:
    """Give the credentials that the gateway itself has at AWS."""
    if aws.role is not None:
        return OwnRole(exchange=exchange, voucher=voucher, role_arn=aws.role, endpoint=sts)
    if aws.chain or aws.profile is not None:
        return Chain(aws.profile)
    assert aws.access_key_id is not None
    assert aws.secret_access_key is not None
    return given(
        secret(loaded, (*path, "access_key_id"), aws.access_key_id),
        secret(loaded, (*path, "secret_access_key"), aws.secret_access_key),
        secret(loaded, (*path, "session_token"), aws.session_token) if aws.session_token else None,
    )


def secret(loaded: Loaded, path: Path, reference: SecretRef | str) -> Secret:
    """Give what a setting says, or what it refers to."""
    if isinstance(reference, str):
        return Secret(reference)
    return resolve(reference, key=dotted(path), folder=loaded.path.parent).secret
