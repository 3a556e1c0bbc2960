"""A replica as the files that a user would have, private key included."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7

from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.errors import OutputError
from pkcs12kit.folders import BINARY
from pkcs12kit.lab.profiles import COMMON_DEVICES
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.lab.replica import Replica

MARKER_FILE: Final = ".pkcs12kit-lab"
_PRIVATE: Final = 0o600
_PUBLIC: Final = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class LabFiles:
    """The paths of the written files. ``folder``, ``certificates`` and ``crls`` are folders."""

    folder: Path
    key: Path
    certificate: Path
    trust_anchor: Path
    issuing_ca: Path
    bundle: Path
    certificates: Path
    crls: Path
    readme: Path

    def to_json(self) -> dict[str, str]:
        """Return the paths for ``--json``."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}


def write(replica: Replica, folder: str | os.PathLike[str]) -> LabFiles:
    """Write the files that a user would have into ``folder``, and a README that explains them; return their paths.

    The folder is made if it does not exist. In a folder with an earlier lab the files are replaced, and other files
    stay; any other folder that is not empty is refused. The private key is not encrypted, and only its owner may read
    it (0600). Raises :class:`~pkcs12kit.errors.OutputError`.
    """
    root = Path(folder)
    files = LabFiles(
        folder=root,
        key=root / "server.key",
        certificate=root / "server.pem",
        trust_anchor=root / "anchor.pem",
        issuing_ca=root / "issuing-ca.pem",
        bundle=root / "bundle.pem",
        certificates=root / "certs",
        crls=root / "crls",
        readme=root / "README.txt",
    )
    try:
        _claim(root)
        for name in (files.certificates, files.crls):
            name.mkdir(exist_ok=True)
            if name.is_symlink():
                raise OutputError(f"{name} is a symbolic link; remove it, or name another folder")
        for path, data in _contents(replica, files).items():
            _write(path, data, _PUBLIC)
        key = replica.server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write(files.key, key, _PRIVATE)
    except OSError as error:
        raise OutputError(f"cannot write the lab to {root}: {error.strerror or error}") from error
    return files


def _claim(root: Path) -> None:
    """Mark the folder as a lab. Raises :class:`OutputError` if it is not empty and holds no earlier lab."""
    marker = root / MARKER_FILE
    root.mkdir(parents=True, exist_ok=True)
    if not marker.is_file() and any(root.iterdir()):
        raise OutputError(f"{root} is not empty and holds no earlier lab; name another folder")
    # This comes first, so that an interrupted lab can be replaced.
    _write(marker, b"pkcs12kit lab replaces files in this folder.\n", _PUBLIC)


def _contents(replica: Replica, files: LabFiles) -> dict[Path, bytes]:
    pool = tuple(replica.pool)
    of_bridge = [certificate for certificate in pool if "OU=FPKI" in str(certificate.issuer)]
    others = [certificate for certificate in pool if certificate not in of_bridge]
    singles, bundled = others[::3], [certificate for certificate in others if certificate not in others[::3]]
    contents = {
        files.certificate: _pem([replica.server.certificate]),
        files.trust_anchor: _pem([replica.trust_anchor]),
        files.issuing_ca: _pem([replica.issuing_ca]),
        files.bundle: _pem(pool),
        # As real folders are: PKCS#7 in DER and in PEM with the same ending, and single certificates.
        files.certificates / "fpki.p7b": _pkcs7(of_bridge, Encoding.DER),
        files.certificates / "dod.pem.p7b": _pkcs7(bundled, Encoding.PEM),
        files.readme: _readme(replica).encode("utf-8"),
    }
    contents.update(
        (files.certificates / f"{number}.cer", certificate.der) for number, certificate in enumerate(singles, start=1)
    )
    contents.update((files.crls / crl.name, crl.der) for crl in replica.crls)
    return contents


def _pem(certificates: Iterable[Certificate]) -> bytes:
    return "".join(certificate.to_pem() for certificate in certificates).encode("ascii")


def _pkcs7(certificates: Iterable[Certificate], encoding: Encoding) -> bytes:
    return pkcs7.serialize_certificates([certificate.as_cryptography for certificate in certificates], encoding)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Replace a file by a new one, with its final mode from the start. A symbolic link is not followed."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, mode), "wb") as file:
        file.write(data)


def _readme(replica: Replica) -> str:
    return f"""A replica of the Federal PKI, made by pkcs12kit lab for {format_time(replica.at)}.

Every name has O=Replica in place of O=U.S. Government. All keys were made for this replica. No program trusts these
certificates, and the server's private key is not encrypted: use nothing of this in production.

server.key        private key of {replica.server_name}, PKCS#8, PEM
server.pem        its certificate
issuing-ca.pem    the CA that issued it: DOD ID SW CA-37
anchor.pem        the trust anchor: Federal Common Policy CA
certs/            CA certificates in no order, as PKCS#7 (DER and PEM) and one by one (DER): four valid paths, and
                  loops, parallel cross-certificates, expired ones, self-signed roots, a bridge with a second key
bundle.pem        the same certificates in one PEM file
crls/             the CRL of each CA, good for a year

The path that lasts longest, from the server up:
{"".join(f"  {line}{chr(10)}" for line in _drawn(replica))}
Build the file to upload to the server, and see all paths:

  pkcs12kit build --key server.key --cert server.pem --certs certs --anchor anchor.pem --out server.p12
  pkcs12kit paths server.pem --certs certs --anchor anchor.pem --all

The paths are valid for the policy {COMMON_DEVICES} (add --policy to ask for it), and for no other.
"""


def _drawn(replica: Replica) -> Iterable[str]:
    for certificate in replica.valid_paths[0].with_anchor:
        number = serial_number_label(certificate.serial_number)
        yield f"{certificate.subject.label} {number}, until {format_time(certificate.not_after)}"
