"""The record that the state keeps of one bundle: enough to know that nothing has changed, and nothing secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


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
