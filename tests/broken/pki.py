"""The certificates of the broken set-ups: a server below three CAs, each of which can be made in any way.

::

    pki = Pki(folder)                            # root.pem, policy.pem, issuing.pem, server.pem, server.key
    pki = Pki(folder, issuing=link(validity=PAST))

Keys follow from the labels of their owners, so that a page made from the set-ups is the same each time. They are used
for nothing else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from pkcs12kit import lab
from pkcs12kit.lab.authority import as_name, sign_certificate
from pkcs12kit.lab.extensions import authority_information_access
from pkcs12kit.retrieval.cache.cache import Cache

from ..resigning import resigned

if TYPE_CHECKING:
    from pathlib import Path

    from pkcs12kit.certificates.certificate import Certificate

AT: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""The time of the computer on which the set-ups are tried."""
AROUND: Final = lab.Validity(datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
PAST: Final = lab.Validity(datetime(2023, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
LONG_PAST: Final = lab.Validity(datetime(2019, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
TO_COME: Final = lab.Validity(datetime(2026, 6, 1, tzinfo=UTC), datetime(2028, 6, 1, tzinfo=UTC))
SERVER: Final = "www.example.com"
ROOT, POLICY, ISSUING = "Example Root CA", "Example Policy CA", "Example Issuing CA"
PASSWORD: Final = "correct horse 42"
BASE: Final = "http://pki.example.com"


@cache
def ec_key(label: str) -> ec.EllipticCurvePrivateKey:
    """Return the key on P-256 of a label."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(label.encode()).digest()[:31]), ec.SECP256R1())


@cache
def rsa_key(size: int) -> rsa.RSAPrivateKey:
    """Return the RSA key of this size, made once in each process."""
    return rsa.generate_private_key(65537, size)


@dataclass(frozen=True, kw_only=True)
class Link:
    """How one certificate of the chain differs from a correct one."""

    name: str | None = None
    key: Any = None
    validity: lab.Validity = AROUND
    extensions: tuple[Any, ...] = ()
    only: tuple[Any, ...] | None = None
    """The extensions, in place of all usual ones."""
    path_length: int | None = None
    digest: str | None = None
    """The hash of the signature, where it is one that pyca's builder rejects; or of an edited certificate."""
    edit: Any = None
    """A change of the tbsCertificate as asn1crypto has it."""
    algorithm: Any = None
    serial: int | None = None
    url: bool = False
    """True for a certificate with the URL of its issuer's certificate, whose answer is in the cache."""


link = Link


def authority(name: str, label: str | None = None, **settings: Any) -> lab.Authority:  # those of the lab
    """Return a CA whose key is that of its label, by default of its name."""
    key = settings.pop("private_key", None) or ec_key(label or name)
    settings = {"validity": AROUND, "serial_number": 1, **settings}
    return lab.Authority.create(name, private_key=key, **settings)


def issue(issuer: lab.Authority, subject: lab.Authority | str, how: Link, serial: int) -> Certificate:
    """Issue a CA's certificate, or that of a server with this name."""
    if how.url:
        places = lab.non_critical(authority_information_access(f"{BASE}/{slug(issuer)}.cer"))
        how = Link(**{**vars(how), "extensions": (*how.extensions, places), "url": False})
    serial = how.serial or serial
    if how.only is not None:
        name, key = _subject(subject, how)
        made = sign_certificate(
            issuer=issuer.name,
            signing_key=issuer.private_key,
            subject=name,
            public_key=key.public_key(),
            validity=how.validity,
            serial_number=serial,
            extensions=how.only,
        )
    elif isinstance(subject, lab.Authority):
        made = issuer.issue_ca(
            subject,
            path_length=how.path_length,
            validity=how.validity,
            serial_number=serial,
            extensions=how.extensions,
        )
    else:
        made = issuer.issue_server(
            subject,
            private_key=how.key or ec_key(subject),
            validity=how.validity,
            serial_number=serial,
            extensions=how.extensions,
        ).certificate
    if how.digest or how.edit or how.algorithm:
        made = resigned(made, issuer.private_key, digest=how.digest or "sha256", edit=how.edit, algorithm=how.algorithm)
    return made


def _subject(subject: lab.Authority | str, how: Link) -> tuple[Any, Any]:
    if isinstance(subject, lab.Authority):
        return subject.name, subject.private_key
    return as_name(subject), how.key or ec_key(subject)


def slug(ca: lab.Authority) -> str:
    """Return the name of a CA as it stands in URLs."""
    return ca.certificate.subject.common_name.lower().replace(" ", "-")


@dataclass
class Folder:
    """The folder of a set-up, which remembers the certificate that each file begins with."""

    path: Path
    certificates: dict[str, Certificate] = field(default_factory=dict)

    def put(self, name: str, *certificates: Certificate) -> None:
        """Write certificates as PEM."""
        self.certificates[name] = certificates[0]
        self.write(name, "".join(certificate.to_pem() for certificate in certificates))

    def put_key(self, name: str, key: Any, password: str | None = None) -> None:  # any private key
        """Write a private key as PEM."""
        protection = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        self.write(name, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))

    def write(self, name: str, content: str | bytes) -> None:
        """Write a file, in a new folder where its name has one."""
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def publish(self, url: str, *certificates: Certificate) -> None:
        """Keep what an URL answers in the cache, so that no test needs a network."""
        with Cache() as kept:
            kept.store(url, certificates[0].der, etag=None, last_modified=None, fetched=AT)


class Pki:
    """Root <- policy CA <- issuing CA <- server, each as asked for, with the files that a user has of them."""

    def __init__(self, folder: Folder, **links: Link) -> None:
        of = {name: links.get(name, Link()) for name in ("root", "policy", "issuing", "server")}
        root = of["root"]
        self.folder = folder
        self.root = authority(
            root.name or ROOT, private_key=root.key, validity=root.validity, extensions=root.extensions
        )
        self.policy = authority(of["policy"].name or POLICY, private_key=of["policy"].key)
        self.issuing = authority(of["issuing"].name or ISSUING, private_key=of["issuing"].key)
        self.policy_certificate = issue(self.root, self.policy, of["policy"], 2)
        self.issuing_certificate = issue(self.policy, self.issuing, of["issuing"], 3)
        self.server = issue(self.issuing, of["server"].name or SERVER, of["server"], 1001)
        self.server_key = of["server"].key or ec_key(of["server"].name or SERVER)
        folder.put("root.pem", self.root.certificate)
        folder.put("policy.pem", self.policy_certificate)
        folder.put("issuing.pem", self.issuing_certificate)
        folder.put("server.pem", self.server)
        folder.put_key("server.key", self.server_key)
        for issuer, certificate in (
            (self.policy, self.policy_certificate),
            (self.issuing, self.issuing_certificate),
        ):
            if any(one.url for one in of.values()):
                folder.publish(f"{BASE}/{slug(issuer)}.cer", certificate)
