r"""Kubernetes: a service account's projected token.

In the settings::

    providers:
      cluster:
        preset: kubernetes
        issuer: https://kubernetes.default.svc.cluster.local
        audience: actas
        keys: {file: cluster-jwks.json}     # kubectl get --raw /openid/v1/jwks

Facts: the Kubernetes documentation on service accounts: ``sub`` is ``system:serviceaccount:NAMESPACE:NAME``, ``aud`` a
list, and ``kubernetes.io`` an object with namespace, pod and service account. Old tokens from Secrets have no ``exp``
and are refused.
"""

from actas.identify.preset import Preset, Where
from actas.model.identity import Kind

PRESET = Preset(
    name="kubernetes",
    docs="docs/providers/kubernetes.md",
    issuer_example="https://kubernetes.default.svc.cluster.local",
    typ=("", "JWT"),  # the API server writes none
    algorithms=("RS256", "RS384", "RS512", "ES256", "ES384", "ES512"),
    client=Where(),
    tenant=Where(paths=(r"kubernetes\.io.namespace",)),
    scopes=Where(absent="empty"),
    kind=Kind.SERVICE,
)
