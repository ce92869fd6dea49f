"""Write ``application/vnd.amazon.eventstream``, in which streamed answers of the Lambda API travel. Pure.

A message is: its length and its headers' length (four octets each, big-endian), the CRC-32 of those eight, the
headers, the payload, and the CRC-32 of all before. Botocore reads this format and does not write it, hence ours.
"""

import json
import struct
from collections.abc import Iterator
from typing import Final
from zlib import crc32

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
LARGEST_PIECE: Final = 128 * 1024
"""Octets of a payload chunk; clients refuse messages of more than 16 MB, and begin with what is there."""
_STRING: Final = 7
_OVERHEAD: Final = 16


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """Write one message; headers are texts."""
    head = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", _OVERHEAD + len(head) + len(payload), len(head))
    body = prelude + struct.pack(">I", crc32(prelude)) + head + payload
    return body + struct.pack(">I", crc32(body))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", _STRING, len(text)) + text


def _event(kind: str, content_type: str, payload: bytes) -> bytes:
    return message({":message-type": "event", ":event-type": kind, ":content-type": content_type}, payload)


def chunks(payload: bytes) -> Iterator[bytes]:
    """Write *payload* as payload chunks; nothing makes none."""
    view = memoryview(payload)
    for start in range(0, len(payload), LARGEST_PIECE):
        yield _event("PayloadChunk", "application/octet-stream", bytes(view[start : start + LARGEST_PIECE]))


def complete(
    *, error_code: str | None = None, error_details: str | None = None, log_result: str | None = None
) -> bytes:
    """Write the message that ends a stream; what is None is left out."""
    told = {"ErrorCode": error_code, "ErrorDetails": error_details, "LogResult": log_result}
    payload = json.dumps({key: value for key, value in told.items() if value is not None}).encode()
    return _event("InvokeComplete", "application/json", payload)
