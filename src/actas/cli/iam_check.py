"""``actas iam check``: everything there is to say about policy files."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from actas import iam
from actas.cli import DENIED, DONE, iam_findings
from actas.cli.iam_errors import TwoForms
from actas.cli.iam_files import KindName, content, guess


def check(
    files: Annotated[tuple[Path, ...], Parameter(negative=(), allow_leading_hyphen=True)],
    /,
    *,
    kind: KindName | None = None,
    depth: Literal["grammar", "catalogue", "advice"] = "advice",
    stored: bool = False,
    fail_on: Literal["error", "warning", "suggestion"] = "error",
    json: bool = False,
    sarif: bool = False,
    github: bool = False,
) -> int:
    """Say everything about policy files: what AWS refuses, what cannot match anything, what is unwise.

    Ends with 0 where nothing of the severity --fail-on was found, with 1 where it was.

    Examples:
        actas iam check policies/*.json
        actas iam check trust.json --kind trust --fail-on warning
        actas iam check policies/*.json --sarif > iam.sarif
        aws iam get-role-policy ... | actas iam check -

    Parameters
    ----------
    files:
        The policies; - reads standard input.
    kind:
        What the policies are attached to; by default guessed from what the statements name.
    depth:
        How deep to look: AWS's grammar, then its catalogue of actions and keys, then advice.
    stored:
        The policies are in AWS already, which takes old ones that it would refuse as new.
    fail_on:
        The least severity that makes the command end with 1.
    json:
        Print one JSON object a finding.
    sarif:
        Print a SARIF 2.1.0 log.
    github:
        Print annotations for a GitHub workflow.
    """
    forms = tuple(name for name, wanted in (("--json", json), ("--sarif", sarif), ("--github", github)) if wanted)
    if len(forms) > 1:
        raise TwoForms(found=forms)
    checked = [_checked(file, kind, depth, stored=stored) for file in files]
    if sarif:
        print(iam_findings.sarif(checked))
    elif json or github:
        shown = iam_findings.json_lines(checked) if json else iam_findings.github(checked)
        print(shown, end="\n" if shown else "")
    else:
        print(iam_findings.text(checked, colour=sys.stdout.isatty()))
    least = iam_findings.RANKS[fail_on]
    found = (finding.severity for one in checked for finding in one.findings)
    return DENIED if any(iam_findings.RANKS[severity] >= least for severity in found) else DONE


def _checked(
    file: Path, kind: KindName | None, depth: Literal["grammar", "catalogue", "advice"], *, stored: bool
) -> iam_findings.Checked:
    document = content(file)
    of = guess(document) if kind is None else iam.Kind(kind)
    return iam_findings.Checked(
        file=str(file),
        kind=of.value,
        text=document.decode(errors="replace"),
        findings=iam.validate(document, kind=of, depth=depth, stored=stored),
    )
