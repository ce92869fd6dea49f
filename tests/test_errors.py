"""The promises of the error catalogue."""

import pytest

from actas.errors import CATALOGUE, ActasError


def test_a_code_belongs_to_one_class():
    class First(ActasError):
        code = "testing.taken"
        hint = "Do something else."

    with pytest.raises(TypeError, match="already"):

        class Second(ActasError):
            code = "testing.taken"
            hint = "Do something else."

    del CATALOGUE["testing.taken"]
    assert First.code == "testing.taken"


@pytest.mark.parametrize(
    ("code", "hint"),
    [("nodot", "A sentence."), ("a.b", "no sentence"), (".b", "A sentence."), ("a.", "A sentence.")],
)
def test_a_code_names_its_room_and_a_hint_is_a_sentence(code, hint):
    with pytest.raises(TypeError, match="needs a code"):
        type("Wrong", (ActasError,), {"code": code, "hint": hint})


def test_an_error_without_a_code_cannot_be_raised():
    class Abstract(ActasError):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Abstract("whatever")
