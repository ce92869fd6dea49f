"""Policies and decisions that others wrote down, run against the library."""

import json

import pytest

from actas import iam


def _document(case):
    return case if isinstance(case, str) else json.dumps(case)


def test_each_policy_that_aws_refuses_is_refused_in_its_words(corpus):
    cases = corpus("iam-policy-grammar-moto/invalid.json")
    said = []

    for case in cases:
        with pytest.raises(iam.MalformedPolicy) as refused:
            iam.Policy.parse(_document(case["document"]))
        said.append(refused.value.message)

    assert len(cases) == 78
    assert said == [case["error_message"] for case in cases]


def test_each_policy_that_aws_takes_is_taken(corpus):
    cases = corpus("iam-policy-grammar-moto/valid.json")

    policies = [iam.Policy.parse(_document(case)) for case in cases]

    assert len(policies) == 54
