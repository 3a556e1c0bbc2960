"""An archive as DISA publishes it: PKCS#7, a root, a README, and a signed list of checksums."""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from dataclasses import dataclass
from io import BytesIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from pkcs12kit import lab
from pkcs12kit.lab import extensions as ext

FOLDER = "Certificates_PKCS7_v5_14_DoD/"
CHECKSUMS = f"{FOLDER}Certificates_PKCS7_v5_14_DoD.sha256"
BUNDLE = f"{FOLDER}Certificates_PKCS7_v5_14_DoD.der.p7b"
OF_THE_ROOT = f"{FOLDER}Certificates_PKCS7_v5_14_DoD_DoD_Root_CA_3.der.p7b"
CHAIN = f"{FOLDER}DoD_PKE_CA_chain.pem"
README = f"{FOLDER}README.txt"


@dataclass(frozen=True)
class Signer:
    """A certificate, its key, and the certificates that go into the SignedData."""

    certificate: object
    private_key: object
    others: tuple = ()


class Publisher:
    """A PKI whose publisher signs lists. ``root`` > ``email_ca`` > ``signer``; ``root`` > ``issuing`` is published."""

    def __init__(self):
        self.root = lab.Authority.create("DoD Root CA 3")
        self.email_ca = lab.Authority.create("DOD EMAIL CA-41")
        self.email_certificate = self.root.issue_ca(self.email_ca)
        self.issuing = lab.Authority.create("DOD SW CA-60")
        self.issuing_certificate = self.root.issue_ca(self.issuing)
        self.certificates = (self.root.certificate, self.issuing_certificate)
        self.signer = self.make_signer()

    def make_signer(
        self,
        *,
        validity=None,
        purpose=ExtendedKeyUsageOID.EMAIL_PROTECTION,
        usage="digital_signature",
        issuer=None,
        key=None,
    ):
        """A signer below ``email_ca``, or another issuer."""
        issuer = issuer or self.email_ca
        key = key or lab.KeyType.EC_P256.generate()
        certificate = issuer.issue(
            "DoD PKE of the lab",
            key.public_key(),
            validity=validity,
            extensions=(
                ext.critical(ext.key_usage(usage)),
                ext.non_critical(x509.ExtendedKeyUsage([purpose])),
                ext.non_critical(ext.subject_key_identifier(key.public_key())),
            ),
        )
        return Signer(certificate, key, (self.email_certificate,) if issuer is self.email_ca else ())

    def sign(self, content, *, signer=None, encoding=Encoding.DER, options=(pkcs7.PKCS7Options.Binary,)):
        """Sign bytes as CMS SignedData with the content inside."""
        signer = signer or self.signer
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        builder = builder.add_signer(signer.certificate.as_cryptography, signer.private_key, hashes.SHA256())
        for other in signer.others:
            builder = builder.add_certificate(other.as_cryptography)
        return builder.sign(encoding, list(options))

    def files(self):
        """The files of an archive, without the checksums."""
        return {
            BUNDLE: as_pkcs7(self.certificates),
            OF_THE_ROOT: as_pkcs7(self.certificates),
            CHAIN: self.root.certificate.to_pem().encode(),
            README: b"How to verify this\r\n",
        }

    def archive(self, files=None, *, listing=None, checksums=None, **signing):
        """An archive with a signed list of its files, or with these bytes as ``checksums``; None leaves them out."""
        files = self.files() if files is None else files
        listing = list_of(files) if listing is None else listing
        signed = self.sign(listing, **signing) if checksums is None else checksums
        return as_zip([*files.items(), (CHECKSUMS, signed)])


def list_of(files, *, line="{digest}  {name}\r\n"):
    """A list of checksums in DISA's form: SHA-256, name within the folder, CR LF."""
    lines = (
        line.format(digest=hashlib.sha256(data).hexdigest(), name=name.removeprefix(FOLDER))
        for name, data in files.items()
    )
    return "".join(lines).encode()


def as_pkcs7(certificates):
    """Certificates as PKCS#7 in DER."""
    return pkcs7.serialize_certificates([each.as_cryptography for each in certificates], Encoding.DER)


def as_zip(members):
    """A zip archive of names and bytes, with as many files of one name as there are."""
    buffer = BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # zipfile's own, of two files of one name
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def publisher():
    """The publisher of the bundles."""
    return Publisher()


@pytest.fixture(scope="session")
def parts():
    """The file names in an archive of the publisher, and functions that make one."""

    class Parts:
        folder, checksums, bundle, of_the_root, chain, readme = FOLDER, CHECKSUMS, BUNDLE, OF_THE_ROOT, CHAIN, README
        as_zip, as_pkcs7, list_of = staticmethod(as_zip), staticmethod(as_pkcs7), staticmethod(list_of)

    return Parts
