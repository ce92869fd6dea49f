"""The ledger of root calls: how deep, how many, for how long, and at whose expense functions call functions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.invoke.errors import RootOver, TooDeep, TooManyNested
from actas.invoke.origins import OUTSIDE, SCOPE_KEY, Nesting, Origin, Origins, below, of
from actas.model.call import Call
from actas.model.facts import Known, Missing
from actas.model.identity import Identity, Kind

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
NESTING = Nesting(depth=2, calls=3)


def who(subject):
    return Identity(
        provider="corp",
        issuer="https://sso.example",
        subject=subject,
        kind=Known(Kind.HUMAN),
        expires_at=NOW + timedelta(minutes=5),
        issued_at=NOW,
        evidence="bearer",
        evidence_id="of-a-test",
    )


ANA, BEN = who("ana"), who("ben")


def call(name, under=OUTSIDE, **more):
    return Call(id=name, function="report", payload=b"", received_at=NOW, root=under.root, depth=under.depth, **more)


@pytest.fixture
def ledger():
    return Origins()


def test_a_request_from_outside_has_no_root():
    assert of({"type": "http", "headers": [(b"actas-origin", b"01ROOT"), (b"actas.origin", b"01ROOT")]}) == OUTSIDE
    assert (OUTSIDE.root, OUTSIDE.depth, OUTSIDE.address) == (None, 0, Missing.UNKNOWN)


def test_a_request_from_inside_has_what_the_relay_put_into_its_scope():
    origin = Origin(root="01ROOT", depth=1)

    assert of({SCOPE_KEY: origin}) is Origins.of({SCOPE_KEY: origin}) is origin


def test_what_a_root_calls_is_one_below_it_and_what_that_calls_is_two():
    root = call("01ROOT", address=Known(ip_address("198.51.100.7")))
    first = below(root)
    second = below(call("01FIRST", first, address=first.address))

    assert (first.root, first.depth, first.address) == ("01ROOT", 1, root.address)
    assert (second.root, second.depth, second.address) == ("01ROOT", 2, root.address)


def test_a_call_as_deep_as_allowed_begins(ledger):
    ledger.begin(call("01ROOT"), ANA, NESTING)

    ledger.begin(call("01LAST", Origin(root="01ROOT", depth=2)), BEN, NESTING)


def test_a_call_one_deeper_is_refused(ledger):
    ledger.begin(call("01ROOT"), ANA, NESTING)

    with pytest.raises(TooDeep) as caught:
        ledger.begin(call("01LAST", Origin(root="01ROOT", depth=3)), BEN, NESTING)
    assert (caught.value.status, caught.value.depth, caught.value.allowed) == (400, 3, 2)


def test_with_a_depth_of_nothing_functions_call_none(ledger):
    root = call("01ROOT")
    ledger.begin(root, ANA, Nesting(depth=0, calls=3))

    with pytest.raises(TooDeep):
        ledger.begin(call("01FIRST", below(root)), ANA, Nesting(depth=0, calls=3))


def test_the_last_call_of_the_budget_begins_and_the_next_is_refused_wherever_it_stands(ledger):
    root = call("01ROOT")
    ledger.begin(root, ANA, NESTING)
    for number in range(3):
        nested = call(f"01N{number}", Origin(root="01ROOT", depth=1 + number % 2))
        ledger.begin(nested, ANA, NESTING)
        ledger.end(nested)  # a call that is over was still one

    with pytest.raises(TooManyNested) as caught:
        ledger.begin(call("01MORE", below(root)), ANA, NESTING)
    assert caught.value.status == 400


def test_the_budget_of_one_root_is_not_that_of_another(ledger):
    for name in ("01ROOT", "01OTHER"):
        ledger.begin(call(name), ANA, Nesting(depth=1, calls=1))
        ledger.begin(call(f"{name}N", Origin(root=name, depth=1)), ANA, Nesting(depth=1, calls=1))

    with pytest.raises(TooManyNested):
        ledger.begin(call("01MORE", Origin(root="01OTHER", depth=1)), ANA, Nesting(depth=1, calls=1))


def test_nothing_begins_below_a_root_that_is_over(ledger):
    root = call("01ROOT")
    ledger.begin(root, ANA, NESTING)
    ledger.begin(call("01FIRST", below(root)), ANA, NESTING)
    ledger.end(root)

    with pytest.raises(RootOver) as caught:
        ledger.begin(call("01SECOND", below(root)), ANA, NESTING)
    assert caught.value.status == 409


def test_nothing_is_put_off_for_a_root_that_is_over_either(ledger):
    root = call("01ROOT")
    nested = call("01FIRST", below(root))
    ledger.begin(root, ANA, NESTING)
    ledger.need_root(nested)
    ledger.need_root(call("01OTHER"))
    ledger.end(root)

    with pytest.raises(RootOver):
        ledger.need_root(nested)
    ledger.need_root(replace(nested, is_detached=True))


def test_the_end_of_a_nested_call_does_not_end_its_root(ledger):
    root = call("01ROOT")
    first = call("01FIRST", below(root))
    ledger.begin(root, ANA, NESTING)
    ledger.begin(first, ANA, NESTING)
    ledger.end(first)

    ledger.begin(call("01SECOND", below(root)), ANA, NESTING)


def test_a_queued_event_begins_when_its_root_is_over_and_may_call_on(ledger):
    root = call("01ROOT")
    event = call("01EVENT", below(root), is_detached=True)
    ledger.begin(root, ANA, NESTING)
    ledger.end(root)

    ledger.begin(event, BEN, NESTING)

    ledger.begin(call("01NESTED", below(event)), BEN, NESTING)
    ledger.end(event)
    with pytest.raises(RootOver):
        ledger.begin(call("01LATE", below(event)), BEN, NESTING)


def test_events_of_one_root_share_its_budget_one_after_the_other(ledger):
    root = call("01ROOT")
    ledger.begin(root, ANA, NESTING)
    ledger.end(root)
    for number in range(3):
        event = call(f"01E{number}", below(root), is_detached=True)
        ledger.begin(event, BEN, NESTING)
        ledger.end(event)

    with pytest.raises(TooManyNested):
        ledger.begin(call("01MORE", below(root), is_detached=True), BEN, NESTING)
    assert len(ledger) == 0


def test_each_gateway_has_a_budget_for_a_roots_events_and_depth_goes_with_them():
    gateways = [Origins() for _ in range(2)]
    queued = [Origin(root="01ROOT", depth=depth) for depth in (1, NESTING.depth + 1)]

    for number, ledger in enumerate(gateways):
        for turn in range(NESTING.calls):
            ledger.begin(call(f"01EVENT{number}{turn}", queued[0], is_detached=True), ANA, NESTING)
        with pytest.raises(TooManyNested):
            ledger.begin(call(f"01MORE{number}", queued[0], is_detached=True), ANA, NESTING)
        with pytest.raises(TooDeep):
            ledger.begin(call(f"01DEEP{number}", queued[1], is_detached=True), ANA, NESTING)


def test_an_event_from_outside_is_a_root_of_its_own_and_counts_for_nothing(ledger):
    event = call("01EVENT", Origin(root="01ROOT", depth=0), is_detached=True)
    ledger.begin(event, ANA, Nesting(depth=0, calls=0))

    with pytest.raises(TooDeep):
        ledger.begin(call("01FIRST", below(event)), ANA, Nesting(depth=0, calls=0))
    with pytest.raises(TooManyNested):
        ledger.begin(call("01FIRST", below(event)), ANA, Nesting(depth=1, calls=0))
    ledger.end(event)
    assert len(ledger) == 0


def test_a_chain_of_events_is_cut_where_it_is_too_deep(ledger):
    with pytest.raises(TooDeep):
        ledger.begin(call("01EVENT", Origin(root="01ROOT", depth=3), is_detached=True), BEN, NESTING)


def test_what_is_called_below_a_root_counts_against_who_called_the_root(ledger):
    root = call("01ROOT")
    ledger.begin(root, ANA, NESTING)

    assert ledger.payer(call("01FIRST", below(root)), BEN) is ANA
    assert ledger.payer(call("01OTHER"), BEN) is BEN
    ledger.end(root)
    assert ledger.payer(call("01FIRST", below(root)), BEN) is BEN


def test_the_end_of_a_call_that_never_began_is_nothing(ledger):
    root = call("01ROOT")
    ledger.begin(root, ANA, NESTING)
    refused = call("01FIRST", Origin(root="01ROOT", depth=9), is_detached=True)
    with pytest.raises(TooDeep):
        ledger.begin(refused, ANA, NESTING)

    ledger.end(refused)
    ledger.end(call("01NEVER"))

    ledger.begin(call("01SECOND", below(root)), ANA, NESTING)


@given(st.lists(st.tuples(st.sampled_from(("begin", "event", "end", "root", "over")), st.integers(0, 4)), max_size=60))
def test_whatever_comes_in_whatever_order_budget_and_depth_hold_and_nothing_stays(steps):
    ledger, running, begun = Origins(), {}, 0
    root = call("01ROOT")
    for number, (what, depth) in enumerate(steps):
        nested = replace(call(f"01N{number:03}", Origin(root="01ROOT", depth=depth + 1)), is_detached=what == "event")
        try:
            match what:
                case "root" if "01ROOT" not in running and not begun:
                    ledger.begin(root, ANA, NESTING)
                    running[root.id] = root
                case "begin" | "event":
                    ledger.begin(nested, ANA, NESTING)
                    running[nested.id] = nested
                    begun += 1
                    assert nested.depth <= NESTING.depth
                case "end" if running:
                    ledger.end(running.pop(list(running)[depth % len(running)]))
                case "over":
                    ledger.end(running.pop("01ROOT", root))
        except (TooDeep, TooManyNested, RootOver):
            continue
    for one in running.values():
        ledger.end(one)

    assert begun <= NESTING.calls
    assert len(ledger) == 0
