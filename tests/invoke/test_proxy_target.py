"""What is sent is what was decided."""

import pytest

from actas.invoke.proxy_addresses import refused
from actas.invoke.proxy_target import read_base, target
from actas.model.paths import PathRefused

TARGETS = [
    ("a base alone", "http://orders.example", "/orders/7", "", "http://orders.example/orders/7"),
    ("a base with a slash", "http://orders.example/", "/orders/7", "", "http://orders.example/orders/7"),
    ("a base with a path", "https://x.example:8443/api/", "/a", "", "https://x.example:8443/api/a"),
    ("a query as it came", "http://x.example", "/a", "b=1&c='d'&e=%2F", "http://x.example/a?b=1&c='d'&e=%2F"),
    ("a query with a fragment in it", "http://x.example", "/a", "b=#/../c", "http://x.example/a?b=%23/../c"),
    ("a query with a line break in it", "http://x.example", "/a", "b=\r\nX: y", "http://x.example/a?b=%0D%0AX:%20y"),
    ("a query in another script", "http://x.example", "/a", "b=é", "http://x.example/a?b=%C3%A9"),
    ("a path with escapes", "http://x.example", "/caf%C3%A9", "", "http://x.example/caf%C3%A9"),
    ("a slash at the end", "http://x.example", "/a/", "", "http://x.example/a/"),
]


@pytest.mark.parametrize(
    ("base", "path", "query", "url"), [case[1:] for case in TARGETS], ids=[case[0] for case in TARGETS]
)
def test_the_target_is_the_base_the_path_and_the_query(base, path, query, url):
    assert target(read_base(base), path, query) == url


@pytest.mark.parametrize("path", ["/a/../b", "/a%2Fb", "//a", "/caf%c3%a9", "/é", "a", "/a;b", "/a b"])
def test_a_path_that_is_not_the_canonical_one_is_not_sent(path):
    with pytest.raises(PathRefused):
        target(read_base("http://x.example"), path, "")


ADDRESSES = [
    ("192.0.2.1", False, "private"),  # documentation addresses are not global
    ("8.8.8.8", False, None),
    ("2001:4860:4860::8888", False, None),
    ("127.0.0.1", False, "private"),
    ("127.0.0.1", True, None),
    ("::1", False, "private"),
    ("::1", True, None),
    ("10.0.0.1", False, "private"),
    ("10.0.0.1", True, None),
    ("100.64.0.1", False, "private"),
    ("100.64.0.1", True, None),
    ("fd00::1", False, "private"),
    ("169.254.169.254", True, "metadata service's"),
    ("fd00:ec2::254", True, "metadata service's"),
    ("100.100.100.200", True, "metadata service's"),
    ("::ffff:169.254.169.254", True, "metadata service's"),
    ("64:ff9b::a9fe:a9fe", True, "metadata service's"),
    ("2002:a9fe:a9fe::", True, "metadata service's"),
    ("::ffff:127.0.0.1", False, "private"),
    ("169.254.1.1", True, "link-local, multicast or unspecified"),
    ("fe80::1%eth0", True, "link-local, multicast or unspecified"),
    ("224.0.0.1", True, "link-local, multicast or unspecified"),
    ("0.0.0.0", True, "link-local, multicast or unspecified"),
    ("2001:0:a9fe:a9fe::1", False, "private"),
]


@pytest.mark.parametrize(("address", "private", "kind"), ADDRESSES)
def test_an_address_is_asked_or_not(address, private, kind):
    assert refused(address, private=private) == kind
