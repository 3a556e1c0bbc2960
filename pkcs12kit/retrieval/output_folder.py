"""A folder of gathered certificates: one file for each, with a readable name, and an index.

The names and the index contain untrusted text. Only its letters, digits, dots and dashes get into a file name.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import unicodedata
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError, LimitExceededError, OutputError
from pkcs12kit.files import PUBLIC, read_in, write_in
from pkcs12kit.folders import opened
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.retrieved import GatheredCertificate, Origin
from pkcs12kit.text import quoted
from pkcs12kit.times import format_time, require_aware

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.folders import Folder
    from pkcs12kit.limits import Limits


INDEX_FILE: Final = "index.json"

_FORMAT: Final = "certificates gathered by pkcs12kit, version 1"
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,250}\.cer")
_TEXTS: Final = ("file", "subject", "issuer", "serial", "sha256", "not_before", "not_after")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One certificate in the index: the texts of :meth:`Certificate.to_json`, its file and its origins."""

    file: str
    subject: str
    issuer: str
    serial: str
    sha256: str
    not_before: str
    not_after: str
    origins: tuple[Origin, ...]


def encode_index(listed: Iterable[IndexEntry]) -> bytes:
    """Return the bytes of an index, sorted by file name. Times are cut to the second.

    Five dashes in a row are escaped, so that no program that reads certificates can find PEM in the index.
    """
    entries = [_to_json(item) for item in sorted(listed, key=lambda item: item.file)]
    text = json.dumps({"format": _FORMAT, "certificates": entries}, indent=2)
    return (text.replace("-----", r"----\u002d") + "\n").encode("ascii")


def decode_index(data: bytes) -> tuple[IndexEntry, ...]:
    """Parse an index. Raises :class:`~pkcs12kit.errors.InputError` for all but the output of :func:`encode_index`."""
    try:
        value = json.loads(data.decode("ascii"))
        listed = tuple(map(_from_json, value["certificates"]))
        encoded = encode_index(listed)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise InputError("it cannot be read") from None
    if encoded != data:
        raise InputError("it is not as it was written")
    return listed


def _to_json(item: IndexEntry) -> dict[str, object]:
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


def _from_json(fields: Mapping[str, object]) -> IndexEntry:
    text = {name: _text(fields[name]) for name in _TEXTS}
    if not _FILE.fullmatch(text["file"]) or not _SHA256.fullmatch(text["sha256"]):
        raise ValueError
    origins = fields["origins"]
    if not isinstance(origins, list):
        raise TypeError
    return IndexEntry(
        **text,
        origins=tuple(Origin(url=_text(origin["url"]), fetched=_time(origin["fetched"])) for origin in origins),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _time(value: object) -> datetime:
    return require_aware(datetime.fromisoformat(_text(value)))


_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9.]+")
_NAME_CHARACTERS: Final = 40
_DIGEST_CHARACTERS: Final = 32  # 128 bits: two certificates with one name would be a collision


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReport:
    """The result of :func:`write_folder`: file names in five groups, each sorted.

    * ``new``: files that were written.
    * ``unchanged``: files that were there already.
    * ``gone``: files in the previous index whose certificates were not gathered this time; they were removed.
    * ``kept``: files like these that stay, because a URL that they came from did not answer.
    * ``left``: files like these that stay, because their contents were changed since: they are not ours to remove.
    """

    folder: Path
    new: tuple[str, ...]
    unchanged: tuple[str, ...]
    gone: tuple[str, ...]
    kept: tuple[str, ...]
    left: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the form for ``--json``."""
        return {
            "folder": str(self.folder),
            "new": list(self.new),
            "unchanged": list(self.unchanged),
            "gone": list(self.gone),
            "kept": list(self.kept),
            "left": list(self.left),
        }


def write_folder(
    certificates: Iterable[GatheredCertificate],
    folder: str | os.PathLike[str],
    *,
    unanswered: Iterable[str] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> FolderReport:
    """Write certificates into a folder, which is created if necessary. ``load_certificates`` reads only these files.

    Each certificate is a DER file whose SHA-256 is the certificate's fingerprint. Its name,
    ``SUBJECT_by_ISSUER_FINGERPRINT.cer``, is the same in every run. ``index.json`` has the subject, issuer, serial
    number, fingerprint and validity of each, and its URLs with the time. A file is written as a whole or not at all;
    a file that is there already is not touched.

    A later run removes the files in the previous index whose certificates were not gathered again, except where they
    came from one of the URLs that are ``unanswered`` this time. Files that the index does not name are never replaced
    or removed. Two runs at the same time leave complete files, and the index of one of them.

    Raises :class:`~pkcs12kit.errors.OutputError`, before anything is written, where another file has the name of the
    index or of a certificate, or the index is damaged; :class:`~pkcs12kit.errors.LimitExceededError` for an index that
    would be larger than ``limits.input_bytes``.
    """
    path = _path(folder)
    gathered = _by_name(certificates)
    not_answered = frozenset(unanswered)
    try:
        with _open(path) as opened_there:
            listed = _listed(opened_there, path, limits)
            new, unchanged = _compare(opened_there, path, gathered, limits)
            kept, gone, left = _leftover(opened_there, listed, gathered, not_answered, limits)
            entries = [_listing(name, gathered[name], listed.get(name), not_answered) for name in gathered]
            index = encode_index([*entries, *(listed[name] for name in kept)])
            if len(index) > limits.input_bytes:  # the next run would refuse to read it
                raise LimitExceededError(f"an index of more than {limits.input_bytes:,} bytes (limits.input_bytes)")
            for name in new:
                write_in(opened_there, path / name, gathered[name].certificate.der, private=False, access=PUBLIC)
            for name in gone:
                _remove(opened_there, name)
            if entries or listed or opened_there.has(INDEX_FILE):
                _write_index(opened_there, path, index, limits)
    except OSError as error:
        raise OutputError(f"cannot write to the folder {path}: {error.strerror}") from None
    return FolderReport(
        folder=path, new=tuple(new), unchanged=tuple(unchanged), gone=tuple(gone), kept=tuple(kept), left=tuple(left)
    )


def require_folder(folder: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> None:
    """Raise the error that :func:`write_folder` would raise for a folder that cannot be written to.

    Call it before fetching. Nothing is created or written.
    """
    path = _path(folder)
    try:
        there = next(each for each in (path, *path.absolute().parents) if os.path.lexists(each))
        with _open(there) as opened_there:
            if not os.access(there, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if there == path:
                _listed(opened_there, path, limits)
    except OSError as error:
        raise OutputError(f"cannot write to the folder {path}: {error.strerror}") from None


def own_files(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the names in a folder that :func:`write_folder` gives to files, and may replace or remove; none if new."""
    try:
        return tuple(name for name in os.listdir(folder) if name == INDEX_FILE or _FILE.fullmatch(name))  # noqa: PTH208
    except OSError:
        return ()


def file_name(certificate: Certificate) -> str:
    """Return the file name of a certificate: at most 121 ASCII letters, digits, dots, dashes and underscores."""
    subject, issuer = _readable(certificate.subject), _readable(certificate.issuer)
    return f"{subject}_by_{issuer}_{certificate.sha256[:_DIGEST_CHARACTERS]}.cer"


def _readable(name: Name) -> str:
    text = unicodedata.normalize("NFKD", name.common_name or str(name))
    ascii_text = "".join(char for char in text if not unicodedata.combining(char))
    return _NOT_IN_NAMES.sub("-", ascii_text).strip(".-")[:_NAME_CHARACTERS].strip(".-") or "unnamed"


def _by_name(certificates: Iterable[GatheredCertificate]) -> dict[str, GatheredCertificate]:
    """Return each certificate once, by file name, with all its origins."""
    gathered: dict[str, GatheredCertificate] = {}
    for item in certificates:
        name = file_name(item.certificate)
        origins = gathered[name].origins if name in gathered else ()
        gathered[name] = GatheredCertificate(certificate=item.certificate, origins=(*origins, *item.origins))
    return dict(sorted(gathered.items()))


def _path(folder: str | os.PathLike[str]) -> Path:
    if not os.fspath(folder):  # Path would turn it into the current folder
        raise OutputError("cannot write to a folder without a name")
    path = Path(folder)
    try:
        named = "\0" not in os.fsdecode(os.fsencode(path))
    except ValueError:
        named = False
    if not named:
        raise OutputError(f"cannot write to {quoted(str(path))}: no folder can have this name")
    return path


@contextmanager
def _open(path: Path) -> Iterator[Folder]:
    """Open the folder; create it if necessary."""
    with suppress(FileExistsError):  # also raised where a file has the name
        path.mkdir(parents=True, exist_ok=True)
    with opened(path) as folder:
        yield folder


def _listed(folder: Folder, path: Path, limits: Limits) -> dict[str, IndexEntry]:
    """Return the index of the previous run, by file name; empty where there was none."""
    if not folder.has(INDEX_FILE):
        return {}
    try:
        listed = decode_index(read_in(folder, INDEX_FILE, limit=limits.input_bytes, access=None))
    except InputError as error:
        raise OutputError(
            f"{path / INDEX_FILE} is not an index of pkcs12kit ({error}); move it away, or name another folder"
        ) from None
    if any(not item.file.endswith(f"_{item.sha256[:_DIGEST_CHARACTERS]}.cer") for item in listed):
        raise OutputError(f"{path / INDEX_FILE} is damaged: the name of a file in it does not have the fingerprint")
    return {item.file: item for item in listed}


def _compare(
    folder: Folder, path: Path, gathered: Mapping[str, GatheredCertificate], limits: Limits
) -> tuple[list[str], list[str]]:
    """Return the names of the files to write, and of those that are there already."""
    new: list[str] = []
    unchanged: list[str] = []
    for name, item in gathered.items():
        if not folder.has(name):
            new.append(name)
        elif _content(folder, name, limits) == item.certificate.der:
            unchanged.append(name)
        else:
            raise OutputError(
                f"{path / name} is there, but it is not the certificate with this fingerprint; move it away"
            )
    return new, unchanged


def _leftover(
    folder: Folder,
    listed: Mapping[str, IndexEntry],
    gathered: Mapping[str, GatheredCertificate],
    not_answered: frozenset[str],
    limits: Limits,
) -> tuple[list[str], list[str], list[str]]:
    """Return the names that are kept, gone and left, of certificates in the previous index that were not gathered."""
    kept: list[str] = []
    gone: list[str] = []
    left: list[str] = []
    for name in sorted(listed.keys() - gathered.keys()):
        content = _content(folder, name, limits)
        if content is None and not folder.has(name):
            gone.append(name)
        elif content is None or hashlib.sha256(content).hexdigest() != listed[name].sha256:
            left.append(name)
        elif not_answered.isdisjoint(origin.url for origin in listed[name].origins):
            gone.append(name)
        else:
            kept.append(name)
    return kept, gone, left


def _content(folder: Folder, name: str, limits: Limits) -> bytes | None:
    try:
        return read_in(folder, name, limit=limits.certificate_bytes, access=None)
    except InputError:
        return None


def _remove(folder: Folder, name: str) -> None:
    try:
        folder.unlink(name)
    except FileNotFoundError:
        return


def _listing(
    name: str, item: GatheredCertificate, earlier: IndexEntry | None, not_answered: frozenset[str]
) -> IndexEntry:
    """Return an index entry with the origins of this run, and the earlier ones that did not answer this time."""
    before = [origin for origin in earlier.origins if origin.url in not_answered] if earlier else []
    latest = {origin.url: origin for origin in sorted([*before, *item.origins], key=lambda origin: origin.fetched)}
    return IndexEntry(file=name, **item.certificate.to_json(), origins=tuple(latest[url] for url in sorted(latest)))


def _write_index(folder: Folder, path: Path, data: bytes, limits: Limits) -> None:
    try:
        if read_in(folder, INDEX_FILE, limit=limits.input_bytes, access=None) == data:
            return
    except InputError:
        pass
    write_in(folder, path / INDEX_FILE, data, private=False, access=PUBLIC)
