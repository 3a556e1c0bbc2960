"""A folder of gathered certificates: a file each, under a name that a person can read, and an index.

What is in names and index comes from outside; no character of it gets into a path that is not a letter, a digit, a dot
or a dash.
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
from pkcs12kit.files import read_in, write_in
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.text import quoted
from pkcs12kit.times import format_time, require_aware

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.limits import Limits


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


_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9.]+")
_NAME_CHARACTERS: Final = 40
_DIGEST_CHARACTERS: Final = 32  # 128 bits: two certificates with one name would be a collision


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredCertificate:
    """A certificate, and where it came from. It is untrusted, as is every text in it."""

    certificate: Certificate
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReport:
    """What :func:`write_folder` did, by the names of files, each tuple in their order.

    ``new`` were written, ``unchanged`` were there. ``gone`` were there by the last index, are not among the
    certificates any more, and were removed. ``kept`` were not gathered either, and stay because a URL that they came
    from did not answer. ``left`` were gone, too, but are no longer as they were written, and so not ours to remove.
    """

    folder: Path
    new: tuple[str, ...]
    unchanged: tuple[str, ...]
    gone: tuple[str, ...]
    kept: tuple[str, ...]
    left: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Describe it for ``--json``."""
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
    """Write certificates into a folder, which is made where it is not there: ``load_certificates`` reads just these.

    Each is a file of its own, DER: its SHA-256 is the certificate's fingerprint, and the file is named
    ``SUBJECT_by_ISSUER_FINGERPRINT.cer``, the same at each run. ``index.json`` has subject, issuer, serial number,
    fingerprint, validity, and the URLs that it came from, with the time. Every file is written as a whole or not; one
    that is there already is not touched.

    A later run removes what the index of the one before names and what is not gathered any more, unless it came from
    one of the URLs that are ``unanswered`` this time. Files that the index does not name are never written over and
    never removed. Two runs on one folder at the same time leave whole files, and the index of one of them.

    Raises :class:`~pkcs12kit.errors.OutputError`, before anything is written where something else has the name of the
    index or of a certificate, or the index is damaged; :class:`~pkcs12kit.errors.LimitExceededError` for an index that
    would be larger than ``limits.input_bytes``.
    """
    path = _path(folder)
    gathered = _by_name(certificates)
    silent = frozenset(unanswered)
    try:
        with _open(path) as descriptor:
            listed = _listed(descriptor, path, limits)
            new, unchanged = _compare(descriptor, path, gathered, limits)
            kept, gone, left = _leftover(descriptor, listed, gathered, silent, limits)
            entries = [_listing(name, gathered[name], listed.get(name), silent) for name in gathered]
            index = encode_index([*entries, *(listed[name] for name in kept)])
            if len(index) > limits.input_bytes:  # the next run would not read it
                raise LimitExceededError(f"an index of more than {limits.input_bytes:,} bytes (limits.input_bytes)")
            for name in new:
                write_in(descriptor, path / name, gathered[name].certificate.der, private=False)
            for name in gone:
                _remove(descriptor, name)
            if entries or listed or _has(descriptor, INDEX_FILE):
                _write_index(descriptor, path, index, limits)
    except OSError as error:
        raise OutputError(f"cannot write to the folder {path}: {error.strerror}") from None
    return FolderReport(
        folder=path, new=tuple(new), unchanged=tuple(unchanged), gone=tuple(gone), kept=tuple(kept), left=tuple(left)
    )


def require_folder(folder: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> None:
    """Raise what :func:`write_folder` would for a folder that cannot be written to, before anything is fetched for it.

    Nothing is made or written.
    """
    path = _path(folder)
    try:
        there = next(each for each in (path, *path.absolute().parents) if os.path.lexists(each))
        with _open(there) as descriptor:
            if not os.access(there, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if there == path:
                _listed(descriptor, path, limits)
    except OSError as error:
        raise OutputError(f"cannot write to the folder {path}: {error.strerror}") from None


def file_name(certificate: Certificate) -> str:
    """Name the file of a certificate: letters, digits, dots, dashes and underscores of ASCII, at most 121."""
    subject, issuer = _readable(certificate.subject), _readable(certificate.issuer)
    return f"{subject}_by_{issuer}_{certificate.sha256[:_DIGEST_CHARACTERS]}.cer"


def _readable(name: Name) -> str:
    text = unicodedata.normalize("NFKD", name.common_name or str(name))
    ascii_text = "".join(char for char in text if not unicodedata.combining(char))
    return _NOT_IN_NAMES.sub("-", ascii_text).strip(".-")[:_NAME_CHARACTERS].strip(".-") or "unnamed"


def _by_name(certificates: Iterable[GatheredCertificate]) -> dict[str, GatheredCertificate]:
    """Put each certificate under its name, once, with all places that it came from."""
    gathered: dict[str, GatheredCertificate] = {}
    for item in certificates:
        name = file_name(item.certificate)
        origins = gathered[name].origins if name in gathered else ()
        gathered[name] = GatheredCertificate(certificate=item.certificate, origins=(*origins, *item.origins))
    return dict(sorted(gathered.items()))


def _path(folder: str | os.PathLike[str]) -> Path:
    if not os.fspath(folder):  # Path takes it for the current folder
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
def _open(path: Path) -> Iterator[int]:
    """Open the folder, made where it is not there."""
    with suppress(FileExistsError):  # which is said of a file, too
        path.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _has(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _listed(folder: int, path: Path, limits: Limits) -> dict[str, Listed]:
    """Read the index of the last run, by the names of files; empty where there was none."""
    if not _has(folder, INDEX_FILE):
        return {}
    try:
        listed = decode_index(read_in(folder, INDEX_FILE, limit=limits.input_bytes, private=False))
    except InputError as error:
        raise OutputError(
            f"{path / INDEX_FILE} is not an index that was written here ({error}); move it away, or name another folder"
        ) from None
    if any(not item.file.endswith(f"_{item.sha256[:_DIGEST_CHARACTERS]}.cer") for item in listed):
        raise OutputError(f"{path / INDEX_FILE} is damaged: a file in it does not have its name by its fingerprint")
    return {item.file: item for item in listed}


def _compare(
    folder: int, path: Path, gathered: Mapping[str, GatheredCertificate], limits: Limits
) -> tuple[list[str], list[str]]:
    """Tell what is to be written from what is there already."""
    new: list[str] = []
    unchanged: list[str] = []
    for name, item in gathered.items():
        if not _has(folder, name):
            new.append(name)
        elif _content(folder, name, limits) == item.certificate.der:
            unchanged.append(name)
        else:
            raise OutputError(f"{path / name} is there and not what it is named for; move it away")
    return new, unchanged


def _leftover(
    folder: int,
    listed: Mapping[str, Listed],
    gathered: Mapping[str, GatheredCertificate],
    silent: frozenset[str],
    limits: Limits,
) -> tuple[list[str], list[str], list[str]]:
    """Tell what stays, goes, or is no longer ours, of what the last run listed and this one has not gathered."""
    kept: list[str] = []
    gone: list[str] = []
    left: list[str] = []
    for name in sorted(listed.keys() - gathered.keys()):
        content = _content(folder, name, limits)
        if content is None and not _has(folder, name):
            gone.append(name)
        elif content is None or hashlib.sha256(content).hexdigest() != listed[name].sha256:
            left.append(name)
        elif silent.isdisjoint(origin.url for origin in listed[name].origins):
            gone.append(name)
        else:
            kept.append(name)
    return kept, gone, left


def _content(folder: int, name: str, limits: Limits) -> bytes | None:
    try:
        return read_in(folder, name, limit=limits.certificate_bytes, private=False)
    except InputError:
        return None


def _remove(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return


def _listing(name: str, item: GatheredCertificate, earlier: Listed | None, silent: frozenset[str]) -> Listed:
    """Say where a certificate came from: this time, and earlier from where there was no answer this time."""
    before = [origin for origin in earlier.origins if origin.url in silent] if earlier else []
    latest = {origin.url: origin for origin in sorted([*before, *item.origins], key=lambda origin: origin.fetched)}
    return Listed(file=name, **item.certificate.to_json(), origins=tuple(latest[url] for url in sorted(latest)))


def _write_index(folder: int, path: Path, data: bytes, limits: Limits) -> None:
    try:
        if read_in(folder, INDEX_FILE, limit=limits.input_bytes, private=False) == data:
            return
    except InputError:
        pass
    write_in(folder, path / INDEX_FILE, data, private=False)
