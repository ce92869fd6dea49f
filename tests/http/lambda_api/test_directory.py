"""Which function a name means, among functions that run here and in AWS."""

import pytest

from actas.http.lambda_api.directory import Directory
from actas.http.lambda_api.names import function_name
from actas.settings.schema import Function

HERE, AWS = "arn:aws:lambda:eu-west-1:111122223333:function", "arn:aws:lambda:us-east-1:444455556666:function"
ARNS = {
    "report": f"{HERE}:report:$LATEST",
    "bills": f"{AWS}:billing:PROD",
    "bills-test": f"{AWS}:billing:TEST",
    "bills-again": f"{AWS}:billing:TEST",
    "twin": f"{AWS}:twin:$LATEST",
    "twin-there": f"{AWS}:twin:$LATEST".replace("us-east-1", "eu-west-1"),
}
DIRECTORY = Directory(
    {name: Function() for name in ARNS}, list(ARNS.items()), region="eu-west-1", account="111122223333"
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("report", "report"),
        ("report:$LATEST", "report"),
        ("report:1", None),
        ("111122223333:function:report", "report"),
        ("111122223333:function:report:$LATEST", "report"),
        ("444455556666:function:report", None),
        (f"{HERE}:report", "report"),
        (f"{HERE}:report".replace("eu-west-1", "eu-west-2"), None),
        (f"{HERE}:report".replace("aws", "aws-cn"), None),
        ("bills", "bills"),
        ("bills:PROD", "bills"),
        ("bills:TEST", None),
        ("bills:$LATEST", None),
        ("billing", None),
        ("444455556666:function:billing:PROD", "bills"),
        ("444455556666:function:billing", None),
        ("444455556666:function:bills:PROD", None),
        (f"{AWS}:billing:TEST", "bills-test"),
        (f"{AWS}:billing", None),
        (f"{AWS}:twin", "twin"),
        ("444455556666:function:twin", None),
        ("nothing", None),
    ],
)
def test_a_name_means_one_function_or_none(text, found):
    known = DIRECTORY.find(function_name(text))

    assert (known and known.name) == found


@pytest.mark.parametrize(
    ("text", "arn"),
    [
        ("report", f"{HERE}:report"),
        ("report:7", f"{HERE}:report:7"),
        ("bills", f"{AWS}:billing"),
        ("nothing", f"{HERE}:nothing"),
        ("444455556666:function:nothing", f"{HERE}:nothing".replace("111122223333", "444455556666")),
        (f"{AWS}:nothing:x", f"{AWS}:nothing:x"),
    ],
)
def test_the_arn_that_is_told_is_the_one_that_was_asked_for(text, arn):
    assert DIRECTORY.arn(function_name(text)) == arn
