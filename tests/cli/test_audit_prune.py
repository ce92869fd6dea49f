"""``actas audit prune``, and where the commands find a trail."""

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from actas.audit import Audit, read, segments
from actas.audit.records import Reloaded
from actas.settings.schema import Audit as Settings
from actas.settings.schema import Jsonl
from actas.settings.values import Size

OLD = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def house(tmp_path):
    """Make a folder with settings and a trail of five days that are long ago."""

    def make(**audit):
        (tmp_path / "f.py").write_text("def handler(event, context):\n    return event\n")
        wanted = {
            "gateway": {"isolation": "weak"},
            "providers": {"corp": {"preset": "oidc", "issuer": "https://idp.example", "audience": "actas"}},
            "functions": {"hello": {"python": "f.py:handler"}},
            "rules": [{"id": "all", "who": {"provider": "corp"}, "may": ["hello"]}],
            "audit": audit,
        }
        (tmp_path / "actas.yaml").write_text(yaml.safe_dump(wanted))
        path = audit.get("jsonl", {}).get("path")
        days = iter(OLD + number * timedelta(days=1) for number in range(5))
        at = next(days)
        one = Audit(
            Settings(reserve=Size(0), jsonl=Jsonl(path=path, segment=Size(400))),
            tmp_path / ".actas",
            lambda: at,
            base=tmp_path,
        )
        one._open(0)
        for at in days:
            one._sink.write((Reloaded(at=at, generation="0123456789abcdef" * 4),))
        one._sink.checkpoint(at)
        one._sink.close()
        return one.folder

    return make


def test_what_would_go_is_said_first_and_then_goes(actas, house, tmp_path):
    folder = house()
    asked = ("audit", "prune", "--before", "2020-01-03T12:00:00Z")

    would = actas(*asked, "--dry-run", folder=tmp_path)
    before = len(segments.listed(folder))
    did = actas(*asked, folder=tmp_path)
    again = actas(*asked, folder=tmp_path)

    assert (would.code, did.code, again.code) == (0, 0, 0)
    assert would.out.startswith("would prune 2 segments, records 1 to ")
    assert did.out == would.out.replace("would prune", "pruned")
    assert again.out == "no whole segment is that old\n"
    assert before - len(segments.listed(folder)) in {1, 2}  # the record of it may begin a segment
    assert actas("audit", "verify", folder=tmp_path).out.startswith("holds\n")


def test_it_is_told_as_data(actas, house, tmp_path):
    house()
    asked = ("audit", "prune", "--before", "2020-01-03T12:00:00Z", "--json")

    would = actas(*asked, "--dry-run", folder=tmp_path).data
    did = actas(*asked, folder=tmp_path).data

    assert (would["pruned"], did["pruned"]) == (0, 2)
    assert (did["segments"], did["first"], did["before"]) == (
        ["000001.jsonl", "000002.jsonl"],
        1,
        "2020-01-03T12:00:00Z",
    )
    assert actas(*asked, folder=tmp_path).data == {"pruned": 0, "dry_run": False}
    verified = actas("audit", "verify", "--json", folder=tmp_path).data
    assert (verified["holds"], verified["first"], verified["pruned"]["seq"]) == (True, did["last"] + 1, did["last"])
    shown = actas("audit", "export", folder=tmp_path).lines
    assert [one["segment"] for one in shown if one["type"] == "pruned"] == [2]


def test_the_settings_say_how_long_records_are_kept(actas, house, tmp_path):
    folder = house(keep="30d", archive="archive")
    before = [path.name for path in segments.listed(folder)]

    said = actas("audit", "prune", folder=tmp_path)

    assert said.code == 0
    assert [path.name for path in segments.listed(tmp_path / "archive")] == before[:-1]
    verified = actas("audit", "verify", "--archive", "archive", folder=tmp_path)
    assert (verified.code, verified.out.startswith("holds\n")) == (0, True)
    assert read.verify_folder(folder, archive=tmp_path / "archive").first == 1


def test_somebody_must_say_how_old_it_has_to_be(actas, house, tmp_path):
    folder = house()
    before = len(segments.listed(folder))

    said = actas("audit", "prune", folder=tmp_path)

    assert (said.code, len(segments.listed(folder))) == (2, before)
    assert said.err.startswith("error[cli.nothing-says-when]: ")


def test_a_trail_that_does_not_hold_is_left_alone(actas, house, tmp_path):
    folder = house(keep="30d")
    segments.listed(folder)[1].unlink()
    before = len(segments.listed(folder))

    said = actas("audit", "prune", folder=tmp_path)

    assert said.err.startswith("error[audit.not-pruned]: ")
    assert len(segments.listed(folder)) == before
    assert actas("audit", "verify", folder=tmp_path).code == 1


def test_a_trail_is_found_where_the_settings_have_it(actas, house, tmp_path):
    folder = house(jsonl={"path": "elsewhere/trail"})

    assert folder == tmp_path / "elsewhere" / "trail"
    assert actas("audit", "verify", folder=tmp_path).out.startswith("holds\n")
    assert len(actas("audit", "tail", "3", "--json", folder=tmp_path).lines) == 3
    assert actas("audit", "tail", "0", folder=tmp_path).code == actas("audit", "tail", "-3", folder=tmp_path).code == 2
