"""The table of readers beside the matrix: for each cell, what the table says and what the program does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.key_kinds import ML_DSA, KeyKind
from pkcs12kit.findings import Answer
from pkcs12kit.pkcs12.compatibility import of_profile
from pkcs12kit.pkcs12.features import Feature
from pkcs12kit.pkcs12.readers import find

from .expected import EXPECTED
from .matrix import PASSWORDS, PROFILES, READINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.pkcs12.compatibility import PfxFacts, ReaderVerdict

    from .matrix import Reading

READER_OF: Final = {
    # the entry of the table that stands for the version that was tried
    "openssl-3.0": "openssl-3.0",
    "openssl-3.5": "openssl-3.5",
    "java-17": "java-17",
    "java-21": "java-21.0.13",
    "java-25": "java-25.0.5",
    "keytool-17": "java-17",
    "keytool-21": "java-21.0.13",
    "keytool-25": "java-25.0.5",
    "bouncycastle-1.72": "bouncycastle-1.72",
    "bouncycastle-1.80": "bouncycastle-1.80",
    "pk12util-3.87": "nss-3.87",
    "pk12util-3.110": "nss-3.110",
    "certtool-3.7": "gnutls-3.7",
    "certtool-3.8": "gnutls-3.8.9",
    "go-crypto-0.4": "go-crypto-0.4",
    "go-crypto-0.25": "go-crypto-0.25",
    "go-sslmate-0.0": "go-sslmate-0.0",
    "go-sslmate-0.5": "go-sslmate-0.5",
}
_OWN: Final = {
    # the kinds of keys whose certificate is unlike that of most keys
    KeyKind.RSA_PSS: Feature.PSS_CERTIFICATE,
    KeyKind.DSA_2048: Feature.OTHER_CERTIFICATE,
    KeyKind.EC_P224: Feature.P224_CERTIFICATE,
    **dict.fromkeys((KeyKind.EC_SECP256K1, KeyKind.EC_BRAINPOOL), Feature.CURVE_CERTIFICATE),
    **dict.fromkeys((KeyKind.ED25519, KeyKind.ED448), Feature.EDDSA_CERTIFICATE),
    **dict.fromkeys(ML_DSA, Feature.ML_DSA_CERTIFICATE),
    KeyKind.SLH_DSA: Feature.SLH_DSA_CERTIFICATE,
}
KINDS: Final = {
    # the kind of each key of the matrix
    "rsa-1024": KeyKind.RSA_1024,
    "rsa-2048": KeyKind.RSA_2048,
    "rsa-4096": KeyKind.RSA_4096,
    "rsa-8192": KeyKind.RSA_8192,
    "rsa-pss": KeyKind.RSA_PSS,
    "dsa-2048": KeyKind.DSA_2048,
    "ec-p224": KeyKind.EC_P224,
    "ec-p256": KeyKind.EC_P256,
    "ec-p384": KeyKind.EC_P384,
    "ec-p521": KeyKind.EC_P521,
    "ec-secp256k1": KeyKind.EC_SECP256K1,
    **dict.fromkeys(("ec-brainpool-256", "ec-brainpool-384", "ec-brainpool-512"), KeyKind.EC_BRAINPOOL),
    "ed25519": KeyKind.ED25519,
    "ed448": KeyKind.ED448,
    **dict.fromkeys(("ml-dsa-44", "ml-dsa-44-expanded"), KeyKind.ML_DSA_44),
    **dict.fromkeys(("ml-dsa-65", "ml-dsa-65-expanded"), KeyKind.ML_DSA_65),
    **dict.fromkeys(("ml-dsa-87", "ml-dsa-87-expanded"), KeyKind.ML_DSA_87),
    "slh-dsa": KeyKind.SLH_DSA,
    "rsa-2048-version-2": KeyKind.RSA_2048,
    "ec-p256-version-2": KeyKind.EC_P256,
    "ed25519-version-2": KeyKind.ED25519,
}
BELOW: Final = {
    # the certificates of the CAs above a key on P-256
    "below-p224": Feature.P224_CERTIFICATE,
    "below-curves": Feature.CURVE_CERTIFICATE,
    "below-eddsa": Feature.EDDSA_CERTIFICATE,
    "below-pss": Feature.PSS_CERTIFICATE,
    "below-ml-dsa": Feature.ML_DSA_CERTIFICATE,
    "below-slh-dsa": Feature.SLH_DSA_CERTIFICATE,
}


class Pair(NamedTuple):
    """A cell of the matrix: what the program does, as expected there, and what the table says of it."""

    program: str
    cell: Reading
    opened: bool
    verdict: ReaderVerdict

    @property
    def cannot_sign(self) -> bool:
        """True where keytool copies a key that Java cannot use, as the matrix shows of Java."""
        return self.opened and self.verdict.answer is Answer.NO and "cannot sign with it" in self.verdict.why

    @property
    def agrees(self) -> bool:
        """True where both say the same, or the table says nothing."""
        if self.verdict.answer is Answer.UNKNOWN or self.cannot_sign:
            return True
        return (self.verdict.answer is Answer.YES) == self.opened


def facts_of(cell: Reading) -> PfxFacts:
    """Return the facts of the file of a cell."""
    kind = KINDS.get(cell.key, KeyKind.EC_P256)
    of_seed = kind in ML_DSA and "expanded" not in cell.key
    abilities = (kind, Feature.SEED_ONLY_KEY if of_seed else None, BELOW.get(cell.key, _OWN.get(kind)))
    text = PASSWORDS[cell.password]
    return replace(
        of_profile(PROFILES[cell.profile]),
        contents=tuple(ability for ability in abilities if ability is not None),
        version_2_key=cell.key.endswith("version-2"),
        empty_password=text == "",
        non_ascii_password=text is not None and not text.isascii(),
    )


def pairs() -> Iterator[Pair]:
    """Yield every cell of every program."""
    for program, reader in READER_OF.items():
        for cell in READINGS:
            opened = not any(refusal.is_for(program, cell) for refusal in EXPECTED.read)
            yield Pair(program, cell, opened, find(reader).judge(facts_of(cell)))
