"""A URL is taken apart in the same way whichever way is taken."""

from hypothesis import given
from hypothesis import strategies as st

from actas.sigv4 import canonical
from actas.sigv4.errors import MalformedRequest

FRONTS = st.sampled_from(["https://h", "https://h:1", "https://", "https:/", "https://?", "https://h@x", "HTTPS://h"])
REST = st.text(alphabet="/?#ab%&=: \n", max_size=12)


def parts(url):
    try:
        return canonical.split_target(url)
    except MalformedRequest as wrong:
        return wrong.field


@given(FRONTS, REST)
def test_a_scheme_s_letters_make_no_difference_to_where_a_url_is_cut(front, rest):
    quick, slow = parts(front + rest), parts(f"x{front}{rest}")  # no shortcut is taken for another scheme

    assert slow == ((f"x{quick[0]}", *quick[1:]) if isinstance(quick, tuple) else quick)


def test_a_url_without_a_host_is_refused_and_one_with_is_not():
    assert parts("https:///path") == "URL"
    assert parts("https://h/path") == ("https://h", "/path", "")
    assert parts("https://h?a=b") == ("https://h", "/", "a=b")
    assert parts("https://h/?a=b?c") == ("https://h", "/", "a=b?c")
