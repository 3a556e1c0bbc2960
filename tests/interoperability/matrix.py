"""The cells of the matrix: every profile, key and password for files of ours, every form for files of theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from asn1crypto import pem
from asn1crypto.keys import PublicKeyAlgorithm
from asn1crypto.x509 import Certificate as Structure
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.lab import Authority, KeyType
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.private_keys import encode_private_key

from ..iterations import RELEASED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes

    from pkcs12kit.pkcs12.profiles import Profile

PROFILES: Final = RELEASED  # with their own counts, which conftest.py limits in other tests
_RSA: Final = partial(rsa.generate_private_key, 65537)
KEYS: Final[dict[str, Callable[[], CertificateIssuerPrivateKeyTypes]]] = {
    "rsa-2048": partial(_RSA, 2048),
    "ec-p256": partial(ec.generate_private_key, ec.SECP256R1()),
    "ec-p384": partial(ec.generate_private_key, ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa-4096": partial(_RSA, 4096),
    "rsa-pss": partial(_RSA, 2048),
    "ec-p521": partial(ec.generate_private_key, ec.SECP521R1()),
    "ec-secp256k1": partial(ec.generate_private_key, ec.SECP256K1()),
    "ed448": ed448.Ed448PrivateKey.generate,
    "ml-dsa-65": mldsa.MLDSA65PrivateKey.generate,
}
"""How to make a key of each kind; one for RSASSA-PSS alone is that because its certificate says so."""
WITH_EVERY_PASSWORD: Final = ("rsa-2048", "ec-p256", "ec-p384", "ed25519")
PASSWORDS: Final[dict[str, str | None]] = {
    "ASCII": "correct horse 42",
    "non-ASCII": "Grüße, Ελλάδα, 日本",
    "empty": "",
    "none": None,
}
FEW_ITERATIONS: Final = 1_000  # the least that every profile takes
OWN_COUNT: Final = "its own count"


class Reading(NamedTuple):
    """A file of ours, by the names of its profile, key and password; whether with the profile's own iterations."""

    profile: str
    key: str
    password: str
    own_count: bool = False

    def __str__(self) -> str:
        return "-".join((self.profile, self.key, self.password, *([OWN_COUNT] if self.own_count else [])))

    @property
    def protection(self) -> Profile:
        """The profile, with few iterations unless they are the point."""
        profile = PROFILES[self.profile]
        if self.own_count or not profile.takes_password:
            return profile
        return profile.with_iterations(
            encryption=FEW_ITERATIONS if profile.encryption_iterations else None,
            mac=FEW_ITERATIONS if profile.mac_iterations else None,
        )


class Writing(NamedTuple):
    """A file of theirs, by the names of its form (which each program has its own of), key and password."""

    form: str
    key: str
    password: str

    def __str__(self) -> str:
        return "-".join(self)


def passwords_for(profile: str, key: str = "ec-p256") -> tuple[str, ...]:
    """Tell which passwords a profile has; one with keys of the kinds that few people use."""
    passwords = ("ASCII", "non-ASCII", "empty") if PROFILES[profile].takes_password else ("none",)
    return passwords if key in WITH_EVERY_PASSWORD else passwords[:1]


READINGS: Final = tuple(
    [
        Reading(profile, key, password)
        for profile in PROFILES
        for key in KEYS
        for password in passwords_for(profile, key)
    ]
    + [Reading(profile, "ec-p256", passwords_for(profile)[0], own_count=True) for profile in PROFILES]
)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A private key and certificates, as some program found them; ``key`` is PKCS#8, DER."""

    key: bytes = field(repr=False)
    certificates: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, key: PrivateKeyTypes, certificates: tuple[Certificate, ...]) -> Contents:
        """Take a key and certificates of ours: of a key for ML-DSA its seed, whatever form it was read in."""
        if isinstance(key, MLDSA65PrivateKey):
            key = MLDSA65PrivateKey.from_seed_bytes(key.private_bytes_raw())
        encoded = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return cls(key=encoded, certificates=tuple(certificate.der for certificate in certificates))


class Outcome(NamedTuple):
    """Whether a cell is a yes, and if not, why."""

    yes: bool
    why: str = ""


class Refused(Exception):  # noqa: N818  # it is an answer, not an error
    """A program does not open or write a file; the text is what it says."""


def judge(expected: Contents, found: Contents, *, in_order: bool = True) -> Outcome:
    """Compare what a program found with what there is: the key, and every certificate in order."""
    if found.key != expected.key:
        return Outcome(yes=False, why="another private key")
    if sorted(found.certificates) != sorted(expected.certificates):
        return Outcome(yes=False, why=f"other certificates: {len(found.certificates)} of {len(expected.certificates)}")
    if in_order and found.certificates != expected.certificates:
        return Outcome(yes=False, why="another order")
    return Outcome(yes=True)


@dataclass(frozen=True, kw_only=True)
class Material:
    """What goes into each file: a bundle a kind of key, and the same as PEM files for programs that write."""

    bundles: dict[str, Bundle] = field(repr=False)
    folder: Path

    def contents(self, key: str) -> Contents:
        """The key of this kind with its certificates."""
        bundle = self.bundles[key]
        assert bundle.private_key is not None
        return Contents.of(bundle.private_key, bundle.certificates)

    def pem(self, key: str, part: str) -> Path:
        """The file of a ``part``: key, certificate, issuers or chain (all certificates)."""
        return self.folder / f"{key}-{part}.pem"

    def password_file(self, password: str) -> Path:
        """The file that holds a password and nothing else."""
        return self.folder / f"{password}.password"


def make_material(folder: Path, *, ca_key: KeyType = KeyType.EC_P256) -> Material:
    """Make a server's key of each kind below one chain of two CAs, and write it out."""
    root, issuing = (Authority.create(name, key_type=ca_key) for name in ("Root CA", "Issuing CA"))
    issuers = (root.issue_ca(issuing), root.certificate)
    material = Material(bundles={}, folder=folder)
    for name, generate in KEYS.items():
        key = generate()
        certificate = issuing.issue_server("mdm.example.mil", private_key=key).certificate
        if name == "rsa-pss":
            certificate = _for_pss_alone(certificate, issuing)
        material.bundles[name] = Bundle(
            private_key=key, certificates=(certificate, *issuers), friendly_name="mdm.example.mil"
        )
        encoded = pem.armor("PRIVATE KEY", encode_private_key(key, certificate))
        material.pem(name, "key").write_bytes(encoded)
        material.pem(name, "certificate").write_text(certificate.to_pem())
        material.pem(name, "issuers").write_text("".join(issuer.to_pem() for issuer in issuers))
        material.pem(name, "chain").write_text("".join(it.to_pem() for it in (certificate, *issuers)))
    for name, password in PASSWORDS.items():
        material.password_file(name).write_text(password or "", "utf-8")
    return material


def _for_pss_alone(certificate: Certificate, issuer: Authority) -> Certificate:
    """Issue a certificate again, for a key that signs by RSASSA-PSS alone (RFC 4055 section 1.2)."""
    structure = Structure.load(certificate.der)
    to_be_signed = structure["tbs_certificate"]
    to_be_signed["subject_public_key_info"]["algorithm"] = PublicKeyAlgorithm({"algorithm": "rsassa_pss"})
    if isinstance(issuer.private_key, ec.EllipticCurvePrivateKey):
        structure["signature_value"] = issuer.private_key.sign(to_be_signed.dump(), ec.ECDSA(hashes.SHA256()))
    else:
        assert isinstance(issuer.private_key, rsa.RSAPrivateKey)
        signature = issuer.private_key.sign(to_be_signed.dump(), padding.PKCS1v15(), hashes.SHA256())
        structure["signature_value"] = signature
    return Certificate.from_der(structure.dump())
