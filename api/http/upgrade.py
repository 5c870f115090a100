"""Requests that ask for another protocol (`Upgrade: h2c`, `Upgrade: websocket`). A server may answer them in HTTP/1.1
(RFC 9110, 7.8), and this one always does. The parser stops after such a head, even where a body follows; the body is
read by a second parser, which is told how long it is."""

from collections.abc import Sequence

FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
"""The headers that say where a request ends, and whether another may follow."""
LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")


def head_without_upgrade(http_version: str, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A head after which a parser expects what follows a head with these headers, if it asks for no other protocol."""
    lines = [b"POST / HTTP/" + http_version.encode()]
    for name, value in headers:
        if name == b"connection":
            wanted = [token for token in value.split(b",") if token.strip().lower() != b"upgrade"]
            lines.append(b"connection: " + b",".join(wanted).translate(LINE_ENDS))
        elif name in FRAMING:
            lines.append(name + b": " + value.translate(LINE_ENDS))
    return b"\r\n".join([*lines, b"", b""])
