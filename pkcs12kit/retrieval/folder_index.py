"""The index of a folder of gathered certificates: what each file is, and where it came from, as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.times import format_time, require_aware
from pkcs12kit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INDEX_FILE: Final = "index.json"

_FORMAT: Final = "certificates gathered by pkcs12kit, version 1"
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,250}\.cer")
_TEXTS: Final = ("file", "subject", "issuer", "serial", "sha256", "not_before", "not_after")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The URL that gave a certificate, and when: timezone-aware."""

    url: str
    fetched: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One certificate in the index: as :meth:`Certificate.to_json` has it, its file, and where it came from."""

    file: str
    subject: str
    issuer: str
    serial: str
    sha256: str
    not_before: str
    not_after: str
    origins: tuple[Origin, ...]


def encode_index(listed: Iterable[Listed]) -> bytes:
    """Write an index, by the names of files. Times are given to the second.

    Five dashes are never left together: no text from outside can make a reader of certificates see PEM in it.
    """
    entries = [_to_json(item) for item in sorted(listed, key=lambda item: item.file)]
    text = json.dumps({"format": _FORMAT, "certificates": entries}, indent=2)
    return (text.replace("-----", r"----\u002d") + "\n").encode("ascii")


def decode_index(data: bytes) -> tuple[Listed, ...]:
    """Read an index. Raises :class:`~pkcs12kit.errors.InputError` for anything but what :func:`encode_index` writes."""
    try:
        value = json.loads(data.decode("ascii"))
        listed = tuple(map(_from_json, value["certificates"]))
        encoded = encode_index(listed)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise InputError("it is none") from None
    if encoded != data:
        raise InputError("it is not as it was written")
    return listed


def _to_json(item: Listed) -> dict[str, object]:
    return {
        "file": item.file,
        "subject": item.subject,
        "issuer": item.issuer,
        "serial": item.serial,
        "sha256": item.sha256,
        "not_before": item.not_before,
        "not_after": item.not_after,
        "origins": [{"url": origin.url, "fetched": format_time(origin.fetched)} for origin in item.origins],
    }


def _from_json(fields: Mapping[str, object]) -> Listed:
    text = {name: _text(fields[name]) for name in _TEXTS}
    if not _FILE.fullmatch(text["file"]) or not _SHA256.fullmatch(text["sha256"]):
        raise ValueError
    origins = fields["origins"]
    if not isinstance(origins, list):
        raise TypeError
    return Listed(
        **text,
        origins=tuple(Origin(url=_text(origin["url"]), fetched=_time(origin["fetched"])) for origin in origins),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _time(value: object) -> datetime:
    return require_aware(datetime.fromisoformat(_text(value)))
