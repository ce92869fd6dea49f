"""``actas configure aws``: a profile by which AWS's own tools take a role through the gateway."""

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cyclopts import App

from actas import private_files
from actas.cli import DONE, output
from actas.cli.aws.errors import BadProfile, NotOneLine, ProfileTaken
from actas.cli.aws.options import Options
from actas.cli.aws.taking import Purse
from actas.cli.errors import BadFile, CannotWrite

MARK: Final = "# written by actas configure aws"
_HEADER = re.compile(r"^\s*\[(?P<name>[^\]]*)\]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

app = App(
    name="configure",
    help="""Let other tools work through the gateway.

    For example:
        actas configure aws --role reader --as ana
    """,
)


@app.command
def aws(
    *,
    options: Options,
    profile: str | None = None,
    config: Path | None = None,
    json: bool = False,
) -> int:
    """Write a profile into AWS's config file: credentials by 'actas credentials', STS and Lambda at the gateway.

    Any SDK and the AWS CLI take the role by it, unmodified: nothing is pasted, no key lies in a file. The rest of the
    file stays as it is; a profile that somebody else wrote is left alone.

    For example:
        actas configure aws --role reader --as ana
        aws --profile actas-reader lambda list-functions
        actas configure aws --role arn:aws:iam::111122223333:role/reader --profile corp-reader

    Parameters
    ----------
    profile:
        The profile's name; by default actas- and the role's name.
    config:
        The file; by default what AWS_CONFIG_FILE names, else ~/.aws/config.
    json:
        Print one JSON object.
    """
    found = options.purse()
    name = profile or f"actas-{found.wanted.role.rpartition('/')[2]}"
    if not _PROFILE.fullmatch(name):
        raise BadProfile(found=name)
    file = (config or Path(os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config")).expanduser().resolve()
    process = _process(options, found)
    _write(file, with_sections(_text(file), name, sections(name, found, process), file=file))
    if json:
        print(output.json_line({"profile": name, "file": str(file)}))
    else:
        print(f"profile {name} is in {file}; try: aws --profile {name} sts get-caller-identity")
    return DONE


def sections(name: str, found: Purse, process: str) -> dict[str, list[str]]:
    """Give the sections of a profile by their headers."""
    lines = [f"credential_process = {process}", f"services = {name}"]
    if found.region is not None:
        lines.insert(1, f"region = {found.region}")
    services = ["sts =", f"  endpoint_url = {found.wanted.control}"]
    if found.public is not None:
        services += ["lambda =", f"  endpoint_url = {found.public}"]
    return {f"profile {name}": lines, f"services {name}": services}


def with_sections(text: str, profile: str, wanted: Mapping[str, list[str]], *, file: Path) -> str:
    """Put sections into a config file, instead of those that we wrote before; nothing else is touched."""
    end = "\r\n" if "\r\n" in text else "\n"
    kept: list[str] = []
    ours: list[str] | None = None
    for line in [*text.replace("\r\n", "\n").split("\n"), "[]"]:
        header = _HEADER.match(line)
        if header is not None:
            kept += _next_ones(ours, profile, file)
            ours = [] if _meant(header["name"]) in wanted else None
        elif ours is not None:
            ours.append(line)
        if ours is None:
            kept.append(line)
    while len(kept) > 1 and not kept[-2].strip():
        del kept[-2]
    lines = kept[:-1]
    for header_text, body in wanted.items():
        lines += ["", f"[{header_text}]", MARK, *body]
    return end.join(lines).removeprefix(end) + end


def _meant(header: str) -> str:
    """Name a section as SDKs understand its header: quotes and spaces do not tell names apart, and default is two."""
    try:
        words = shlex.split(header)
    except ValueError:
        words = header.split()
    return "profile default" if words == ["default"] else " ".join(words)


def _next_ones(body: list[str] | None, profile: str, file: Path) -> list[str]:
    """Give what stands at the end of a section of ours and is about the next one: its comments."""
    if body is None:
        return []
    if body[:1] != [MARK]:
        raise ProfileTaken(profile=profile, file=file)
    first = len(body)
    while first > 0 and (not body[first - 1].strip() or body[first - 1].lstrip().startswith(("#", ";"))):
        first -= 1
    found = body[max(first, 1) :]
    return found if any(line.strip() for line in found) else []


def _process(options: Options, found: Purse) -> str:
    """Write the command that gives the credentials, from whatever folder it is run in."""
    mine = Path(sys.argv[0]).resolve()
    command = [str(mine)] if mine.name == "actas" else [sys.executable, "-m", "actas"]
    command.append("credentials")
    place = options.here()
    for option, value in (
        ("--role", options.role if options.gateway is None else found.wanted.role),
        ("--as", found.wanted.who),
        ("--seconds", found.wanted.seconds),
        ("--gateway", options.gateway),
        ("--settings", place.settings.resolve()),
        ("--state", place.state.resolve()),
    ):
        if value is not None:
            if _CONTROL.search(str(value)):
                raise NotOneLine(option=option)
            command += [option, str(value)]
    return shlex.join(command)


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as wrong:
        raise BadFile(file=file, why="it cannot be read as text") from wrong


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        private_files.write(file, text.encode())
    except OSError as wrong:
        raise CannotWrite(file=file, why=wrong.strerror or "the system says no") from wrong
