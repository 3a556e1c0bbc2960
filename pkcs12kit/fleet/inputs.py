"""The inputs of one bundle: the marks by which a later run knows them, its passwords, and its public part."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.choice import by_preference
from pkcs12kit.errors import InputError, MalformedCertificateError, PasswordError
from pkcs12kit.fleet.bundles import INPUT_PASSWORDS
from pkcs12kit.fleet.pools import contents_of
from pkcs12kit.fleet.secrets import SecretSource, read_secret, status_of
from pkcs12kit.hints import Hint
from pkcs12kit.sources.delivery import load_delivery
from pkcs12kit.sources.identities import load_server
from pkcs12kit.sources.key_sources import Opening
from pkcs12kit.sources.loading import load_certificates
from pkcs12kit.sources.reading import require_regular_file, shown_path

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.fleet.bundles import FleetBundle
    from pkcs12kit.fleet.records import Record
    from pkcs12kit.limits import Limits

_CHOICE: Final = ("key_name", "key_id", "certs_only")
"""The options that choose the certificate of a bundle."""


def input_marks(bundle: FleetBundle, limits: Limits) -> dict[str, str]:
    """Return the mark of each input of a bundle: the SHA-256 of its content; of a password's file its status.

    The password of an input in a variable or from a command has none: it is needed again only once the input changes.
    Raises :class:`~pkcs12kit.InputError` for a file that cannot be read.
    """
    marks = public_marks(bundle, limits)
    if bundle.key is not None and bundle.source is None:
        marks[f"key {bundle.key}"] = _content(bundle.key, bundle, limits)
    for name, path in bundle.password_files.items():
        if name in INPUT_PASSWORDS:
            marks[f"{name} {path}"] = status_of(path)
    return marks


def public_marks(bundle: FleetBundle, limits: Limits) -> dict[str, str]:
    """Return the marks of the inputs that the server's certificate comes from, without a file of only the key."""
    given = {"certificate": bundle.certificate, "pkcs12": bundle.pkcs12, "from": bundle.source}
    named = {f"{name} {path}": _content(path, bundle, limits) for name, path in given.items() if path is not None}
    choice = repr([(name, bundle.options.get(name)) for name in _CHOICE])
    return {**named, "choice": sha256(f"{choice} {bundle.key if bundle.source else None}".encode()).hexdigest()}


def _content(path: str, bundle: FleetBundle, limits: Limits) -> str:
    left_out = frozenset(
        (status.st_dev, status.st_ino) for status in map(_status, bundle.outputs.values()) if status is not None
    )
    if not os.path.isdir(path):  # noqa: PTH112  # a path is a plain string
        return next(contents_of(path, limits)).hex()
    return sha256(b"".join(contents_of(path, limits, left_out=left_out))).hexdigest()


def _status(path: str) -> os.stat_result | None:
    try:
        return Path(path).stat()
    except (OSError, ValueError):
        return None


def read_input_passwords(bundle: FleetBundle, run: datetime, limits: Limits) -> dict[str, str]:
    """Return the passwords of the inputs, as arguments of ``build``. Raises as ``read_secret`` does."""
    return {
        name: read_secret(SecretSource(secret, bundle.folder, run), limits=limits).password
        for name, secret in bundle.secrets.items()
        if name in INPUT_PASSWORDS
    }


def read_public(bundle: FleetBundle, limits: Limits) -> tuple[Certificate, ...] | None:
    """Return the certificates in the files of key and certificate; None where a password is needed to read them."""
    path = bundle.certificate if bundle.certificate is not None else bundle.key
    if path is None or bundle.source is not None or bundle.pkcs12 is not None:
        return None
    try:
        require_regular_file(path)  # a pipe would be waited for
        return tuple(load_certificates(path, limits=limits))
    except InputError:
        return None


def recorded_public(
    bundle: FleetBundle, record: Record, time: datetime, limits: Limits
) -> tuple[Certificate, tuple[Certificate, ...]] | None:
    """Return the server's certificate of a record, whose inputs are as they were, and the others in its files.

    None where another certificate of its key could be used at this time.
    """
    try:
        target = Certificate.from_der(record.target)
        others = (
            read_public(bundle, limits)
            if record.others is None
            else tuple(Certificate.from_der(der) for der in record.others)
        )
    except InputError:
        return None
    if others is None:
        return None
    akin = [one for one in others if _has_key_of(one, target)]
    return (target, others) if by_preference((*akin, target), time)[0] == target else None


def _has_key_of(certificate: Certificate, target: Certificate) -> bool:
    try:
        return certificate == target or certificate.public_key == target.public_key
    except MalformedCertificateError:
        return True


def public_identity(
    bundle: FleetBundle, record: Record | None, time: datetime, limits: Limits
) -> tuple[Certificate, tuple[Certificate, ...]]:
    """Return the server's certificate, and the others in its files, without any password.

    A record serves where its inputs are as they were. Raises :class:`~pkcs12kit.InputError` where neither the files nor
    a record have it.
    """
    marks = public_marks(bundle, limits)
    if record is not None and marks.items() <= record.inputs.items():
        found = recorded_public(bundle, record, time, limits)
        if found is not None:
            return found
    certificates = read_public(bundle, limits)
    if bundle.certificate is not None and certificates is None:
        load_certificates(bundle.certificate, limits=limits)  # raises the reason
    if certificates:
        servers = [one for one in certificates if not one.is_ca] if len(certificates) > 1 else certificates
        if len(servers) == 1:
            return servers[0], certificates
    return _with_open_key(bundle, time, limits)


def _with_open_key(bundle: FleetBundle, time: datetime, limits: Limits) -> tuple[Certificate, tuple[Certificate, ...]]:
    """Return the certificate of a key that needs no password, and the others in its files."""
    opening = Opening(time=time, limits=limits)
    if bundle.key is not None and bundle.source is None:
        require_regular_file(bundle.key)
    try:
        if bundle.source is None:
            loaded = load_server(bundle.key, bundle.certificate, bundle.pkcs12, opening)
        else:
            loaded, _ = load_delivery(
                bundle.source,
                opening,
                key=bundle.key,
                certificate=bundle.certificate,
                left_out=tuple(bundle.outputs.values()),
            )
    except PasswordError:
        given = bundle.source or bundle.pkcs12 or bundle.key or bundle.certificate or bundle.name
        raise InputError(
            f"{shown_path(given)}: the server's certificate cannot be known without a password, and a check reads none"
        ).hinting(
            Hint(text="build the bundle once without --check: the state then has its certificate"),
            Hint(text="or name the certificate in a file of its own (certificate)"),
        ) from None
    return loaded.identity.certificate, tuple(loaded.certificates)
