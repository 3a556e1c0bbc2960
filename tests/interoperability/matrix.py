"""The cells of the matrix: every profile, key and password for files of ours, every form for files of theirs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from asn1crypto import pem
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.lab import Authority, KeyType
from pkcs12kit.pkcs12.bags import certificate_bag
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.encoder import PlainKey, encode_contents, encode_pfx
from pkcs12kit.pkcs12.private_keys import encode_private_key

from ..iterations import RELEASED
from .rare_contents import RARE, rare_contents
from .unusual_certificates import for_pss_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
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
RARE_PROFILES: Final = ("modern-2023", "legacy-3des")  # every program opens files of one of them
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
    + [Reading(profile, name, "ASCII") for profile in RARE_PROFILES for name in RARE]
)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A private key and certificates, as some program found them; ``key`` is PKCS#8, DER."""

    key: bytes = field(repr=False)
    certificates: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def of(cls, key: PrivateKeyTypes, certificates: tuple[Certificate, ...]) -> Contents:
        """Take a key and certificates of ours: of a key for ML-DSA its seed, whatever form it was read in."""
        for kind in (mldsa.MLDSA44PrivateKey, mldsa.MLDSA65PrivateKey, mldsa.MLDSA87PrivateKey):
            if isinstance(key, kind):
                key = kind.from_seed_bytes(key.private_bytes_raw())
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
    key_infos: dict[str, bytes] = field(default_factory=dict, repr=False)
    """The encodings of keys that are not pkcs12kit's own; the bundle has no key where pyca/cryptography has none."""

    def contents(self, key: str) -> Contents:
        """The key of this kind with its certificates."""
        bundle = self.bundles[key]
        if bundle.private_key is None:
            return Contents(key=self.key_infos[key], certificates=tuple(it.der for it in bundle.certificates))
        return Contents.of(bundle.private_key, bundle.certificates)

    def file_of(self, reading: Reading) -> bytes:
        """A file of ours, as :func:`encode_pfx` makes it but for the encoding of the key."""
        bundle, password, profile = self.bundles[reading.key], PASSWORDS[reading.password], reading.protection
        if reading.key not in self.key_infos:
            return encode_pfx(bundle, password=password, profile=profile)
        names = {"friendly_name": bundle.friendly_name, "local_key_id": b"any"}
        bags = [
            certificate_bag(one.der, **(names if one is bundle.certificates[0] else {"friendly_name": alias}))
            for one, alias in zip(bundle.certificates, bundle.aliases, strict=True)
        ]
        key = PlainKey(private_key_info=self.key_infos[reading.key], **names)
        return encode_contents(bags, [key], password=password, profile=profile)

    def pem(self, key: str, part: str) -> Path:
        """The file of a ``part``: key, certificate, issuers or chain (all certificates)."""
        return self.folder / f"{key}-{part}.pem"

    def password_file(self, password: str) -> Path:
        """The file that holds a password and nothing else."""
        return self.folder / f"{password}.password"


def add_rare_contents(material: Material) -> None:
    """Add what only other programs read: it is written to no PEM files."""
    for name, contents in rare_contents().items():
        material.bundles[name] = contents.bundle
        if contents.key_info:
            material.key_infos[name] = contents.key_info


def make_material(folder: Path, *, ca_key: KeyType = KeyType.EC_P256) -> Material:
    """Make a server's key of each kind below one chain of two CAs, and write it out."""
    root, issuing = (Authority.create(name, key_type=ca_key) for name in ("Root CA", "Issuing CA"))
    issuers = (root.issue_ca(issuing), root.certificate)
    material = Material(bundles={}, folder=folder)
    for name, generate in KEYS.items():
        key = generate()
        certificate = issuing.issue_server("mdm.example.mil", private_key=key).certificate
        if name == "rsa-pss":
            certificate = for_pss_only(certificate, issuing)
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
