"""Which route a path belongs to: words before variables, variables before rests, and one reading of each path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.http.routes import Routes
from actas.settings.schema import Function, Settings


def routes(**functions):
    return Routes(Settings(functions={name: Function(http="x", routes=tuple(of)) for name, of in functions.items()}))


ALL = routes(
    orders=["GET /orders/{id}", "POST /orders", "GET /orders/{id}/lines/{line}"],
    new=["GET /orders/new", "ANY /orders/any"],
    rest=["GET /orders/{rest+}", "GET /{proxy+}"],
    home=["GET /"],
    odd=["PUT /a/{x}/c", "PUT /{y}/b/d"],
)

CASES = [
    ("a word is preferred to a variable", "GET /orders/new", "new", {}),
    ("a variable is preferred to a rest", "GET /orders/7", "orders", {"id": "7"}),
    ("a rest takes what is deeper", "GET /orders/7/lines", "rest", {"rest": "7/lines"}),
    ("a deeper route is preferred to a rest", "GET /orders/7/lines/2", "orders", {"id": "7", "line": "2"}),
    ("a rest at the root takes everything else", "GET /x/y/z", "rest", {"proxy": "x/y/z"}),
    ("the root is the root", "GET /", "home", {}),
    ("ANY takes any method", "PATCH /orders/any", "new", {}),
    ("a word that leads nowhere is given up for a variable", "PUT /a/b/d", "odd", {"y": "a"}),
    ("the control of that", "PUT /a/b/c", "odd", {"x": "b"}),
    ("a path is compared letter by letter", "GET /Orders/new", "rest", {"proxy": "Orders/new"}),
]


@pytest.mark.parametrize(("asked", "function", "values"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_the_closest_route_is_taken(asked, function, values):
    method, _, path = asked.partition(" ")

    match, _ = ALL.find(method, tuple(path.strip("/").split("/")) if path != "/" else ())

    assert (match.function, dict(match.parameters)) == (function, values)


def test_a_path_of_other_methods_tells_which():
    assert ALL.find("DELETE", ("orders",)) == (None, ("GET", "POST"))
    assert ALL.find("DELETE", ()) == (None, ("GET",))


def test_a_rest_needs_a_segment():
    alone = routes(rest=["GET /files/{rest+}"])

    assert alone.find("GET", ("files", "a"))[0].parameters == (("rest", "a"),)
    assert alone.find("GET", ("files",)) == (None, ())


def test_nothing_fits_where_there_is_nothing():
    assert routes().find("GET", ("a",)) == (None, ())


SEGMENT = st.text("abc{}+", min_size=1, max_size=3)


@given(st.lists(SEGMENT, max_size=6), st.sampled_from(["GET", "PUT", "DELETE"]))
def test_a_path_with_braces_is_never_taken_for_a_template(segments, method):
    match, others = ALL.find(method, tuple(segments))

    assert match is None or all(value in "/".join(segments) for _, value in match.parameters)
    assert match is None or method in match.template or match.template.startswith("ANY")
    assert method not in others
