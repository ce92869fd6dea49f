"""Make each role's broker as the settings say; each kind is one visible line in `broker`."""

from collections.abc import Mapping
from typing import assert_never

from actas.assume.brokers.local import LocalBroker
from actas.assume.interface import Broker
from actas.assume.sts import endpoint
from actas.assume.vouching import Voucher
from actas.settings.positions import Path
from actas.settings.reader import Loaded
from actas.settings.schema import RoleSettings, Settings
from actas.wiring.aws_base import base, secret
from actas.wiring.parts import Parts


def brokers(loaded: Loaded, settings: Settings, parts: Parts) -> Mapping[str | None, Broker]:
    """Make a broker for every role, and one for calls that need none."""
    local = LocalBroker(parts.sealing, parts.audit, parts.marks)
    maker = _Maker(loaded, settings, parts, local)
    return {None: local, **{name: maker.broker(name, role) for name, role in settings.roles.items()}}


class _Maker:
    """What all brokers are made with."""

    def __init__(self, loaded: Loaded, settings: Settings, parts: Parts, local: LocalBroker) -> None:
        self._loaded, self._parts, self._local = loaded, parts, local
        self._region = settings.gateway.region
        self._voucher = Voucher(issuer=settings.gateway.control_url, newest=parts.signing.newest)

    def broker(self, name: str, role: RoleSettings) -> Broker:
        """Choose the broker."""
        match role.broker:
            case "local":
                return self._local
            case "aws-web-identity":
                return self._aws_web_identity(role)
            case "aws-assume-role":
                return self._aws_assume_role(name, role)
            case "aws-saml":
                return self._aws_saml(role)
            case "azure-workload":
                return self._azure_workload(role)
            case "google-wif":
                return self._google_wif(role)
            case _:
                assert_never(role.broker)

    def _sts(self, role: RoleSettings) -> str:
        return role.sts or endpoint(self._region, role.arn.split(":")[1])

    def _aws_web_identity(self, role: RoleSettings) -> Broker:
        from actas.assume.brokers.aws_web_identity import AwsWebIdentityBroker

        return AwsWebIdentityBroker(
            exchange=self._parts.exchange,
            voucher=self._voucher,
            pseudonyms=self._parts.audit,
            endpoint=self._sts(role),
            tags=role.tags,
            caller_token=role.caller_token,
        )

    def _aws_assume_role(self, name: str, role: RoleSettings) -> Broker:
        from actas.assume.brokers.aws_assume_role import AwsAssumeRoleBroker

        assert role.base is not None
        path: Path = ("roles", name)
        outside = role.external_id
        return AwsAssumeRoleBroker(
            exchange=self._parts.exchange,
            base=base(
                self._loaded,
                (*path, "base"),
                role.base,
                exchange=self._parts.exchange,
                voucher=self._voucher,
                sts=self._sts(role),
            ),
            base_name=str(role.base),
            pseudonyms=self._parts.audit,
            endpoint=self._sts(role),
            region=self._region,
            external_id=secret(self._loaded, (*path, "external_id"), outside) if outside else None,
            tags=role.tags,
        )

    def _aws_saml(self, role: RoleSettings) -> Broker:
        from actas.assume.brokers.aws_saml import AwsSamlBroker

        assert role.saml_provider is not None
        return AwsSamlBroker(
            exchange=self._parts.exchange,
            pseudonyms=self._parts.audit,
            endpoint=self._sts(role),
            saml_provider=role.saml_provider,
            passed_on=self._parts.passed_on,
        )

    def _azure_workload(self, role: RoleSettings) -> Broker:
        from actas.assume.brokers.azure_workload import AzureWorkloadBroker

        azure = role.azure
        assert azure is not None
        return AzureWorkloadBroker(
            exchange=self._parts.exchange,
            voucher=self._parts.rsa_voucher(self._voucher.issuer),
            local=self._local,
            authority=azure.authority,
            tenant=azure.tenant,
            client=azure.client,
            scope=azure.scope,
        )

    def _google_wif(self, role: RoleSettings) -> Broker:
        from actas.assume.brokers.google_wif import GoogleWifBroker

        google = role.google
        assert google is not None
        return GoogleWifBroker(
            exchange=self._parts.exchange,
            voucher=self._voucher,
            local=self._local,
            pseudonyms=self._parts.audit,
            audience=google.audience,
            service_account=google.service_account,
            scopes=google.scopes,
            sts=google.sts,
            iam=google.iam,
        )
