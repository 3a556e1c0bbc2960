"""The output of ``show --csv``: one row for each thing, for spreadsheets (RFC 4180), in which nothing is a formula."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.contents.listing import Contents

COLUMNS: Final = (
    "type",
    "kind",
    "subject",
    "issuer",
    "serial",
    "not_before",
    "not_after",
    "state",
    "key",
    "signature_algorithm",
    "names",
    "sha256",
    "sha1",
    "encrypted",
    "entries",
    "detail",
    "files",
)
# The characters with which a cell becomes a formula in Excel, LibreOffice or Google Sheets, and their wide forms.
_FORMULA: Final = frozenset("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
_SEPARATOR: Final = "; "


def as_csv(contents: Contents) -> str:
    """Return the contents as CSV, without a line end after the last row."""
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in _rows(contents):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return written.getvalue().removesuffix("\n")


def _rows(contents: Contents) -> Iterator[dict[str, Any]]:
    for one in contents.certificates:
        values = one.to_json(contents.time)
        yield {"type": "certificate", **{name: values[name] for name in COLUMNS if name in values}}
    for key in contents.keys:
        values = key.to_json()
        yield {
            "type": f"{values['type']} key",
            "key": values["key"],
            "encrypted": "yes" if values["encrypted"] else "no",
            "detail": values["why"] or f"fits {len(key.certificates)} certificates",
            "sha256": values["public_key_sha256"],
            "files": values["files"],
        }
    for crl in contents.crls:
        values = crl.to_json(contents.time)
        kinds = [name for name in ("delta", "indirect") if values[name]]
        yield {
            "type": "CRL",
            "kind": kinds,
            "issuer": values["issuer"],
            "serial": values["number"],
            "not_before": values["this_update"],
            "not_after": values["next_update"],
            "state": values["state"],
            "entries": values["entries"],
            "sha256": values["sha256"],
            "detail": values["problem"],
            "files": values["files"],
        }
    for other in contents.others:
        yield {"type": "other", "kind": other.kind, "detail": other.text, "files": other.sources}
    for part in contents.unread:
        yield {"type": "not read", "detail": part.reason, "serial": None, "files": part.source}


def _cell(value: object) -> str:
    r"""Return a value as the text of a cell: one line, safe to print, and with ``'`` before the start of a formula."""
    if value is None:
        return ""
    text = harmless(_SEPARATOR.join(map(str, value)) if isinstance(value, list | tuple) else value)
    return f"'{text}" if text.lstrip()[:1] in _FORMULA and text.strip() else text
