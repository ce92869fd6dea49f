"""The signatures that others recorded are made byte for byte, and verified; a changed byte is refused."""

import re

import pytest

from actas import sigv4

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SCOPE = {"region": "us-east-1", "service": "service"}
# Its token is in the context, not in the file; post-sts-header-after sends one outside the signature.
TOKEN = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
# Its sreq shows a signature that is not the one in its authz: a placeholder.
PLACEHOLDERS = {"get-vanilla-with-session-token"}


KEYS = pytest.mark.parametrize("keys", [None, sigv4.SigningKeys()], ids=["key derived", "key kept"])


def read(text):
    """Read a request file: line, headers with folded lines, body."""
    head, _, body = text.partition("\n\n")
    line, *rest = head.split("\n")
    method, target = line.removesuffix(" HTTP/1.1").split(" ", 1)
    headers = []
    for one in rest:
        if one.startswith(" "):
            headers[-1] = (headers[-1][0], f"{headers[-1][1]}\n{one}")
        elif one:
            name, _, value = one.partition(":")
            headers.append((name, value))
    return method, f"https://example.amazonaws.com{target}", headers, body.encode()


def cases(folder):
    return {path.stem: path.parent for path in sorted(folder.rglob("*.req"))}


def text(folder, name, kind):
    return (folder / f"{name}.{kind}").read_text()


def signed_as_recorded(folder, name, now, keys):
    method, url, headers, body = read(text(folder, name, "req"))
    token = TOKEN if name == "get-vanilla-with-session-token" else None
    if name == "post-sts-header-before":
        token = dict(read(text(folder, name, "sreq"))[2])["X-Amz-Security-Token"]
    credentials = sigv4.Credentials("AKIDEXAMPLE", SECRET, token)
    return sigv4.sign(method, url, headers, body, credentials, **SCOPE, now=now, keys=keys)


def test_the_corpus_has_34_cases(corpus):
    assert len(cases(corpus)) == 34


@KEYS
def test_each_recorded_request_is_signed_byte_for_byte(corpus, now, keys):
    for name, folder in cases(corpus).items():
        signed = signed_as_recorded(folder, name, now, keys)

        assert signed.canonical_request == text(folder, name, "creq"), name
        assert signed.string_to_sign == text(folder, name, "sts"), name
        assert dict(signed.headers)["Authorization"] == text(folder, name, "authz"), name


def verified(request, now, **more):
    method, url, headers, body = request
    return sigv4.verify(
        method,
        url,
        headers,
        body,
        find_secret=lambda key, _token: {"AKIDEXAMPLE": SECRET}.get(key),
        now=now,
        **{**SCOPE, **more},
    )


@KEYS
def test_each_recorded_signed_request_is_verified(corpus, now, keys):
    seen = 0
    for name, folder in cases(corpus).items():
        if name in PLACEHOLDERS:
            continue
        outside = name == "post-sts-header-after"

        caller = verified(read(text(folder, name, "sreq")), now, unsigned_session_token=outside, keys=keys)

        assert caller.access_key_id == "AKIDEXAMPLE", name
        assert caller.signed_at == now
        seen += 1
    assert seen == 33


def test_a_placeholder_of_a_signature_is_refused(corpus, now):
    name = "get-vanilla-with-session-token"

    with pytest.raises(sigv4.SigV4Error):
        verified(read(text(cases(corpus)[name], name, "sreq")), now)


def test_a_token_outside_the_signature_is_refused_unless_that_is_said(corpus, now):
    name = "post-sts-header-after"

    with pytest.raises(sigv4.UnsignedHeader, match="x-amz-security-token"):
        verified(read(text(cases(corpus)[name], name, "sreq")), now)


def changes(request):
    """Change one character at each place of a signed request, one after the other."""
    method, url, headers, body = request
    start = len("https://example.amazonaws.com")
    for at in range(len(method)):
        yield f"method {at}", (method[:at] + "Q" + method[at + 1 :], url, headers, body)
    for at in range(start, len(url)):
        yield f"target {at}", (method, url[:at] + "Z" + url[at + 1 :], headers, body)
    for number, (name, value) in enumerate(headers):
        for at in range(len(name)):
            changed = name[:at] + "q" + name[at + 1 :]
            yield f"{name} {at}", (method, url, [*headers[:number], (changed, value), *headers[number + 1 :]], body)
        for at, old in enumerate(value):
            new = value[:at] + ("Q" if old != "Q" else "R") + value[at + 1 :]
            yield f"{name}: {at}", (method, url, [*headers[:number], (name, new), *headers[number + 1 :]], body)
    for at in range(len(body)):
        yield f"body {at}", (method, url, headers, body[:at] + b"Q" + body[at + 1 :])


def refuses(request, now, keys):
    try:
        verified(request, now, keys=keys)
    except sigv4.SigV4Error:
        return True
    return False


@KEYS
def test_one_changed_byte_is_refused(corpus, now, keys):
    tried = 0
    for name, folder in cases(corpus).items():
        if name in PLACEHOLDERS | {"post-sts-header-after"}:
            continue
        original = read(text(folder, name, "sreq"))
        for where, changed in changes(original):
            # What normalising makes equal is equal: /example/.. and /ezample/.. are both the root.
            same_path = folder.parent.name == "normalize-path" and where.startswith("target")
            if changed == original or same_path:
                continue
            assert refuses(changed, now, keys), f"{name}: {where}"
            tried += 1
    assert tried > 5_000


def test_an_error_shows_no_key_and_no_signature(corpus, now):
    method, url, headers, body = read(text(cases(corpus)["get-vanilla"], "get-vanilla", "sreq"))

    with pytest.raises(sigv4.BadSignature) as refused:
        verified((method, f"{url}x", headers, body), now)

    assert not re.search(r"[0-9a-f]{16}|AKID|wJal", str(refused.value))
