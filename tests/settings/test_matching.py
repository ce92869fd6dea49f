"""Rules against each other and against their providers: never, shadowed, decided by silence."""

from dataclasses import replace

import pytest

from actas.settings.checks import PresetFacts

HEAD = """\
providers:
  corp: {preset: keycloak, issuer: "https://sso.example/realms/corp", audience: actas, clients: [web, cli]}
  azure: {preset: entra, tenant: t1, audience: actas}
  ci: {preset: github-actions, audience: actas}
functions:
  report: {http: "https://report.example", routes: ["GET /r"]}
  orders: {http: "https://orders.example", routes: ["GET /orders/{id}", "POST /orders"]}
roles:
  reader: {arn: "arn:aws:iam::111122223333:role/reader"}
  writer: {arn: "arn:aws:iam::111122223333:role/writer"}
rules:
"""


def codes(desk, rules, code):
    loaded = desk.check(HEAD + rules)
    return [one.message for one in loaded.mistakes if one.code == code]


SHADOWS = [
    (
        "a prohibition over everything the rule allows",
        "{id: a, who: {provider: corp, groups: [g]}, may: report}",
        "{id: b, who: {provider: corp}, may_not: '*'}",
        ["a never lets anybody in: b forbids all that it allows"],
    ),
    (
        "a prohibition over one route of two",
        "{id: a, who: {provider: corp, groups: [g]}, may: orders}",
        "{id: b, who: {provider: corp}, may_not: 'orders:GET *'}",
        [],
    ),
    (
        "a prohibition for one group of two",
        "{id: a, who: {provider: corp, groups: [g, h]}, may: report}",
        "{id: b, who: {provider: corp, groups: [g]}, may_not: report}",
        [],
    ),
    (
        "a prohibition for both groups and one more",
        "{id: a, who: {provider: corp, groups: [g, h]}, may: report}",
        "{id: b, who: {groups: [g, h, i]}, may_not: report}",
        ["a never lets anybody in: b forbids all that it allows"],
    ),
    (
        "a prohibition by night",
        "{id: a, who: {provider: corp}, may: report}",
        "{id: b, who: {provider: corp}, may_not: report, when: {hours: 22:00-06:00, zone: UTC}}",
        [],
    ),
    (
        "a prohibition in wider hours of the same zone",
        "{id: a, who: {provider: corp}, may: report, when: {hours: 09:00-17:00, zone: UTC}}",
        "{id: b, who: {provider: corp}, may_not: report, when: {hours: 08:00-17:00, zone: UTC}}",
        ["a never lets anybody in: b forbids all that it allows"],
    ),
    (
        "a prohibition in wider hours of another zone",
        "{id: a, who: {provider: corp}, may: report, when: {hours: 09:00-17:00, zone: UTC}}",
        "{id: b, who: {provider: corp}, may_not: report, when: {hours: 08:00-17:00, zone: Europe/Berlin}}",
        [],
    ),
    (
        "a prohibition in a wider network",
        "{id: a, who: {provider: corp}, may: report, when: {networks: [10.1.0.0/16, 10.2.0.0/16]}}",
        "{id: b, who: {provider: corp}, may_not: report, when: {networks: ['2001:db8::/32', 10.0.0.0/8]}}",
        ["a never lets anybody in: b forbids all that it allows"],
    ),
    (
        "a prohibition in a network of another family",
        "{id: a, who: {provider: corp}, may: report, when: {networks: ['2001:db8::/32']}}",
        "{id: b, who: {provider: corp}, may_not: report, when: {networks: [0.0.0.0/0]}}",
        [],
    ),
    (
        "a prohibition on more days",
        "{id: a, who: {provider: corp}, may: report, when: {days: [mon, tue], zone: UTC}}",
        "{id: b, who: {provider: corp}, may_not: report, when: {days: mon-fri, zone: UTC}}",
        ["a never lets anybody in: b forbids all that it allows"],
    ),
    (
        "a prohibition after the rule is over",
        "{id: a, who: {provider: corp}, may: report, when: {until: 2026-12-31, zone: UTC}}",
        "{id: b, who: {provider: corp}, may_not: report, when: {until: 2027-12-31, zone: UTC}}",
        ["a never lets anybody in: b forbids all that it allows"],
    ),
    (
        "a prohibition that ends sooner",
        "{id: a, who: {provider: corp}, may: report, when: {until: 2026-12-31, zone: UTC}}",
        "{id: b, who: {provider: corp}, may_not: report, when: {until: 2026-12-30, zone: UTC}}",
        [],
    ),
    (
        "a prohibition for those without a second factor",
        "{id: a, who: {provider: corp}, may: report}",
        "{id: b, who: {provider: corp}, may_not: report, when: {mfa: false}}",
        [],
    ),
    (
        "the same permission twice",
        "{id: a, who: {provider: corp, groups: [g]}, may: report, as: reader}",
        "{id: b, who: {provider: corp, groups: [g]}, may: [report], as: [reader]}",
        ["b changes nothing: a, which comes before it, allows all that it allows"],
    ),
    (
        "a wider permission afterwards",
        "{id: a, who: {provider: corp, groups: [g]}, may: report, as: reader}",
        "{id: b, who: {provider: corp}, may: '*', as: reader}",
        [],
    ),
    (
        "the same permission with another role",
        "{id: a, who: {provider: corp, groups: [g]}, may: report, as: reader}",
        "{id: b, who: {provider: corp, groups: [g]}, may: report, as: writer}",
        [],
    ),
    (
        "the same permission without a role",
        "{id: a, who: {provider: corp, groups: [g]}, may: report, as: reader}",
        "{id: b, who: {provider: corp, groups: [g]}, may: report}",
        [],
    ),
    (
        "the same prohibition twice",
        "{id: a, who: {provider: corp, groups: [g]}, may_not: report}",
        "{id: b, who: {provider: corp, groups: [g]}, may_not: report}",
        ["b changes nothing: a forbids all that it forbids"],
    ),
    (
        "a narrower prohibition",
        "{id: a, who: {provider: corp, groups: [g]}, may_not: report}",
        "{id: b, who: {provider: corp}, may_not: report}",
        ["a changes nothing: b forbids all that it forbids"],
    ),
]


@pytest.mark.parametrize(("one", "other", "wanted"), [case[1:] for case in SHADOWS], ids=[case[0] for case in SHADOWS])
def test_a_rule_that_another_one_shadows(desk, one, other, wanted):
    assert codes(desk, f"  - {one}\n  - {other}\n", "settings.shadowed") == wanted


ON_ONE_DAY = "{{id: a, who: {{provider: ci}}, may: report, when: {{{0}, from: {1}, until: {1}, zone: UTC}}}}"
NEVER = [
    (
        "groups of a provider that never names any",
        "{id: a, who: {provider: ci, groups: [g]}, may: report}",
        ["a can never match: ci never says anything of groups; name the claim in providers, or have it looked up"],
    ),
    (
        "groups of two providers, one of which names them",
        "{id: a, who: {provider: [ci, corp], groups: [g]}, may: report}",
        [],
    ),
    (
        "a second factor of a provider that never speaks of one",
        "{id: a, who: {provider: ci}, may: report, when: {mfa: true}}",
        ["a can never match: ci never says anything of a second factor; name the values in providers: mfa"],
    ),
    (
        "clients whose tokens are not taken",
        "{id: a, who: {provider: corp, clients: [mobile]}, may: report}",
        ["a can never match: corp takes tokens of none of its clients"],
    ),
    ("clients of which one is taken", "{id: a, who: {provider: corp, clients: [mobile, web]}, may: report}", []),
    (
        "another tenant",
        "{id: a, who: {provider: azure, tenants: [t2]}, may: report}",
        ["a can never match: azure takes tokens of none of its tenants"],
    ),
    ("the provider's tenant", "{id: a, who: {provider: azure, tenants: [t1]}, may: report}", []),
    ("a prohibition is not judged so", "{id: a, who: {provider: ci, groups: [g]}, may_not: report}", []),
    ("days that wrap over the week's end", ON_ONE_DAY.format("days: sat-mon", "2026-07-05"), []),
    ("a night that ends on the last day", ON_ONE_DAY.format("days: fri, hours: 22:00-06:00", "2026-07-04"), []),
    (
        "a day that ends before that",
        ON_ONE_DAY.format("days: fri, hours: 06:00-22:00", "2026-07-04"),
        ["a can never apply: no day from 2026-07-04 to 2026-07-04 is one of its days"],
    ),
]


@pytest.mark.parametrize(("rule", "wanted"), [case[1:] for case in NEVER], ids=[case[0] for case in NEVER])
def test_a_rule_that_can_never_match(desk, rule, wanted):
    assert codes(desk, f"  - {rule}\n", "settings.never") == wanted


NAMED = [
    ("a subject without its provider", "{id: a, who: {subjects: [s]}, may: report}", True),
    ("a group without its provider", "{id: a, who: {groups: [g]}, may: report}", True),
    ("a role without its provider", "{id: a, who: {roles: [r]}, may: report}", True),
    ("a scope without its provider", "{id: a, who: {scopes: [s]}, may: report}", True),
    ("a client without its provider", "{id: a, who: {clients: [c]}, may: report}", True),
    ("a group with its provider", "{id: a, who: {provider: corp, groups: [g]}, may: report}", False),
    ("a kind, which every provider's callers have", "{id: a, who: {kind: human}, may: report}", False),
    ("a prohibition", "{id: a, who: {groups: [g]}, may_not: report}", False),
]


@pytest.mark.parametrize(("rule", "told"), [case[1:] for case in NAMED], ids=[case[0] for case in NAMED])
def test_a_permission_names_its_provider_where_there_are_several(desk, rule, told):
    assert bool(codes(desk, f"  - {rule}\n", "settings.provider-not-named")) is told


def test_with_one_provider_there_is_nothing_to_name(desk, sound):
    loaded = desk.check(sound.replace("provider: corp, ", ""))

    assert loaded.mistakes == ()


SILENCE = [
    ("groups, all providers", "{id: a, who: {groups: [g]}, may_not: report}", ["azure", "corp"]),
    ("groups of one provider", "{id: a, who: {provider: corp, groups: [g]}, may_not: report}", ["corp"]),
    ("roles, which one provider always lists", "{id: a, who: {roles: [r]}, may_not: report}", ["corp"]),
    (
        "groups and scopes: both must be silent",
        "{id: a, who: {groups: [g], scopes: [s]}, may_not: report}",
        ["azure", "corp"],
    ),
    ("groups of certain subjects", "{id: a, who: {groups: [g], subjects: [s]}, may_not: report}", []),
    ("nothing that a token may leave out", "{id: a, who: {provider: corp}, may_not: report}", []),
    ("a permission", "{id: a, who: {provider: corp, groups: [g]}, may: report}", []),
    ("no second factor", "{id: a, who: {provider: corp}, may_not: report, when: {mfa: false}}", ["corp"]),
]


@pytest.mark.parametrize(("rule", "providers"), [case[1:] for case in SILENCE], ids=[case[0] for case in SILENCE])
def test_each_prohibition_that_silence_decides_is_listed(desk, rule, providers):
    found = codes(desk, f"  - {rule}\n", "settings.absence-decides")

    assert [message.split(" of ")[1].split(" ")[0].rstrip(":") for message in found] == providers


def test_a_provider_whose_silence_means_none_decides_nothing(desk):
    text = HEAD.replace("clients: [web, cli]}", "clients: [web, cli], groups: {absent: empty}}")

    loaded = desk.check(text + "  - {id: a, who: {provider: corp, groups: [g]}, may_not: report}\n")

    assert "settings.absence-decides" not in [one.code for one in loaded.mistakes]


LAMBDA = """\
providers:
  corp: {preset: keycloak, issuer: "https://sso.example/realms/corp", audience: actas}
functions:
  billing: {lambda: "arn:aws:lambda:eu-west-1:111122223333:function:billing"}
roles:
  reader: {arn: "arn:aws:iam::111122223333:role/reader"}
  remote: {arn: "arn:aws:iam::111122223333:role/remote", broker: aws-web-identity}
rules:
  - {id: a, who: {provider: corp}, may: billing, as: [reader, remote]}
  - {id: b, who: {provider: corp, groups: [g]}, may: "bill*"}
"""


def test_a_function_in_aws_is_run_with_a_role_that_aws_knows(desk):
    loaded = desk.check(LAMBDA)
    found = [one for one in loaded.mistakes if one.code != "settings.issuer-not-public"]

    assert [(one.code, one.severity, one.line, one.message) for one in found] == [
        (
            "settings.local-role-in-aws",
            "warning",
            9,
            "reader comes from the broker local, whose sessions AWS does not take, and billing is in AWS",
        ),
        (
            "settings.role-needed",
            "error",
            10,
            "b lets billing be run, which is in AWS, and gives no role to run it with",
        ),
    ]


def test_what_the_shape_spoils_is_not_judged_again_and_the_rest_is(desk):
    loaded = desk.check("""\
        providers:
          corp: {preset: keycloak, isuer: "https://sso.example/realms/corp", audience: actas}
        functions:
          report: {pyhton: "report.py:handler"}
        rules:
          - {id: a, who: {provider: corp, groups: [1]}, may: [report, rapport], as: reader}
        """)

    assert [(one.code, one.line, one.nearest) for one in loaded.mistakes] == [
        ("settings.unknown-key", 2, "issuer"),
        ("settings.unknown-key", 4, "python"),
        ("settings.wrong-type", 6, '"1"'),
        ("settings.names-nothing", 6, "report"),
        ("settings.no-such-role", 6, None),
    ]
    assert loaded.settings is None


def test_a_policy_is_checked_where_it_stands(desk, sound):
    (desk.folder / "p.json").write_text(
        '{"Version": "2012-10-17",\n "Statement": [{"Effect": "Alow", "Action": "s3:GetObject", "Resource": "*"}]}\n'
    )

    loaded = desk.check(sound.replace('role/reader"}', 'role/reader", policy: p.json}'))

    wrong = [one for one in loaded.mistakes if one.code == "settings.policy"]
    assert [(one.severity, one.file, one.key) for one in wrong] == [
        ("error", str(desk.folder / "p.json"), "Statement[0].Effect")
    ]
    assert loaded.broken


def test_a_sound_policy_is_taken(desk, sound):
    (desk.folder / "p.json").write_text(
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject",'
        ' "Resource": "arn:aws:s3:::reports/*"}]}'
    )

    loaded = desk.check(sound.replace('role/reader"}', 'role/reader", policy: p.json}'))

    assert not loaded.broken


def test_a_policy_that_is_not_there_is_told_once(desk, sound):
    loaded = desk.check(sound.replace('role/reader"}', 'role/reader", policy: policies/p.json}'))

    assert [(one.code, one.key) for one in loaded.mistakes] == [("settings.no-such-file", "roles.reader.policy")]


def test_rules_may_name_admin_actions(desk, sound):
    text = sound + "  - {id: admins, who: {provider: corp, groups: [ops]}, may: ['admin:*']}\n"

    assert desk.check(text).mistakes == ()


def test_observing_is_loud_and_allowed_where_every_function_decides_too(desk, sound):
    text = "mode: observe\n" + sound.replace('handler"}', 'handler", own_authorization: true}').replace(
        '"POST /orders"]', '"POST /orders"], own_authorization: true'
    )

    loaded = desk.check(text)

    assert [(one.code, one.severity) for one in loaded.mistakes] == [("settings.observing", "warning")]


def test_weak_isolation_is_taken_for_trying_out_and_told(desk, sound, around):
    text = sound.replace("gateway: {", "gateway: {isolation: weak, ")

    loaded = desk.check(text, replace(around, weak_isolation=True))

    assert [(one.code, one.severity) for one in loaded.mistakes] == [("settings.weak-isolation", "warning")]
    assert not loaded.broken


def test_with_keys_of_its_own_an_issuer_is_any_text(desk, sound):
    text = sound.replace("https://sso.example/realms/corp", "urn:corp").replace(
        "audience: actas}",
        "audience: actas, keys: {inline: {kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}}}",
    )

    assert desk.check(text).mistakes == ()


def test_keys_of_which_one_cannot_be_used_are_taken_with_a_warning(desk, sound):
    keys = (
        "{keys: [{kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}, "
        "{kty: OKP, crv: Ed25519, x: AAAA}]}"
    )

    loaded = desk.check(sound.replace("audience: actas}", f"audience: actas, keys: {{inline: {keys}}}}}"))

    assert [(one.code, one.severity) for one in loaded.mistakes] == [("settings.bad-keys", "warning")]


def test_an_issuer_may_stand_for_a_tenant_and_an_audience_for_clients(desk, sound, around):
    presets = {**around.presets, "odd": PresetFacts(needs=("tenant", "clients"))}

    loaded = desk.check(sound.replace("preset: keycloak", "preset: odd"), replace(around, presets=presets))

    assert loaded.mistakes == ()


def test_a_claim_that_the_settings_name_is_carried(desk):
    text = HEAD.replace(
        "ci: {preset: github-actions,",
        "ci: {preset: github-actions, groups: {claim: teams}, client: {claim: app}, mfa: [otp],",
    )
    rule = "{id: a, who: {provider: ci, groups: [g], clients: [c]}, may: report, when: {mfa: true}}"

    loaded = desk.check(text + f"  - {rule}\n")

    assert "settings.never" not in [one.code for one in loaded.mistakes]


def test_a_prohibition_over_what_is_looked_up_is_decided_by_the_look_up(desk):
    text = HEAD.replace(
        "clients: [web, cli]}",
        "clients: [web, cli], groups: {lookup: keycloak-admin}, lookup: {id: a, secret: {env: A}}}",
    )

    loaded = desk.check(text + "  - {id: a, who: {provider: corp, groups: [g]}, may_not: report}\n")

    assert "settings.absence-decides" not in [one.code for one in loaded.mistakes]


def test_a_claim_that_says_what_silence_means_is_believed(desk):
    text = HEAD.replace("clients: [web, cli]}", "clients: [web, cli], groups: {absent: unknown}}")

    loaded = desk.check(text + "  - {id: a, who: {provider: corp, groups: [g]}, may_not: report}\n")

    assert "settings.absence-decides" in [one.code for one in loaded.mistakes]


def test_a_function_with_a_mistake_is_still_there_for_rules(desk):
    loaded = desk.check("""\
        functions:
          report: hello
          orders: {http: "https://orders.example", routes: [1, "GET /orders"]}
        rules:
          - {id: a, who: {kind: human}, may: [report, "orders:GET /order", orders]}
        """)

    assert [(one.code, one.key) for one in loaded.mistakes] == [
        ("settings.wrong-type", "functions.report"),
        ("settings.wrong-type", "functions.orders.routes[0]"),
    ]


def test_a_trust_policy_is_checked_as_one(desk, sound):
    (desk.folder / "t.json").write_text(
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity"}]}'
    )

    loaded = desk.check(sound.replace('role/reader"}', 'role/reader", trust: t.json}'))

    assert "settings.policy" in [one.code for one in loaded.mistakes]


def test_a_night_is_not_covered_by_a_part_of_itself(desk):
    night = "{id: a, who: {provider: corp}, may: report, when: {days: fri, hours: 22:00-06:00, zone: UTC}}"
    day = "{id: b, who: {provider: corp}, may_not: report, when: {days: fri, zone: UTC}}"

    assert codes(desk, f"  - {night}\n  - {day}\n", "settings.shadowed") == []


def test_where_much_is_spoiled_the_rest_is_still_checked(desk):
    loaded = desk.check("""\
        gateway: {proxies: {}, limits: {connections: x}, isolation: [], account: 1}
        audit: {jsonl: [], officers: x}
        functions: {f: {environment: [], private: x, http: "https://a.example", schedule: 1, timeout: x, routes: {}}}
        roles: {r: {arn: 1, session: x}, s: []}
        rules:
          - {id: [], who: [], when: {networks: [x], hours: x, mfa: x, until: x}, may: nothing}
        """)

    assert "settings.names-nothing" in [one.code for one in loaded.mistakes]
    assert len({one.key for one in loaded.mistakes}) == len(loaded.mistakes)


def test_an_officers_key_and_a_providers_certificate_are_looked_for(desk, sound):
    text = "audit: {officers: [officer.pem]}\n" + sound.replace(
        "audience: actas}", "audience: actas, ca: ca.pem, groups: {lookup: keycloak-admin}, "
        "lookup: {id: a, secret: {file: secret}}}",
    )  # fmt: skip

    loaded = desk.check(text)

    assert [(one.code, one.key) for one in loaded.mistakes] == [
        ("settings.no-such-file", "audit.officers[0]"),
        ("settings.no-such-file", "providers.corp.ca"),
    ]


def test_fillers_stand_in_for_whatever_is_required(desk):
    loaded = desk.check("""\
        gateway: {proxies: {networks: x}}
        roles: {r: {arn: [], policy: 1}, s: {}}
        providers: {p: {preset: [], lookup: {}, keys: {inline: []}}}
        rules: [{id: a, who: {kind: human}, may: nothing, when: {networks: [[], x]}}]
        """)

    assert loaded.sketch is not None
    assert "settings.names-nothing" in [one.code for one in loaded.mistakes]


def test_a_decimal_number_in_an_open_mapping_is_taken(desk, sound):
    text = sound.replace(
        "audience: actas}",
        "audience: actas, keys: {inline: {kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo, "
        "use: sig, n: 1.5}}}",
    )

    assert not desk.read(text).broken


def test_everything_on_ipv6_is_understood(desk, sound):
    text = sound.replace("gateway: {", 'gateway: {listen: "[::1]:8700", control_listen: "[::1]:8701", ')
    text = text.replace('"https://orders.example"', '"http://[fd00::1]:8080", private: true')

    assert desk.check(text).mistakes == ()


def test_localhost_by_name_is_private(desk, sound):
    loaded = desk.check(sound.replace("https://orders.example", "http://localhost:8080"))

    assert [one.code for one in loaded.mistakes] == ["settings.private-address"]
