"""`actas roles`: which roles somebody may take."""

import json

import pytest
import yaml

SETTINGS = {
    "providers": {"corp": {"preset": "oidc", "issuer": "https://idp.example", "audience": "actas"}},
    "functions": {
        name: {"lambda": f"arn:aws:lambda:eu-west-1:111122223333:function:{name}"} for name in ("report", "billing")
    },
    "roles": {
        "reader": {"arn": "arn:aws:iam::111122223333:role/reader"},
        "payer": {"arn": "arn:aws:iam::111122223333:role/payer"},
        "spare": {"arn": "arn:aws:iam::111122223333:role/spare"},
    },
    "rules": [
        {
            "id": "finance-reads",
            "who": {"provider": "corp", "groups": ["finance"]},
            "may": ["report", "billing"],
            "as": ["reader", "payer"],
        },
        {
            "id": "contractors-never-bill",
            "who": {"provider": "corp", "groups": ["contractors"]},
            "may_not": ["billing"],
        },
    ],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "actas.yaml").write_text(yaml.safe_dump(SETTINGS, sort_keys=False))
    return tmp_path


def claims(folder, *groups):
    file = folder / "claims.json"
    file.write_text(
        json.dumps(
            {
                "iss": "https://idp.example",
                "sub": "ana",
                "aud": "actas",
                "iat": 1,
                "exp": 4_000_000_000,
                "groups": list(groups),
            }
        )
    )
    return file


def test_a_role_that_a_rule_offers_may_be_taken_for_what_the_rule_names(actas, folder):
    said = actas("roles", "--claims", claims(folder, "finance"), "--json", folder=folder)

    assert said.code == 0
    assert {one["role"]: one["may"] for one in said.data["roles"]} == {
        "reader": ["report", "billing"],
        "payer": ["report", "billing"],
        "spare": [],
    }


def test_a_prohibition_takes_one_function_from_a_role_and_leaves_the_other(actas, folder):
    said = actas("roles", "--claims", claims(folder, "finance", "contractors"), "--json", folder=folder)

    assert {one["role"]: one["may"] for one in said.data["roles"]}["reader"] == ["report"]


def test_somebody_whom_no_rule_names_may_take_none_and_is_told_why(actas, folder):
    said = actas("roles", "--claims", claims(folder, "sales"), folder=folder)

    assert said.code == 1
    assert "reader  arn:aws:iam::111122223333:role/reader  may not be taken now" in said.out
    assert "  no rule offers spare" in said.out.splitlines()


def test_roles_that_may_be_taken_come_first(actas, folder):
    said = actas("roles", "--claims", claims(folder, "finance"), folder=folder)

    assert [line.split()[0] for line in said.out.splitlines() if not line.startswith(" ")] == [
        "reader",
        "payer",
        "spare",
    ]


def test_somebody_has_to_be_named(actas, folder):
    said = actas("roles", folder=folder)

    assert said.code == 2
    assert "cli.nobody-named" in said.err


def test_a_person_who_signed_in_is_asked_about_by_name(at_bench):
    said = at_bench("roles", "--as", "ana", "--json")

    assert said.code == 0
    assert [one["role"] for one in said.data["roles"]] == ["staff"]
    assert "hello" in said.data["roles"][0]["may"]
