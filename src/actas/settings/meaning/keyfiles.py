"""Check the key sets and certificates that providers name: that they can be used, and hold nothing private."""

from collections.abc import Mapping

from cryptography import x509

from actas import jose
from actas.settings.meaning.view import View
from actas.settings.positions import Path
from actas.settings.schema import Provider


def check(view: View) -> None:
    """Check the files of every provider; those that are not there, `files` tells of."""
    for name, provider in view.settings.providers.items():
        path: Path = ("providers", name)
        _keys(view, (*path, "keys"), provider)
        if provider.ca is not None and (content := _content(view, provider.ca)) is not None:
            _certificates(view, (*path, "ca"), content)


def _content(view: View, name: str) -> bytes | None:
    return None if (file := view.file(name)) is None else file.content


def _keys(view: View, path: Path, provider: Provider) -> None:
    if provider.keys is None:
        return
    if provider.keys.inline is not None:
        _key_set(view, (*path, "inline"), provider.keys.inline)
    if provider.keys.file is not None and (content := _content(view, provider.keys.file)) is not None:
        _key_set(view, (*path, "file"), content)


def _key_set(view: View, path: Path, data: bytes | Mapping[str, object]) -> None:
    at = "key" if path[-1] == "inline" else "value"
    try:
        keys = jose.KeySet.from_json(data)
    except jose.JoseError as wrong:
        view.report(
            "settings.bad-keys", path, f"keys.{path[-1]}: {wrong}", "Copy the provider's JWK Set as it is.", at=at
        )
        return
    if any(key.is_private for key in keys.keys):
        message = f"keys.{path[-1]} holds a private or a shared key"
        hint = "Keep the public members only, and replace the key: it is not where it belongs."
        view.report("settings.secret-in-file", path, message, hint, at=at)
    elif not keys.keys:
        why = keys.refused[0].reason if keys.refused else "it is empty"
        message = f"keys.{path[-1]} has no key that can be used: {why}"
        view.report("settings.bad-keys", path, message, "Copy the provider's JWK Set as it is.", at=at)
    elif keys.refused:
        one = keys.refused[0]
        message = f"keys.{path[-1]} has a key that is not used: {one.reason}"
        view.warn("settings.bad-keys", path, message, "Remove it, or have the provider replace it.", at=at)


def _certificates(view: View, path: Path, content: bytes) -> None:
    try:
        x509.load_pem_x509_certificates(content)
    except ValueError:
        message = "ca holds no certificate"
        view.report("settings.bad-certificate", path, message, "Give a PEM file: -----BEGIN CERTIFICATE-----.")
