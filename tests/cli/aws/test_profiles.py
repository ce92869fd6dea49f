"""`actas configure aws`: what it does to a person's config file, and what it leaves alone."""

import configparser
from pathlib import Path

import pytest

from actas.cli.aws.errors import ProfileTaken
from actas.cli.aws.profiles import MARK, with_sections

FILE = Path("config")
WANTED = {"profile p": ["credential_process = x", "services = p"], "services p": ["sts =", "  endpoint_url = y"]}
OURS = f"[profile p]\n{MARK}\ncredential_process = x\nservices = p\n\n[services p]\n{MARK}\nsts =\n  endpoint_url = y\n"


def written(text):
    return with_sections(text, "p", WANTED, file=FILE)


def test_an_empty_file_gets_both_sections():
    assert written("") == OURS


def test_what_others_wrote_stays_as_it_is_with_its_comments():
    before = "# mine\n[default]\nregion = eu-west-1 ; home\n\n[profile q]\noutput = json\n"

    assert written(before) == before + "\n" + OURS


def test_writing_again_changes_nothing():
    once = written("[default]\nregion = eu-west-1\n")

    assert written(once) == once


def test_sections_behind_ours_stay():
    after = written(OURS + "\n[profile q]\noutput = json\n")

    assert "[profile q]\noutput = json\n" in after
    assert after.count("[profile p]") == after.count("[services p]") == 1


@pytest.mark.parametrize(
    "header", ["[profile p]", "[ profile   p ]", "  [profile p]", '[profile "p"]', "[profile 'p']"]
)
def test_a_profile_that_somebody_else_wrote_is_left_alone(header):
    with pytest.raises(ProfileTaken):
        written(f"{header}\nregion = us-east-1\n")


def test_comments_about_the_section_behind_ours_stay():
    about = "# production, with care\n; ask first\n[profile q]\noutput = json\n"

    after = written(OURS + "\n" + about)

    assert about in after
    assert written(after) == after


@pytest.mark.parametrize("header", ["[default]", "[profile default]"])
def test_the_default_profile_of_somebody_else_is_left_alone_by_either_name(header):
    wanted = {"profile default": ["credential_process = x"]}
    with pytest.raises(ProfileTaken):
        with_sections(f"{header}\nregion = us-east-1\n", "default", wanted, file=FILE)

    assert "[profile default]" in with_sections("[profile q]\n", "default", wanted, file=FILE)


def test_line_ends_and_what_python_takes_for_them_stay():
    before = "[profile q]\r\na = 1\x0c2\u2028\x853\r\n"

    after = written(before)

    assert after.startswith(before)
    assert after.count("\n") == after.count("\r\n")
    assert written(after) == after


def test_a_byte_order_mark_hides_no_profile(at_bench, sts, tmp_path):
    config = tmp_path / "config"
    config.write_bytes(b"\xef\xbb\xbf[profile p]\nregion = us-east-1\n")
    asked = ("configure", "aws", "--role", "staff", "--as", "ana", "--config", config, "--gateway", sts.url)

    assert "cli.profile-taken" in at_bench(*asked, "--profile", "p").err
    assert at_bench(*asked, "--profile", "q").code == 0


def test_a_profile_of_another_name_is_nobody_s_obstacle():
    assert "[profile pp]\nregion" in written("[profile pp]\nregion = us-east-1\n")


def test_a_file_without_a_last_line_end_is_not_run_into():
    found = configparser.ConfigParser()
    found.read_string(written("[default]\nregion = eu-west-1"))

    assert found["default"]["region"] == "eu-west-1"
    assert found["profile p"]["credential_process"] == "x"


def test_the_file_is_written_where_it_is_asked_for(at_bench, sts, tmp_path):
    config = tmp_path / "aws" / "config"

    said = at_bench("configure", "aws", "--role", "staff", "--as", "ana", "--config", config, "--gateway", sts.url)

    assert said.code == 0
    assert f"profile actas-staff is in {config}" in said.out
    found = configparser.ConfigParser()
    found.read(config)
    assert "--role arn:aws:iam::000000000000:role/staff --as ana" in found["profile actas-staff"]["credential_process"]
    assert config.stat().st_mode & 0o777 == 0o600
    assert sts.asked == []


@pytest.mark.parametrize("name", ["a]b", "", "two words", "a\nb"])
def test_a_name_that_would_break_the_file_is_refused(at_bench, sts, tmp_path, name):
    said = at_bench(
        "configure",
        "aws",
        "--role",
        "staff",
        f"--profile={name or ' '}",
        "--config",
        tmp_path / "c",
        "--gateway",
        sts.url,
    )

    assert (said.code, (tmp_path / "c").exists()) == (2, False)


ROLE = "arn:aws:iam::000000000000:role/staff"


@pytest.mark.parametrize(
    "end", ["\n", "\r", "\x1f", "\u2028"], ids=["a line feed", "a return", "a separator", "U+2028"]
)
@pytest.mark.parametrize("option", ["--role", "--as", "--state", "--settings"])
def test_no_option_writes_a_line_of_its_own(at_bench, sts, tmp_path, option, end):
    config = tmp_path / "config"
    value = {"--role": ROLE, "--as": "ana"}.get(option, str(tmp_path / "there"))
    values = {"--role": ROLE, "--as": "ana", option: f"{value}{end}[profile evil]"}
    given = [one for pair in values.items() for one in pair]

    said = at_bench("configure", "aws", *given, "--gateway", sts.url, "--profile", "p", "--config", config)

    assert (said.code, "cli.not-one-line" in said.err, config.exists()) == (2, True, False)


def test_an_option_of_one_line_is_written_quoted(at_bench, sts, tmp_path):
    config = tmp_path / "config"

    said = at_bench(
        "configure", "aws", "--role", ROLE, "--as", "[profile evil]", "--gateway", sts.url,
        "--profile", "p", "--config", config,
    )  # fmt: skip

    assert said.code == 0
    assert "--as '[profile evil]'" in config.read_text()
