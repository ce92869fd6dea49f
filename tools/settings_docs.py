"""Write what the documentation takes from the settings' schema: docs/actas.schema.json and the tables of keys."""

import sys
from pathlib import Path

from actas.settings.catalogue import table as mistakes_table
from actas.settings.jsonschema import schema_json
from actas.settings.reference import table as keys_table

DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- made by tools/settings_docs.py: begin -->\n", "<!-- made by tools/settings_docs.py: end -->\n"


def filled(text: str, table: str) -> str:
    """Put *table* between the marks of *text*."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        sys.exit("the page has lost its marks")
    return f"{before}{BEGIN}{table}{END}{after}"


def main() -> None:
    (DOCS / "actas.schema.json").write_text(schema_json(), encoding="utf-8")
    for name, table in (("settings.md", keys_table()), ("settings-mistakes.md", mistakes_table())):
        page = DOCS / name
        page.write_text(filled(page.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main()
