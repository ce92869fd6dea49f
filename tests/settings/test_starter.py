"""What `actas init` writes is sound from the first minute."""

from actas.settings.checks import check
from actas.settings.reader import read
from actas.settings.starter import example, starter


def test_the_starter_files_pass_the_check_without_a_warning(tmp_path, around):
    for name, text in starter().items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    loaded = check(read(tmp_path / "actas.yaml"), around)

    assert loaded.mistakes == ()
    assert loaded.usable().rules[0].id == "staff-say-hello"


def test_the_starter_function_runs(tmp_path):
    made = {}
    exec(starter()["functions/hello.py"], made)

    assert made["handler"]({"pathParameters": {"name": "Ana"}}, None) == {"message": "hello, Ana"}
    assert made["handler"]({}, None) == {"message": "hello, world"}


def test_the_example_is_the_settings_file_of_the_starter():
    assert example() == starter()["actas.yaml"]
