"""`evaluate` and `compile` against a slow evaluator that was written apart from them, over random policies."""

import base64
import ipaddress
import operator
import os
import random
import re
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from actas import iam

ROLE = "arn:aws:iam::111122223333:role/reader"
SESSION = "arn:aws:sts::111122223333:assumed-role/reader/ana"
USER = "arn:aws:iam::111122223333:user/staff/ben"
ROOT = "arn:aws:iam::111122223333:root"
FEDERATED = "arn:aws:sts::111122223333:federated-user/chidi"
SERVICE = "events.amazonaws.com"
CALLERS = [ROLE, SESSION, USER, ROOT, FEDERATED, SERVICE, iam.ANONYMOUS]
RESOURCES = [
    "arn:aws:lambda:eu-west-1:444455556666:function:f",
    "arn:aws:s3:::bucket/a",
    "arn:aws:s3:::bucket/*",
    "arn:aws:kms:eu-west-1:111122223333:key/k",
    "arn:aws:iam::111122223333:role/reader",
    "arn:aws:lambda:eu-west-1:444455556666:function:f:1",
    "*",
]
PATTERNS = [
    "*",
    "arn:aws:s3:::bucket/a",
    "arn:aws:s3:::bucket/?",
    "arn:aws:s3:::*/a",
    "arn:aws:s3:::bucket/${team:name}",
    "arn:aws:s3:::bucket/${team:none, 'a'}",
    "arn:aws:s3:::bucket/${*}",
    "arn:aws:kms",
    "arn:aws:kms:*:111122223333:key/*",
    "arn:aws:iam::111122223333:role/reader",
    "arn:aws:lambda:*:444455556666:function:*",
    "arn:aws:lambda:*:function:f",
    "arn:aws:lambda:*:f:1",
    "arn:aws:lambda:e*1:f:*",
    "arn:aws:lambda:e?-w*t-1:*:function:*",
    "arn:aws:lam*a:*:*:*",
]
ACTIONS = ["s3:GetObject", "S3:getobject", "s3:PutObject", "kms:Decrypt", "sts:AssumeRole", "lambda:InvokeFunction"]
ACTION_PATTERNS = [*ACTIONS, "*", "s3:*", "s3:Get*", "s3:?etObject", "kms:*", "sts:Assume*"]
KEYS = ["team:name", "Team:Level", "team:ip", "team:at", "team:mfa", "team:arn", "aws:PrincipalArn", "aws:username"]
TEXTS = [
    "a",
    "A",
    "b*",
    "b?",
    "*",
    "",
    "7",
    "7.0",
    "-1.5",
    "10.1.2.3",
    "10.0.0.0/8",
    "2001:db8::1",
    "2001:db8::/32",
    "2026-03-14T23:00:00Z",
    "1773529200",
    "true",
    "False",
    "YQ==",
    "arn:aws:s3:::bucket/a",
    "arn:aws:s3:::*",
    "arn:aws:*:::bucket/?",
    ROLE,
    "${team:name}",
    "x${team:none, 'y'}",
    "${$}{a}",
    "ben",
]
FOUND = [text for text in TEXTS if "$" not in text]
DATES = ["2026-03-14T23:00:00Z", "1773529200", "2026-03-14", "2030", "0"]
ABSENT = object()


class Many(list):
    """A list of the request."""


def glob(pattern, text):
    return re.fullmatch("".join(pattern), text, re.DOTALL) is not None


def tokens(text, facts, variables, *, opened=False):
    """A regular expression, piece by piece; None without a value, UNKNOWN with an unknown one, unless *opened*."""
    pieces, unknown = [], False
    expression = r"\$\{([*?$])\}|\$\{\s*([^{}',\s]+)\s*(?:, *'([^'}]*)')? *\}|(\*)|(\?)|(.)"
    plain = r"(?!)()()()|(\*)|(\?)|(.)"
    for found in re.finditer(expression if variables else plain, text, re.DOTALL):
        literal, key, default, star, one, other = found.groups()
        if key:
            value = facts.get(key.lower(), ABSENT)
            value = value[0] if isinstance(value, Many) and len(value) == 1 else value
            value = default if value is ABSENT and default is not None else value
            none = value is ABSENT or isinstance(value, Many)
            if none and not opened:
                return None
            unknown = unknown or (value is iam.UNKNOWN and not opened)
            pieces.append(".*" if none or value is iam.UNKNOWN else re.escape(written(value)))
        elif literal or other:
            pieces.append(re.escape(literal or other))
        else:
            pieces.append(".*" if star else "." if one else "")
    return iam.UNKNOWN if unknown else pieces


def written(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def arn_parts(pieces):
    parts = [[]]
    for piece in pieces:
        for place, cut in enumerate(re.split(":", piece) if len(parts) < 6 else [piece]):
            if place and len(parts) < 6:
                parts.append([])
            elif place:
                parts[-1].append(":")
            parts[-1].append(cut)
    return parts


def segments(pieces, text):
    parts, found = arn_parts(pieces), text.split(":", 5)
    return all(glob(one, other) for one, other in zip(parts, found, strict=True))


def resource_matches(pattern, resource, facts, variables, *, excluding=False):
    """*excluding*: a variable without a value may stand for anything, else for nothing."""
    if pattern == "*":
        return True
    head, tail = pattern, ""
    if variables and pattern.count(":") >= 5:
        cut = [match.end() for match in re.finditer(":", pattern)][4]
        head, tail = pattern[:cut], pattern[cut:]
    if pattern.count(":") < 5:
        head, tail = pattern + ":*" * (5 - pattern.count(":")), ""
    plain, rest = tokens(tail, facts, variables), tokens(tail, facts, variables, opened=True)
    if plain is None and not excluding:
        return False
    parts = head.split(":", 5)
    pieces = [re.escape(":").join(early_part(part) for part in parts[:5]), ":", *tokens(parts[5], facts, False), *rest]
    return (None if plain is iam.UNKNOWN else True) if glob(pieces, resource) else False


def early_part(part):
    """Wildcards stay in their part, but for a star at its end."""
    text = re.escape(part).replace(r"\*", "[^:]*").replace(r"\?", "[^:]")
    return re.sub(r"\[\^:\]\*$", ".*", text)


def number(value):
    text = written(value)
    return Fraction(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) and not isinstance(value, bool) else None


def date(value):
    text = written(value)
    if re.fullmatch(r"\d{4}", text):
        return datetime(int(text), 1, 1, tzinfo=UTC)
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    try:
        return datetime.fromisoformat(text if "T" in text else text + "T00:00:00Z")
    except ValueError:
        return None


def address(value):
    try:
        return ipaddress.ip_address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def network(value):
    try:
        return ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None


def boolean(value):
    return {"true": True, "false": False}.get(written(value).lower())


def binary(value):
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except ValueError:
        return None


def typed(read_found, read_wanted, holds, negated):
    def compare(found, wanted, _facts, _variables):
        one, other = read_found(found), read_wanted(wanted)
        if one is None or other is None:
            return False
        return holds(one, other) is not negated

    return compare


def texts(holds, negated):
    def compare(found, wanted, facts, variables):
        pieces = tokens(wanted, facts, variables)
        if pieces is iam.UNKNOWN:
            return None
        return negated if pieces is None else holds(pieces, wanted, written(found)) is not negated

    return compare


def like(pieces, _wanted, found):
    return glob(pieces, found)


def arn(negated):
    def compare(found, wanted, facts, variables):
        if not isinstance(found, str) or not found.startswith("arn:") or found.count(":") < 5:
            return False
        pieces = tokens(wanted, facts, variables)
        if pieces is iam.UNKNOWN:
            return None
        if pieces is None:
            return negated
        if "".join(pieces) != ".*" and (len(arn_parts(pieces)) < 6 or "".join(arn_parts(pieces)[0]) != "arn"):
            return False
        return ("".join(pieces) == ".*" or segments(pieces, found)) is not negated

    return compare


def literal(fold):
    def compare_for(negated):
        def compare(found, wanted, facts, variables):
            if variables:
                pieces = tokens(wanted.replace("*", "${*}").replace("?", "${?}"), facts, True)
            else:
                pieces = [re.escape(wanted)]
            if pieces is iam.UNKNOWN:
                return None
            if pieces is None:
                return negated
            wanted_text = re.sub(r"\\(.)", r"\1", "".join(pieces), flags=re.DOTALL)
            return (fold(wanted_text) == fold(written(found))) is not negated

        return compare

    return compare_for


same, folded = literal(str), literal(str.lower)
OPERATORS = {
    "StringEquals": (same(False), False),
    "StringNotEquals": (same(True), True),
    "StringEqualsIgnoreCase": (folded(False), False),
    "StringNotEqualsIgnoreCase": (folded(True), True),
    "StringLike": (texts(like, False), False),
    "StringNotLike": (texts(like, True), True),
    "ArnLike": (arn(False), False),
    "ArnEquals": (arn(False), False),
    "ArnNotLike": (arn(True), True),
    "ArnNotEquals": (arn(True), True),
    "Bool": (typed(boolean, boolean, operator.eq, False), False),
    "BinaryEquals": (typed(binary, binary, operator.eq, False), False),
    "IpAddress": (typed(address, network, lambda a, n: a in n, False), False),
    "NotIpAddress": (typed(address, network, lambda a, n: a in n, True), True),
}
for prefix, read in (("Numeric", number), ("Date", date)):
    for suffix, holds in (
        ("Equals", operator.eq),
        ("LessThan", operator.lt),
        ("LessThanEquals", operator.le),
        ("GreaterThan", operator.gt),
        ("GreaterThanEquals", operator.ge),
    ):
        OPERATORS[prefix + suffix] = (typed(read, read, holds, False), False)
    OPERATORS[prefix + "NotEquals"] = (typed(read, read, operator.eq, True), True)


def either(truths):
    truths = list(truths)
    return True if True in truths else None if None in truths else False


def both(truths):
    truths = list(truths)
    return False if False in truths else None if None in truths else True


def condition_holds(name, key, wanted, facts, variables):
    quantifier, _, rest = name.rpartition(":")
    value = facts.get(key.lower(), ABSENT)
    listed = list(value) if isinstance(value, Many) else [value]
    if rest == "Null":
        if all(item is iam.UNKNOWN for item in listed):
            return None
        return either(boolean(text) is (value is ABSENT) for text in wanted)
    compare, negated = OPERATORS[rest.removesuffix("IfExists")]
    if value is ABSENT and rest.endswith("IfExists") and quantifier != "ForAllValues":
        return True

    def one(item):
        if item is iam.UNKNOWN:
            return None
        return (both if negated else either)(compare(item, text, facts, variables) for text in wanted)

    if quantifier == "ForAllValues":
        return True if value is ABSENT or value == "" else both(one(item) for item in listed)
    if quantifier == "ForAnyValue":
        return False if value is ABSENT else either(one(item) for item in listed)
    if value is ABSENT:
        return negated
    if len(listed) > 1:
        return None if iam.UNKNOWN in listed else False
    return one(listed[0])


def names_of(caller):
    names = {caller: 3}
    if caller.startswith("arn:"):
        account = caller.split(":")[4]
        names |= {account: 1, f"arn:aws:iam::{account}:root": 1}
        if caller == ROOT:
            names[ROOT] = 3
    if caller in (SESSION, ROLE):
        names[ROLE] = 2
        names["arn:aws:iam::111122223333:role/path/reader"] = 2 if caller == SESSION else 0
    return names


def meeting(statement, caller):
    if "NotPrincipal" in statement:
        listed = statement["NotPrincipal"]
        if listed == "*":
            return 0
        wanted = {name for names in listed.values() for name in names}
        if statement["Effect"] == "Allow" or not caller.startswith("arn:"):
            return 0 if any(name in wanted for name, how in names_of(caller).items() if how) else 3
        account = caller.split(":")[4]
        every = [{account, f"arn:aws:iam::{account}:root"}]
        if caller != ROOT:
            every.append({caller})
        if caller == SESSION:
            every.append({ROLE, "arn:aws:iam::111122223333:role/path/reader"})
        return 0 if all(names & wanted for names in every) else 3
    if "Principal" not in statement or statement["Principal"] == "*":
        return 3
    wanted = [name for names in statement["Principal"].values() for name in names]
    return max([names_of(caller).get(name, 0) for name in wanted] + [3 if "*" in wanted else 0])


def statement_holds(statement, request, facts, variables):
    negated = "NotAction" in statement
    action = any(
        glob(tokens(pattern.lower(), {}, False), request["action"].lower())
        for pattern in statement["NotAction" if negated else "Action"]
    )
    name = "NotResource" if "NotResource" in statement else "Resource"
    excluding = name == "NotResource" and statement["Effect"] == "Allow"
    resource = either(
        resource_matches(p, request["resource"], facts, variables, excluding=excluding) for p in statement[name]
    )
    if name == "NotResource" and resource is not None:
        resource = not resource
    conditions = [
        condition_holds(operator_name, key, wanted, facts, variables)
        for operator_name, keys in statement.get("Condition", {}).items()
        for key, wanted in keys.items()
    ]
    return both([action is not negated, resource, *conditions])


def layer_says(documents, request, facts):
    """(denied, closest meeting of an Allow)."""
    denied, closest = False, 0
    for document in documents:
        for statement in document["Statement"]:
            how = meeting(statement, request["principal"])
            truth = statement_holds(statement, request, facts, document["Version"] == "2012-10-17")
            if not how:
                continue
            if statement["Effect"] == "Deny":
                denied = denied or truth is not False
            elif truth is True:
                closest = max(closest, how)
    return denied, closest


def derived(caller):
    facts = {}
    if caller == iam.ANONYMOUS:
        return {"aws:principaltype": "Anonymous", "aws:principalaccount": "anonymous", "aws:userid": "anonymous"}
    if caller.startswith("arn:"):
        facts["aws:principalarn"] = ROLE if caller == SESSION else caller
    if caller == USER:
        facts["aws:username"] = "ben"
    return facts


def decide(request, layers):
    caller = request["principal"]
    facts = derived(caller)
    for key, value in request["context"].items():
        if value != []:
            facts[key.lower()] = Many(value) if isinstance(value, list) else value
    has_account = caller.startswith("arn:")
    said = {}
    for name, documents in layers.items():
        if documents is None or (not has_account and name not in ("resource", "endpoint", "rcps")):
            continue
        levels = documents if name in ("scps", "rcps") else [documents]
        answers = [layer_says(level, request, facts) for level in levels]
        said[name] = (any(d for d, _ in answers), min([c for _, c in answers], default=3))
    if any(denied for denied, _ in said.values()):
        return "ExplicitlyDenied"
    closest = {name: close for name, (_, close) in said.items()}
    if closest.get("scps", 3) == 0 or closest.get("endpoint", 3) == 0:
        return "ImplicitlyDenied"
    allowed = account_allows(request, closest) if has_account else closest.get("resource", 0) > 0
    return "Allowed" if allowed else "ImplicitlyDenied"


def account_allows(request, closest):
    parts = request["resource"].split(":")
    owner = parts[4] if len(parts) > 5 and parts[4] else "111122223333"
    resource = closest.get("resource", 0)
    named = "key/k" in parts[-1] if request["action"].startswith("kms") else False
    named = named or (request["action"].startswith("sts") and parts[-1].startswith("role/"))
    caller = request["principal"]
    if owner != caller.split(":")[4]:
        return resource > 0 and own_side(closest, caller, False)
    if resource == 3:
        return True
    if named and not resource:
        return False
    return own_side(closest, caller, resource == 2)


def own_side(closest, caller, waived):
    if caller == ROOT:
        return True
    session = closest.get("session", 0 if caller == FEDERATED else 3)
    return (waived or closest.get("identity", 0) > 0) and closest.get("boundary", 3) > 0 and session > 0


def some(dice, values, most=2):
    return dice.sample(values, dice.randint(1, most))


def any_condition(dice):
    base = dice.choice([*OPERATORS, *OPERATORS, "Null"])
    prefix = dice.choice(["", "", "ForAllValues:", "ForAnyValue:"])
    name = prefix + base + ("" if base == "Null" else dice.choice(["", "", "IfExists"]))
    values = DATES if "Date" in name else TEXTS
    return {name: {key: some(dice, values, 3) for key in some(dice, KEYS)}}


def any_principal(dice):
    names = [ROLE, SESSION, USER, ROOT, "111122223333", FEDERATED, "arn:aws:iam::111122223333:role/path/reader"]
    return dice.choice(["*", {"AWS": some(dice, names, 4)}, {"AWS": some(dice, names, 4)}, {"Service": [SERVICE]}])


def any_statement(dice, principals):
    statement = {"Effect": dice.choice(["Allow", "Allow", "Deny"])}
    statement[dice.choice(["Action", "Action", "Action", "NotAction"])] = some(dice, ACTION_PATTERNS)
    statement[dice.choice(["Resource", "Resource", "Resource", "NotResource"])] = some(dice, PATTERNS)
    if principals:
        statement[dice.choice(["Principal", "Principal", "NotPrincipal"])] = any_principal(dice)
    if dice.random() < 0.6:
        statement["Condition"] = any_condition(dice)
    return statement


def any_layer(dice, *, principals=False):
    return [
        {
            "Version": dice.choice(["2012-10-17", "2012-10-17", "2008-10-17"]),
            "Statement": [any_statement(dice, principals) for _ in range(dice.randint(1, 3))],
        }
        for _ in range(dice.randint(0, 2))
    ]


def any_layers(dice):
    layers = {"identity": any_layer(dice)}
    for name in ("resource", "boundary", "session", "endpoint"):
        if dice.random() < 0.4:
            layers[name] = any_layer(dice, principals=name in ("resource", "endpoint"))
    if dice.random() < 0.3:
        layers["scps"] = [any_layer(dice) for _ in range(dice.randint(1, 2))]
    return layers


def any_value(dice):
    scalars = [dice.choice(FOUND), dice.choice(FOUND), dice.choice([True, False]), dice.randint(-2, 9), iam.UNKNOWN]
    return dice.choice([*scalars, *scalars, some(dice, scalars, 3), []])


def any_request(dice):
    keys = [key for key in KEYS if not key.startswith("aws")]
    return {
        "principal": dice.choice(CALLERS),
        "action": dice.choice(ACTIONS),
        "resource": dice.choice(RESOURCES),
        "context": {key: any_value(dice) for key in some(dice, keys, 5)},
    }


KINDS = {"resource": "resource", "boundary": "boundary", "session": "session", "scps": "scp", "endpoint": "endpoint"}


def parsed(layers):
    def policies(name, found):
        kind = iam.Kind(KINDS.get(name, "identity"))
        return tuple(iam.Policy.parse(document, kind=kind, stored=True) for document in found)

    return iam.PolicySet(
        **{
            name: tuple(policies(name, level) for level in found) if name == "scps" else policies(name, found)
            for name, found in layers.items()
        }
    )


CASES = int(os.environ.get("ACTAS_IAM_CASES", "2000"))


@pytest.mark.parametrize("seed", range(4))
def test_evaluate_and_compile_agree_with_the_slow_reference(seed):
    dice = random.Random(seed)

    for _ in range(CASES // 4):
        asked, layers = any_request(dice), any_layers(dice)
        policies, request = parsed(layers), iam.Request(**asked)
        expected = decide(asked, layers)
        slow, quick = iam.evaluate(request, policies), iam.compile(policies)(request)
        assert (slow.effect, quick.effect) == (expected, expected), (asked, layers)
        assert sorted(map(str, quick.matched)) == sorted(map(str, counted(slow)))


def counted(decision):
    """The statements of the layers that have a say about the caller."""
    if decision.request.principal.startswith("arn:"):
        return decision.matched
    return tuple(r for layer in decision.layers if layer.name in ("resource", "endpoint") for r in layer.matched)
