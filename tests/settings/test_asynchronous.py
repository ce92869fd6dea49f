"""What a function's settings may say of events that run later, and of its URL."""

import pytest

RULE = "  - {id: told, who: {provider: destinations, kind: service}, may: [orders]}\n"


def written(sound, more, rule=RULE):
    return sound.replace('handler"}', f'handler", {more}}}') + rule


@pytest.mark.parametrize(
    "more",
    [
        "asynchronous: {on_failure: orders}",
        "asynchronous: {on_success: orders, on_failure: orders, retries: 0, max_age: 60s}",
        "asynchronous: {on_failure: orders, max_age: 6h, retries: 2}",
        "asynchronous: {on_failure: orders}, url: aws-iam",
        "asynchronous: {on_failure: orders}, url: any",
        "asynchronous: {on_failure: orders}, url: any, cors: {origins: '*'}",
        "asynchronous: {on_failure: orders}, url: any, cors: {origins: ['https://a.example:8443'], methods: PUT}",
    ],
)
def test_what_fits_together_is_taken(more, desk, sound):
    loaded = desk.check(written(sound, more))

    assert loaded.mistakes == ()


MISTAKES = [
    (
        "a destination that is not there",
        "asynchronous: {on_failure: order}",
        RULE,
        ("settings.no-such-destination", "error", 'there is no function "order"', "Write orders."),
    ),
    (
        "a destination that is the function itself",
        "asynchronous: {on_success: report}",
        RULE,
        ("settings.no-such-destination", "error", "report would be told of itself", "Name another function."),
    ),
    (
        "a destination that no rule allows",
        "asynchronous: {on_failure: orders}",
        "",
        (
            "settings.destination-refused",
            "warning",
            "no rule lets destinations run orders",
            "Add a rule: who: {provider: destinations, kind: service}, may: [orders].",
        ),
    ),
    (
        "a rule for destinations where there are none",
        "url: aws-iam",
        RULE,
        ("settings.no-such-provider", "error", 'there is no provider "destinations"', "Use one of: corp."),
    ),
    (
        "an event that may be older than Lambda's",
        "asynchronous: {on_failure: orders, max_age: 7h}",
        RULE,
        ("settings.out-of-range", "error", None, None),
    ),
    (
        "an event that is too old at once",
        "asynchronous: {on_failure: orders, max_age: 59s}",
        RULE,
        ("settings.out-of-range", "error", None, None),
    ),
    (
        "more retries than Lambda has",
        "asynchronous: {on_failure: orders, retries: 3}",
        RULE,
        ("settings.wrong-value", "error", None, None),
    ),
    (
        "pages that may ask a function without a URL",
        "cors: {origins: '*'}",
        "",
        ("settings.no-effect", "warning", "cors has no effect without url", "Remove cors, or add url."),
    ),
    (
        "an origin with a path",
        "url: any, cors: {origins: 'https://a.example/'}",
        "",
        ("settings.wrong-value", "error", None, "Write it like https://app.example.com."),
    ),
    (
        "an origin with a star inside",
        "url: any, cors: {origins: 'https://*.example'}",
        "",
        ("settings.wrong-value", "error", None, "Write it like https://app.example.com."),
    ),
    (
        "a method in small letters",
        "url: any, cors: {origins: '*', methods: get}",
        "",
        ("settings.wrong-value", "error", None, "Write it like GET."),
    ),
    (
        "a header field that is none",
        "url: any, cors: {origins: '*', headers: 'a b'}",
        "",
        ("settings.wrong-value", "error", None, "Write it like authorization."),
    ),
    ("no origin at all", "url: any, cors: {origins: []}", "", ("settings.empty-list", "error", None, None)),
    (
        "an answer that is remembered for more than a day",
        "url: any, cors: {origins: '*', max_age: 2d}",
        "",
        ("settings.out-of-range", "error", None, None),
    ),
    ("a way to show oneself that there is not", "url: iam", "", ("settings.wrong-value", "error", None, None)),
]


@pytest.mark.parametrize(("more", "rule", "wanted"), [one[1:] for one in MISTAKES], ids=[one[0] for one in MISTAKES])
def test_what_does_not_is_told_with_a_hint(more, rule, wanted, desk, sound):
    loaded = desk.check(written(sound, more, rule))

    code, severity, message, hint = wanted
    found = [one for one in loaded.mistakes if one.code == code]
    assert [one.severity for one in found] == [severity], loaded.mistakes
    assert found[0].message == message or message is None
    assert found[0].hint == hint or hint is None


def test_a_provider_may_not_be_called_destinations_where_functions_have_some(desk, sound):
    provider = '  destinations: {preset: oidc, issuer: "https://id.example", audience: actas}\nfunctions:'
    text = written(sound, "asynchronous: {on_failure: orders}").replace("functions:", provider, 1)

    loaded = desk.check(text)

    assert [one.hint for one in loaded.mistakes if one.code == "settings.reserved-name"] == ["Give it another name."]
    assert not [
        one for one in desk.check(text.replace("asynchronous: {on_failure: orders}", "url: any")).mistakes
        if one.code == "settings.reserved-name"
    ]  # fmt: skip


def test_an_http_function_has_routes_and_no_url(desk, sound):
    loaded = desk.check(sound.replace('"POST /orders"]', '"POST /orders"], url: any'))

    assert [one.message for one in loaded.mistakes] == ["url has no effect on a function that runs on http"]
