"""Signed verdicts: what the gate found about an artifact, so that a promotion need not believe an edited card.

A gate signs with its Ed25519 key (RFC 8032). The statement names the artifact, the data, the look in the ledger and the
judgement by their digests, and stands in a file of its own beside graph and card, whose bytes it does not change. A
promotion knows the public keys that it trusts: a text file with one key a line. A gate that makes a new key adds it to
that file, so that on one machine nothing needs to be set up; elsewhere an operator copies the line.
"""

import base64
import binascii
import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from coach_model.onnx_policy import OnnxPolicy
from coach_model.regular_files import check_regular, read_regular_text

VERDICT_FILE = "verdict.json"
KEY = Path("var/gate-key.pem")
TRUSTED = Path("var/gate-trusted.txt")
KIND = "ed25519"


class NotSigned(ValueError):
    """The artifact has no verdict that a trusted gate has signed for just this artifact; the message says why."""


@dataclass(frozen=True)
class Statement:
    """What a gate signs."""

    verdict: str
    policy_id: str
    graph: str
    """SHA-256 of the graph."""
    card: str
    """SHA-256 of the card, with the judgement and its reasons (`digest_of`)."""
    dataset: str
    """Digest of the data."""
    look: int
    ledger_entry: str
    """SHA-256 of the look in the ledger, with its verdict."""
    synthetic: bool
    at: str
    """Time of the look."""


def digest_of(document: Any) -> str:
    """SHA-256 of a JSON document, in a form that does not depend on the order of its members."""
    return hashlib.sha256(_canonical(json.loads(json.dumps(document)))).hexdigest()


def signing_key(file: Path = KEY, trusted: Path = TRUSTED) -> Ed25519PrivateKey:
    """The gate's private key. A new one is made if there is none, and is trusted from then on. Several processes may
    call it at once. Raises ValueError for a file that holds no such key."""
    with contextlib.suppress(FileNotFoundError):
        return _read_key(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    made = Ed25519PrivateKey.generate()
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".gate-key-") as new:  # only its owner may read it
        new.write(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        new.flush()
        os.fsync(new.fileno())
        with contextlib.suppress(FileExistsError):  # another process was faster
            os.link(new.name, file)
    key = _read_key(file)
    trust(public_line(key.public_key()), trusted)
    return key


def public_line(key: Ed25519PublicKey) -> str:
    """The line of a key in a file of trusted keys."""
    return f"{KIND} {base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()}"


def trust(line: str, trusted: Path = TRUSTED) -> None:
    """Add a line of `public_line` to the trusted keys, unless it is there. Raises ValueError for another text."""
    line = public_line(_public_key(line))
    trusted.parent.mkdir(parents=True, exist_ok=True)
    check_regular(trusted)
    with trusted.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        known = file.read()
        if line not in known.splitlines():
            file.write(("" if known.endswith("\n") or not known else "\n") + line + "\n")


def trusted_keys(trusted: Path = TRUSTED) -> list[str]:
    """The trusted keys, each as `public_line`. Blank lines and those with `#` are comments, and so is what follows a
    key. Raises ValueError for a line that is
    no key."""
    try:
        lines = [line.strip() for line in read_regular_text(trusted).splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{trusted}: not a file of trusted keys ({type(error).__name__})") from error
    found = []
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#"):
            try:
                found.append(public_line(_public_key(line)))
            except ValueError as error:
                raise ValueError(f"{trusted}, line {number}: {error}") from error
    return found


def sign_judged(
    artifact: Path, graph: bytes, card: Mapping[str, Any], look: Mapping[str, Any], key: Ed25519PrivateKey
) -> None:
    """Sign what a gate has judged: this graph with this card, not what lies in the folder by now. `look` is the entry
    of the ledger."""
    statement = Statement(
        verdict=card["verdict"],
        policy_id=card["policy_id"],
        graph=hashlib.sha256(graph).hexdigest(),
        card=digest_of(card),
        dataset=card["gate"]["dataset"],
        look=look["number"],
        ledger_entry=digest_of(dict(look)),
        synthetic=bool(card["gate"]["synthetic"]),
        at=look["at"],
    )
    sign(artifact, statement, key)


def sign(artifact: Path, statement: Statement, key: Ed25519PrivateKey) -> None:
    """Write the signed verdict beside the artifact's graph and card. The same statement gives the same bytes."""
    document = {
        "statement": asdict(statement),
        "key": public_line(key.public_key()),
        "signature": base64.b64encode(key.sign(_canonical(asdict(statement)))).decode(),
    }
    new = artifact / f".{VERDICT_FILE}.new"
    new.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    new.replace(artifact / VERDICT_FILE)


def verified(artifact: Path, policy: OnnxPolicy, trusted: Path = TRUSTED) -> Statement:
    """The statement about just this artifact by a trusted gate. Raises NotSigned."""
    file = artifact / VERDICT_FILE
    try:
        document = json.loads(read_regular_text(file))
        statement = Statement(**document["statement"])
        line, signature = str(document["key"]), base64.b64decode(document["signature"], validate=True)
        kinds = {field.name: field.type for field in fields(Statement)}
        assert all(type(value) is kinds[name] for name, value in asdict(statement).items())  # noqa: S101
    except FileNotFoundError as error:
        raise NotSigned(f"{policy.policy_id}: no gate has signed a verdict; `buddy-train gate` judges it") from error
    except (OSError, ValueError, TypeError, KeyError, AssertionError, RecursionError) as error:
        raise NotSigned(f"{file}: not a signed verdict ({type(error).__name__})") from error
    if line not in trusted_keys(trusted):
        raise NotSigned(f"{policy.policy_id}: {trusted} does not trust the key that signed its verdict ({line})")
    try:
        _public_key(line).verify(signature, _canonical(asdict(statement)))
    except InvalidSignature as error:
        raise NotSigned(f"{file}: the statement was changed after it was signed") from error
    about: dict[str, Any] = {"policy_id": policy.policy_id, "graph": hashlib.sha256(policy.graph).hexdigest()}
    about |= {"verdict": policy.card.get("verdict"), "card": digest_of(policy.card)}
    for name, value in about.items():
        if getattr(statement, name) != value:
            raise NotSigned(f"{policy.policy_id}: its {name} is not the one that the gate has signed")
    return statement


def _read_key(file: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(read_regular_text(file).encode(), password=None)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{file}: not a private key of a gate ({type(error).__name__})") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{file}: not an Ed25519 key")
    return key


def _public_key(line: str) -> Ed25519PublicKey:
    kind, _, text = line.partition(" ")
    try:
        if kind != KIND:
            raise ValueError(kind)
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text.split(" ")[0], validate=True))
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"not a public key: `{KIND}` and 32 bytes in base64 are expected") from error


def _canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
