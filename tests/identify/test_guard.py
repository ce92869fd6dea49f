"""No URL of a provider leads inside, unless the settings say that the provider lives there (CWE-918)."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.identify.errors import AddressRefused, UrlRefused
from actas.identify.guard import check_address, check_url, embedded

URLS = [
    ("http", "http://sso.example/", "http, not https"),
    ("a file", "file:///etc/passwd", "no https URL"),
    ("no scheme", "sso.example", "no https URL"),
    ("no host", "https:///keys", "no https URL"),
    ("a user name", "https://ana@sso.example/", "user name"),
    ("a password", "https://ana:secret@sso.example/", "user name"),
    ("a fragment", "https://sso.example/#x", "fragment"),
    ("an empty fragment", "https://sso.example/#", "fragment"),
    ("a space", "https://sso.example/a b", "characters"),
    ("a line break", "https://sso.example/\r\nHost: x", "characters"),
    ("a backslash", "https://sso.example\\@evil.example/", "characters"),
    ("letters beyond ASCII", "https://\u017fso.example/", "characters"),
    ("port nought", "https://sso.example:0/", "no https URL"),
    ("a port that is none", "https://sso.example:99999/", "cannot be read"),
    ("brackets that do not close", "https://[::1/", "cannot be read"),
    ("too long", "https://sso.example/" + "a" * 3000, "too long"),
]


@pytest.mark.parametrize(("url", "why"), [case[1:] for case in URLS], ids=[case[0] for case in URLS])
def test_a_url_is_refused_that_is(url, why):
    with pytest.raises(UrlRefused, match=why):
        check_url(url, private=False)


def test_https_is_taken_and_http_where_the_provider_is_private():
    assert check_url("https://sso.example:8443/realms/corp?x=1", private=False).hostname == "sso.example"
    assert check_url("http://sso.internal/realms/corp", private=True).hostname == "sso.internal"


PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "::10.0.0.1",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
]
NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fd00:ec2::254",
    "100.100.100.200",
    "168.63.129.16",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
]
PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_taken_only_where_the_settings_allow_it(address):
    check_address(ip_address(address), host="sso", private=True, encrypted=False)

    with pytest.raises(AddressRefused):
        check_address(ip_address(address), host="sso", private=False, encrypted=True)


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("private", [False, True])
def test_link_local_and_metadata_addresses_are_never_taken(address, private):
    with pytest.raises(AddressRefused):
        check_address(ip_address(address), host="sso", private=private, encrypted=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_needs_encryption(address):
    check_address(ip_address(address), host="sso", private=False, encrypted=True)
    check_address(ip_address(address), host="sso", private=True, encrypted=True)

    with pytest.raises(AddressRefused):
        check_address(ip_address(address), host="sso", private=True, encrypted=False)


@given(st.ip_addresses())
def test_only_global_addresses_pass_without_private(address):
    try:
        check_address(address, host="sso", private=False, encrypted=True)
    except AddressRefused:
        return
    assert embedded(address).is_global


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_refused(text):
    try:
        parts = check_url(text, private=True)
    except UrlRefused:
        return
    assert parts.hostname
    assert parts.scheme in ("http", "https")
