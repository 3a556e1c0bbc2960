"""The table of readers beside the matrix: for each cell, what the table says and what the program does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.key_kinds import KeyKind
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
KINDS: Final[dict[str, tuple[KeyKind, tuple[Feature, ...]]]] = {
    # the kind of each key of the matrix, and what its certificate takes
    "rsa-2048": (KeyKind.RSA_2048, ()),
    "rsa-4096": (KeyKind.RSA_4096, ()),
    "rsa-pss": (KeyKind.RSA_PSS, (Feature.PSS_CERTIFICATE,)),
    "ec-p256": (KeyKind.EC_P256, ()),
    "ec-p384": (KeyKind.EC_P384, ()),
    "ec-p521": (KeyKind.EC_P521, ()),
    "ec-secp256k1": (KeyKind.EC_SECP256K1, (Feature.CURVE_CERTIFICATE,)),
    "ed25519": (KeyKind.ED25519, (Feature.EDDSA_CERTIFICATE,)),
    "ed448": (KeyKind.ED448, (Feature.EDDSA_CERTIFICATE,)),
    "ml-dsa-65": (KeyKind.ML_DSA_65, (Feature.ML_DSA_CERTIFICATE,)),
}


class Pair(NamedTuple):
    """A cell of the matrix: what the program does, as expected there, and what the table says of it."""

    program: str
    cell: Reading
    opened: bool
    verdict: ReaderVerdict

    @property
    def cannot_sign(self) -> bool:
        """True where the program reads a key that it cannot use, which the matrix does not try with every program."""
        return self.opened and self.verdict.answer is Answer.NO and "cannot sign with it" in self.verdict.why

    @property
    def agrees(self) -> bool:
        """True where both say the same, or the table says nothing."""
        if self.verdict.answer is Answer.UNKNOWN or self.cannot_sign:
            return True
        return (self.verdict.answer is Answer.YES) == self.opened


def facts_of(cell: Reading) -> PfxFacts:
    """Return the facts of the file of a cell."""
    kind, features = KINDS[cell.key]
    text = PASSWORDS[cell.password]
    facts = of_profile(PROFILES[cell.profile], key=kind)
    return replace(
        facts,
        contents=(*facts.contents, *features),
        empty_password=text == "",
        non_ascii_password=text is not None and not text.isascii(),
    )


def pairs() -> Iterator[Pair]:
    """Yield every cell of every program."""
    for program, reader in READER_OF.items():
        for cell in READINGS:
            opened = not any(refusal.is_for(program, cell) for refusal in EXPECTED.read)
            yield Pair(program, cell, opened, find(reader).judge(facts_of(cell)))
