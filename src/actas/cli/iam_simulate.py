"""``actas iam simulate`` and ``actas iam explain``: policies tried before anybody depends on them."""

from pathlib import Path

from actas import iam
from actas.cli import DENIED, DONE
from actas.cli.errors import BadFile
from actas.cli.iam_ask import Asked, Policies, explained_text, layers, policy_set, request, verdict_text
from actas.cli.iam_files import json_line, plain

_NO_POLICIES, _NOTHING = Policies(), Asked()


def simulate(
    *,
    policies: Policies = _NO_POLICIES,
    asked: Asked = _NOTHING,
    table: Path | None = None,
    junit: Path | None = None,
    json: bool = False,
) -> int:
    """Decide a request as AWS does, or every request of a table. Nothing is asked of AWS.

    Ends with 0 where the request is allowed, or every expectation of the table holds; with 1 where not.

    Examples:
        actas iam simulate --policy finance.json --principal arn:aws:iam::111122223333:user/ana
            --action s3:GetObject --resource arn:aws:s3:::finance/report
        actas iam simulate --policy reader.json --scp root.json --scp team.json,more.json ...
        actas iam simulate --policy reader.json ... --context aws:PrincipalTag/team=finance
        actas iam simulate --table requests.yaml --junit report.xml

    Parameters
    ----------
    policies:
        The policies.
    asked:
        The request.
    table:
        A YAML or JSON file of requests with expectations; docs/iam-commands.md shows the form.
    junit:
        Write a JUnit report of the table to this file.
    json:
        Print one JSON object, or one for each request of the table.
    """
    if table is not None:
        return _table(table, policies, junit, json=json)
    decision = iam.evaluate(request(asked), policy_set(layers(policies)))
    print(json_line(_data(decision)) if json else plain(verdict_text(decision)))
    return DONE if decision.allowed else DENIED


def explain(*, policies: Policies = _NO_POLICIES, asked: Asked = _NOTHING, json: bool = False) -> int:
    """Decide a request and say why: each layer, its statements, the near misses, and what would turn the answer.

    Ends with 0 where the request is allowed and with 1 where it is not.

    Examples:
        actas iam explain --policy finance.json --principal arn:aws:iam::111122223333:user/ana
            --action s3:GetObject --resource arn:aws:s3:::finance/report
        actas iam explain --trust trust.json --principal lambda.amazonaws.com --action sts:AssumeRole
            --resource arn:aws:iam::111122223333:role/reader

    Parameters
    ----------
    policies:
        The policies.
    asked:
        The request.
    json:
        Print one JSON object; docs/libraries/iam.md describes it.
    """
    decision = iam.evaluate(request(asked), policy_set(layers(policies)))
    print(json_line(decision.to_json()) if json else plain(explained_text(decision)))
    return DONE if decision.allowed else DENIED


def _data(decision: iam.Decision) -> dict[str, object]:
    return {
        "effect": decision.effect,
        "allowed": decision.allowed,
        "missing": decision.missing,
        "message": decision.access_denied_message(),
        "matched": [ref.to_json() for ref in decision.matched],
    }


def _table(file: Path, given: Policies, report: Path | None, *, json: bool) -> int:
    from actas.cli import iam_table
    from actas.cli.junit import junit

    table = iam_table.read(file)
    having = policy_set(iam_table.joined(table.policies, layers(given), file.parent))
    tried = []
    for row in table.requests:
        try:
            tried.append(iam_table.try_out(row, table.defaults, having))
        except (ValueError, iam.IamError) as wrong:
            raise BadFile(file=file, why=f"{row.says}: {wrong}") from wrong
    for one in tried:
        print(json_line(iam_table.data(one)) if json else plain(iam_table.text(one)))
    if report is not None:
        report.write_text(junit(file.name, [(one.row.says, one.wrong) for one in tried]), encoding="utf-8")
    failed = sum(bool(one.wrong) for one in tried)
    if not json:
        print(f"{len(tried) - failed} passed, {failed} failed")
    return DENIED if failed else DONE
