"""The record that the state keeps of one bundle: enough to know that nothing has changed, and nothing secret."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A bundle as it was when its file was last written or opened, and found to be right."""

    digest: str
    """``FleetBundle.digest`` at that time."""
    inputs: Mapping[str, str]
    """The path and the mark of each input of its own, such as the key: a SHA-256; of a password's file its status."""
    output: str
    """The SHA-256 of the file, hexadecimal; with a file for the key also of that, after a comma."""
    access: str
    """The owner, group and mode of the file, as text."""
    certificates: tuple[str, ...]
    """The SHA-256 of each certificate of the file, in its order, hexadecimal."""
    password: str
    """The mark of the source of the password: never the password, nor anything computed from it."""
    expires: datetime
    """The end of the path, UTC."""
    target: bytes
    """The server's certificate, DER."""
    others: tuple[bytes, ...] | None = None
    """The certificates in the files of key and certificate, DER; None where no password is needed to read them."""


def record_to_json(record: Record) -> dict[str, Any]:
    """Return a record as the state's file has it."""
    return {
        "digest": record.digest,
        "inputs": dict(record.inputs),
        "output": record.output,
        "access": record.access,
        "certificates": list(record.certificates),
        "password": record.password,
        "expires": record.expires.isoformat(),
        "target": b64encode(record.target).decode("ascii"),
        "others": None if record.others is None else [b64encode(one).decode("ascii") for one in record.others],
    }


def record_from_json(entry: Mapping[str, Any]) -> Record:
    """Return a record. Raises :class:`KeyError`, :class:`TypeError` or :class:`ValueError` for a damaged one."""
    expires = datetime.fromisoformat(entry["expires"])
    if expires.utcoffset() != timedelta(0):  # as records are written; a time near the ends of the calendar has no UTC
        raise ValueError
    others = entry["others"]
    texts = {one: text_of(entry[one]) for one in ("digest", "output", "access", "password")}
    return Record(
        inputs={text_of(path): text_of(mark) for path, mark in entry["inputs"].items()},
        certificates=tuple(map(text_of, entry["certificates"])),
        expires=expires,
        target=b64decode(entry["target"], validate=True),
        others=None if others is None else tuple(b64decode(one, validate=True) for one in others),
        **texts,
    )


def text_of(value: object) -> str:
    """Return a value of JSON that is a text. Raises :class:`TypeError` for another one."""
    if not isinstance(value, str):
        raise TypeError
    return value
