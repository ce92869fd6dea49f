"""What the terminal shows, to the letter."""

import json
from datetime import UTC, datetime

from actas.cli import output
from actas.decide.explain import Condition, Explained, Weighed
from actas.identify.explain import Explanation, Step
from actas.identify.imagine import Imagined, imagine
from actas.model.decision import Deny, Reason
from actas.model.identity import Kind

NO = Reason(code="no-rule-allows", because="no rule allows this caller payroll")
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WEIGHED = Weighed(
    rule="finance-runs-payroll",
    effect="may",
    roles=("clerk", "staff"),
    conditions=(
        Condition(key="provider", wants="corp", truth="true"),
        Condition(key="mfa", wants="yes", truth="unknown"),
    ),
    applies=False,
)
EXPLAINED = Explained(
    decision=Deny(reasons=(NO,), generation="g"),
    target="payroll",
    weighed=(WEIGHED,),
    others=1,
    helps=("sign in with two factors",),
)


def test_an_error_has_its_code_its_facts_and_a_hint():
    shown = output.error_text("cli.no-trail", "there is no trail in x", "Name it.")

    assert shown == "error[cli.no-trail]: there is no trail in x\n  hint: Name it."
    assert json.loads(output.error_json("cli.no-trail", "there is no trail in x", "Name it.")) == {
        "error": {"code": "cli.no-trail", "message": "there is no trail in x", "hint": "Name it."}
    }


def test_a_refusal_is_the_verdict_then_each_reason():
    reasons = [{"code": "rule-forbids", "because": "rule a forbids it"}, {"code": "x", "because": "\x1b[2J"}]

    assert output.refusal_text(reasons) == "denied\n  rule a forbids it  [rule-forbids]\n  ?[2J  [x]"


def test_an_explanation_is_the_verdict_why_each_rule_and_what_helps():
    assert output.explained_text(EXPLAINED) == (
        "deny\n"
        "  no rule allows this caller payroll  [no-rule-allows]\n"
        "\n"
        "finance-runs-payroll  (may, as clerk or staff): does not apply\n"
        "  true     provider  corp\n"
        "  unknown  mfa       yes\n"
        "\n"
        "1 other rule speaks of other functions\n"
        "\n"
        "what it would take\n"
        "  sign in with two factors"
    )


def test_the_same_explanation_as_data():
    assert json.loads(output.explained_json(EXPLAINED)) == {
        "verdict": "deny",
        "role": None,
        "reasons": [{"code": "no-rule-allows", "because": "no rule allows this caller payroll", "rule": None}],
        "rules": [
            {
                "rule": "finance-runs-payroll",
                "effect": "may",
                "roles": ["clerk", "staff"],
                "conditions": [
                    {"key": "provider", "wants": "corp", "truth": "true"},
                    {"key": "mfa", "wants": "yes", "truth": "unknown"},
                ],
                "applies": False,
            }
        ],
        "other_rules": 1,
        "helps": ["sign in with two factors"],
    }


def somebody():
    who = Imagined(
        provider="corp",
        subject="s-1",
        kind=Kind.HUMAN,
        groups=frozenset({"/ops", "/finance"}),
        mfa=True,
        unknown=frozenset({"scopes"}),
    )
    return imagine(who, now=NOW)


def test_who_shows_the_steps_what_the_rules_see_and_what_may_be_called():
    steps = (Step(name="provider", code="ok", sentence="it is corp"), Step(name="mfa", code="known", sentence="yes"))
    rights = (
        output.Right(target="hello", allowed=True, role="staff", because="rule a allows it as staff"),
        output.Right(target="payroll", allowed=False, role=None, because="no rule"),
    )

    shown = output.who_text(Explanation(steps=steps, identity=somebody()), rights)

    assert shown == (
        "believed\n"
        "  provider  it is corp  [ok]\n"
        "  mfa       yes  [known]\n"
        "\n"
        "the rules see\n"
        "  provider  corp\n"
        "  subject   s-1\n"
        "  kind      human\n"
        "  client    (absent)\n"
        "  mfa       yes\n"
        "  groups    /finance, /ops\n"
        "  roles     (none)\n"
        "  scopes    (unknown)\n"
        "\n"
        "may call now\n"
        "  hello  rule a allows it as staff"
    )


def test_who_as_data_tells_what_is_missing_from_what_is_empty():
    found = json.loads(output.who_json(Explanation(steps=(), identity=somebody()), (), supposed=True))

    assert (found["believed"], found["supposed"]) == (False, True)
    assert found["facts"]["groups"] == ["/finance", "/ops"]
    assert found["facts"]["roles"] == []
    assert found["facts"]["scopes"] == {"missing": "unknown"}


def test_somebody_who_is_not_believed_has_no_facts_and_no_rights():
    step = Step(name="signature", code="identify.bad-signature", sentence="it does not hold")
    nobody = Explanation(steps=(step,), identity=None)

    assert output.who_text(nobody, ()) == "not believed\n  signature  it does not hold  [identify.bad-signature]"
    assert json.loads(output.who_json(nobody, ()))["facts"] is None


def test_lines_and_tabs_stay_and_orders_to_the_terminal_do_not():
    assert output.plain("a\tb\nc\u00a0\x1b[31m\x07\u202e") == "a\tb\nc\u00a0?[31m??"
