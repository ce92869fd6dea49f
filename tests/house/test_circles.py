"""No two files import each other, on however long a way: late imports and imports for types alone count too."""

import grimp
import pytest


@pytest.fixture(scope="module")
def imports():
    graph = grimp.build_graph("actas", include_external_packages=False, cache_dir=None)
    # A package's own file hands names on; what is imported from it is imported from the files below.
    files = {name for name in graph.modules if not graph.find_children(name)}
    return {name: graph.find_modules_directly_imported_by(name) & files for name in files}


def circle_through(start, imports):
    """Files that *start* leads to and that lead back to it."""
    back = {}
    for name, imported in imports.items():
        for one in imported:
            back.setdefault(one, set()).add(name)
    return reach(start, imports) & reach(start, back)


def reach(start, edges):
    seen, left = set(), [start]
    while left:
        for one in edges.get(left.pop(), ()):
            if one not in seen:
                seen.add(one)
                left.append(one)
    return seen


def test_no_file_leads_back_to_itself(imports):
    circles = {tuple(sorted(found)) for name in imports if (found := circle_through(name, imports))}

    assert not circles


def test_a_circle_would_be_found():
    assert circle_through("a", {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == {"a", "b", "c"}
    assert not circle_through("d", {"a": {"b"}, "d": {"a"}})
