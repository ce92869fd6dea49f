"""Every value that is not what the schema wants is one mistake, with its place and the right spelling."""

import pytest

from actas.settings.mistakes import nearest

MISTAKES = [
    (
        "an unknown key",
        "gateway:\n  grase: 20s\n",
        ("settings.unknown-key", 2, 3, "gateway.grase", 'there is no key "grase" here', "Write grace.", "grace"),
    ),
    (
        "an unknown key with a hyphen for an underscore",
        "gateway: {public-url: 'http://a.example'}\n",
        (
            "settings.unknown-key",
            1,
            11,
            "gateway.public-url",
            'there is no key "public-url" here',
            "Write public_url.",
            "public_url",
        ),
    ),
    (
        "an unknown section",
        "funktions: {}\n",
        (
            "settings.unknown-key",
            1,
            1,
            "funktions",
            'there is no key "funktions" here',
            "Write functions.",
            "functions",
        ),
    ),
    (
        "an unknown key like no other",
        "roles: {r: {arn: a, zzz: 1}}\n",
        (
            "settings.unknown-key",
            1,
            21,
            "roles.r.zzz",
            'there is no key "zzz" here',
            "Remove it; docs/settings.md has every key.",
            None,
        ),
    ),
    (
        "a missing key",
        "roles:\n  r: {session: 15m}\n",
        ("settings.missing-key", 2, 3, "roles.r.arn", "roles.r has no arn", "Add arn: a text.", None),
    ),
    (
        "a missing key in a list",
        "rules:\n  - {id: a, may: f}\n",
        ("settings.missing-key", 2, 5, "rules[0].who", "rules[0] has no who", "Add who: a mapping.", None),
    ),
    (
        "a number for a span",
        "gateway: {grace: 20}\n",
        (
            "settings.wrong-type",
            1,
            18,
            "gateway.grace",
            "gateway.grace is 20; wanted: a span of time (500ms, 10s, 15m, 24h, 7d)",
            "Write 20s.",
            "20s",
        ),
    ),
    (
        "a span with a space",
        "gateway: {grace: 20 s}\n",
        (
            "settings.wrong-value",
            1,
            18,
            "gateway.grace",
            'gateway.grace is "20 s"; a span of time is a whole number and a unit: 500ms, 10s, 15m, 24h or 7d',
            "Give a span of time (500ms, 10s, 15m, 24h, 7d).",
            None,
        ),
    ),
    (
        "a number for a size",
        "gateway: {limits: {body: 512}}\n",
        (
            "settings.wrong-type",
            1,
            26,
            "gateway.limits.body",
            "gateway.limits.body is 512; wanted: a size (512B, 64KB, 256MB, 1GB)",
            "Write 512B.",
            "512B",
        ),
    ),
    (
        "a network with host bits",
        "gateway: {proxies: {networks: [10.1.0.1/24]}}\n",
        (
            "settings.wrong-value",
            1,
            32,
            "gateway.proxies.networks[0]",
            (
                'gateway.proxies.networks[0] is "10.1.0.1/24"; a network is written 10.0.0.0/8 or 2001:db8::/32: '
                "10.1.0.1/24 has host bits set"
            ),
            "Give a network (10.0.0.0/8, 2001:db8::/32).",
            None,
        ),
    ),
    (
        "yes for true",
        "rules: [{id: a, who: {}, may: f, when: {mfa: yes}}]\n",
        (
            "settings.wrong-type",
            1,
            46,
            "rules[0].when.mfa",
            'rules[0].when.mfa is "yes"; wanted: true or false',
            "Write true.",
            "true",
        ),
    ),
    (
        "a boolean for a text",
        "gateway: {region: true}\n",
        (
            "settings.wrong-type",
            1,
            19,
            "gateway.region",
            "gateway.region is true; wanted: small letters, digits and -",
            'Write "true".',
            '"true"',
        ),
    ),
    (
        "an account number without quotes",
        "gateway: {account: 111122223333}\n",
        (
            "settings.wrong-type",
            1,
            20,
            "gateway.account",
            "gateway.account is 111122223333; wanted: twelve digits in quotes",
            'Write "111122223333".',
            '"111122223333"',
        ),
    ),
    (
        "a version without quotes",
        "functions: {f: {python: 'f.py:h', format: 2.0}}\n",
        (
            "settings.wrong-type",
            1,
            43,
            "functions.f.format",
            "functions.f.format is 2.0; wanted: 1.0 or 2.0",
            'Write "2.0".',
            '"2.0"',
        ),
    ),
    (
        "an octal number",
        "functions: {f: {python: 'f.py:h', schedule: {at_once: 010}}}\n",
        (
            "settings.wrong-type",
            1,
            55,
            "functions.f.schedule.at_once",
            'functions.f.schedule.at_once is "010"; wanted: a whole number of at least 1',
            "Write 10.",
            "10",
        ),
    ),
    (
        "a number that is too small",
        "functions: {f: {python: 'f.py:h', schedule: {at_once: 0}}}\n",
        (
            "settings.wrong-value",
            1,
            55,
            "functions.f.schedule.at_once",
            "functions.f.schedule.at_once is 0; wanted: a whole number of at least 1",
            "Give a whole number of at least 1.",
            None,
        ),
    ),
    (
        "a word that is none of the choices",
        "mode: enforced\n",
        (
            "settings.wrong-value",
            1,
            7,
            "mode",
            'mode is "enforced"; wanted: enforce or observe',
            "Write enforce.",
            "enforce",
        ),
    ),
    (
        "a text for a list",
        "gateway: {proxies: {networks: 10.1.0.0/24}}\n",
        (
            "settings.wrong-type",
            1,
            31,
            "gateway.proxies.networks",
            'gateway.proxies.networks is "10.1.0.0/24"; wanted: a list of networks (10.0.0.0/8, 2001:db8::/32)',
            "Write [10.1.0.0/24].",
            "[10.1.0.0/24]",
        ),
    ),
    (
        "a mapping for a list",
        "rules: {a: {who: {}}}\n",
        (
            "settings.wrong-type",
            1,
            8,
            "rules",
            "rules is a mapping; wanted: a list of mappings",
            "Give a list of mappings.",
            None,
        ),
    ),
    (
        "a list for a mapping",
        "functions: []\n",
        (
            "settings.wrong-type",
            1,
            12,
            "functions",
            "functions is an empty list; wanted: a mapping",
            "Give a mapping.",
            None,
        ),
    ),
    (
        "a key with nothing after it",
        "rules:\n  - id: a\n    who: {}\n    may: f\n    when:\n",
        (
            "settings.wrong-type",
            5,
            10,
            "rules[0].when",
            "rules[0].when is nothing; wanted: a mapping",
            "Give it a value, or remove the key: a key with nothing after it says nothing.",
            None,
        ),
    ),
    (
        "a day that does not exist",
        "rules: [{id: a, who: {}, may: f, when: {until: 2026-02-30}}]\n",
        (
            "settings.wrong-value",
            1,
            48,
            "rules[0].when.until",
            'rules[0].when.until is "2026-02-30"; wanted: a date (2026-01-31)',
            "Give a date (2026-01-31).",
            None,
        ),
    ),
    (
        "a name with capitals",
        "roles: {Reader: {arn: a}}\n",
        ("settings.bad-name", 1, 9, "roles.Reader", '"Reader" is no name', "Write reader.", "reader"),
    ),
    (
        "a secret in the file",
        "providers: {p: {preset: entra, lookup: {id: a, secret: hunter2}}}\n",
        (
            "settings.secret-in-file",
            1,
            56,
            "providers.p.lookup.secret",
            "providers.p.lookup.secret holds its secret in the file; a secret never stands there",
            "Write {env: NAME} or {file: PATH}; if the secret was ever shared with this file, change it.",
            None,
        ),
    ),
    (
        "a whole file that is a text",
        "hello\n",
        ("settings.wrong-type", 1, 1, "", 'the file is "hello"; wanted: a mapping', "Give a mapping.", None),
    ),
    (
        "an empty file",
        "",
        (
            "settings.empty",
            1,
            1,
            "",
            "the file says nothing",
            "Start from `actas init`, which writes one.",
            None,
        ),
    ),
    (
        "a file of comments",
        "# gateway:\n",
        (
            "settings.empty",
            1,
            1,
            "",
            "the file says nothing",
            "Start from `actas init`, which writes one.",
            None,
        ),
    ),
]


@pytest.mark.parametrize(("text", "wanted"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_what_does_not_fit_the_schema_is_told(desk, text, wanted):
    loaded = desk.read(text)

    [one] = loaded.mistakes
    assert (one.code, one.line, one.column, one.key, one.message, one.hint, one.nearest) == wanted
    assert loaded.settings is None


FINE = [
    ("a span", "gateway: {grace: 20s}"),
    ("a true", "functions: {f: {http: 'http://a.example', private: true}}"),
    ("an account number in quotes", "gateway: {account: '111122223333'}"),
    ("an account number that no number starts like", "gateway: {account: 000000000000}"),
    ("a version in quotes", "functions: {f: {python: 'f.py:h', format: '2.0'}}"),
    ("the smallest number", "functions: {f: {python: 'f.py:h', schedule: {at_once: 1}}}"),
    ("one of the choices", "mode: observe"),
    ("a date without quotes", "rules: [{id: a, who: {}, may: f, when: {until: 2026-02-28}}]"),
    ("hours without quotes", "rules: [{id: a, who: {}, may: f, when: {hours: 07:00-19:00}}]"),
    ("a secret's place", "providers: {p: {preset: entra, lookup: {id: a, secret: {env: HERE}}}}"),
    ("a group that YAML 1.1 takes for a boolean", "rules: [{id: a, who: {groups: [no, on]}, may: f}]"),
    ("one text or a list of them", "rules: [{id: a, who: {groups: a}, may: [f]}]"),
    (
        "an inline key set, whatever is in it",
        "providers: {p: {preset: oidc, keys: {inline: {keys: [{n: 1, x: [null]}]}}}}",
    ),
]


@pytest.mark.parametrize("text", [case[1] for case in FINE], ids=[case[0] for case in FINE])
def test_what_fits_the_schema_is_taken(desk, text):
    loaded = desk.read(text)

    assert loaded.mistakes == ()
    assert loaded.usable() is loaded.settings


def test_all_mistakes_are_told_at_once_and_in_their_order(desk):
    loaded = desk.read("""\
        gateway: {grase: 20s, isolation: week}
        roles: {r: {}}
        roles: {s: {}}
        functions: {f: {python: 1, &a memory: 5}}
        rules:
          - {id: A b, who: {groups: [1]}, may: f}
          - 7
        """)

    assert [(one.code, one.line) for one in loaded.mistakes] == [
        ("settings.unknown-key", 1),
        ("settings.wrong-value", 1),
        ("settings.missing-key", 2),
        ("settings.duplicate-key", 3),
        ("settings.wrong-type", 4),
        ("settings.anchor", 4),
        ("settings.wrong-type", 4),
        ("settings.wrong-value", 6),
        ("settings.wrong-type", 6),
        ("settings.wrong-type", 7),
    ]


NEAREST = [
    ("a letter too few", "isuer", ["issuer", "id", "sub"], "issuer"),
    ("two letters exchanged", "isseur", ["issuer", "id", "sub"], "issuer"),
    ("capitals", "PublicURL", ["public_url", "control_url"], "public_url"),
    ("nothing like it", "zzz", ["issuer", "id"], None),
    ("nothing there", "zzz", [], None),
    ("the very word", "id", ["issuer", "id"], "id"),
]


@pytest.mark.parametrize(("word", "words", "wanted"), [case[1:] for case in NEAREST], ids=[case[0] for case in NEAREST])
def test_the_nearest_spelling(word, words, wanted):
    assert nearest(word, words) == wanted
