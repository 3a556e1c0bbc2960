"""Compatibility: the facts of a PFX that decide which programs open it, and the verdict of one program on them.

The facts are algorithms, iterations, MAC, password, keys and certificates, of any file or profile. :class:`Reader`
holds the knowledge about one version of a program, or about several; the table of readers is in
:mod:`~pkcs12kit.pkcs12.reader_table`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.findings import Answer, Evidence
from pkcs12kit.pkcs12.features import Feature, contents_of
from pkcs12kit.pkcs12.protection import HMAC, PBES2, PBKDF2, PBMAC1, PKCS12KDF
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.key_kinds import KeyKind
    from pkcs12kit.pkcs12.encryption import Encryption
    from pkcs12kit.pkcs12.features import Ability
    from pkcs12kit.pkcs12.mac import Mac
    from pkcs12kit.pkcs12.protection import Profile, Scheme


_KNOWN: Final[dict[tuple[str, str | None, str | None, str | None], Feature]] = {
    (PBES2, "AES-128-CBC", PBKDF2, "SHA-256"): Feature.AES,
    (PBES2, "AES-192-CBC", PBKDF2, "SHA-256"): Feature.AES,
    (PBES2, "AES-256-CBC", PBKDF2, "SHA-256"): Feature.AES,
    ("pbeWithSHAAnd3-KeyTripleDES-CBC", "DES-EDE3-CBC", PKCS12KDF, "SHA-1"): Feature.TRIPLE_DES,
    ("pbeWithSHAAnd40BitRC2-CBC", "RC2-40-CBC", PKCS12KDF, "SHA-1"): Feature.RC2_40,
    (HMAC, None, PKCS12KDF, "SHA-1"): Feature.MAC_SHA1,
    (HMAC, None, PKCS12KDF, "SHA-256"): Feature.MAC_SHA256,
    (PBMAC1, None, PBKDF2, "SHA-256"): Feature.PBMAC1,
}
_PKCS12_CIPHERS: Final = {algorithm: cipher for algorithm, cipher, kdf, _ in _KNOWN if kdf == PKCS12KDF and cipher}


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """One use of the password, an encryption or the MAC, with names as in ``inspect --json``.

    ``algorithm`` is ``PBES2``, a name of RFC 7292 appendix C, ``HMAC`` or ``PBMAC1``, or a dotted object identifier;
    ``cipher`` is None for a MAC; ``kdf`` is ``PBKDF2``, ``PKCS12KDF`` or another. ``iterations`` and ``salt_length``
    (bytes) are None if the file does not state them.
    """

    algorithm: str
    cipher: str | None = None
    kdf: str | None = None
    digest: str | None = None
    iterations: int | None = None
    salt_length: int | None = None

    @property
    def features(self) -> tuple[Feature, ...]:
        """The abilities that a reader needs for it; empty if the table of readers does not cover it."""
        known = _KNOWN.get((self.algorithm, self.cipher, self.kdf, self.digest))
        if known is None:
            return ()
        return (known, Feature.PKCS12KDF) if self.kdf == PKCS12KDF else (known,)

    def __str__(self) -> str:
        return " with ".join(filter(None, (self.algorithm, self.cipher, self.kdf, self.digest)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PfxFacts:
    """The facts of a PFX that decide which readers open it.

    ``encryptions`` are those of every SafeContents and every shrouded key; ``mac`` is None if there is no MAC.
    ``clear_certificates`` and ``clear_key`` are True if there are certificates or keys that are not encrypted, and
    ``version_2_key`` if a key is in version 2 of PKCS#8, or has a public key beside it (RFC 5958). ``contents`` are the
    abilities that the private keys and the certificates take, whatever the protection is, as far as they are known.
    ``empty_password`` and ``non_ascii_password`` are None if the password is not known. ``complete`` is False if some
    contents were not opened, so that there may be more facts; no reader is then known to open the file.
    """

    encryptions: tuple[Protection, ...]
    mac: Protection | None
    clear_certificates: bool = False
    clear_key: bool = False
    version_2_key: bool = False
    empty_password: bool | None = None
    non_ascii_password: bool | None = None
    contents: tuple[Ability, ...] = ()
    complete: bool = True

    @property
    def protections(self) -> tuple[Protection, ...]:
        """Every use of the password, in file order, the MAC last."""
        return self.encryptions if self.mac is None else (*self.encryptions, self.mac)

    @property
    def features(self) -> tuple[Ability, ...]:
        """The abilities that a reader needs for the whole file, each once."""
        return tuple(dict.fromkeys(self._features()))

    @property
    def of_protection(self) -> PfxFacts:
        """The facts without those about keys and certificates, as of a profile."""
        return replace(self, contents=(), complete=True)

    def _features(self) -> Iterator[Ability]:
        for protection in self.protections:
            yield from protection.features
        if self.mac is None:
            yield Feature.NO_MAC
        if self.clear_certificates:
            yield Feature.CLEAR_CERTIFICATES
        if self.clear_key:
            yield Feature.CLEAR_KEY
        if self.version_2_key:
            yield Feature.VERSION_2_KEY
        if self.empty_password:
            yield Feature.EMPTY_PASSWORD
        if self.non_ascii_password:
            yield Feature.NON_ASCII_PASSWORD
        yield from self.contents


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderStatement:
    """One statement about a reader. ``source`` is an address, or the program and version that were tried.

    ``version`` is the name of the version that it is about, where the reader stands for several.
    """

    feature: Ability
    opens: bool
    evidence: Evidence
    source: str
    note: str = ""
    version: str = ""

    def __str__(self) -> str:
        which = f"{self.version} " if self.version else ""
        note = f" ({self.note})" if self.note else ""
        verb = "opens" if self.opens else "does not open"
        return f"{which}{verb} {self.feature.value}{note}; {self.evidence.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The iteration counts that a reader accepts, and the shortest salt in bytes. None if no limit is known.

    ``total`` is for all uses of the password in a file together.
    """

    encryption: int | None = None
    mac: int | None = None
    total: int | None = None
    minimum: int = 1
    salt_length: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderVerdict:
    """The answer for one reader and one file, with the reason and the sources of the statements.

    ``versions`` are the names of the versions that the reader stands for.
    """

    answer: Answer
    why: str
    sources: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return the verdict for ``inspect --json``."""
        return {
            "opens": self.answer.value,
            "why": self.why,
            "sources": list(self.sources),
            "versions": list(self.versions),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A program or library that opens PFX files. ``name`` is its name for ``--for``; ``title`` names its versions.

    ``versions`` are the names of the entries of the table that it stands for; empty for itself only. ``remark`` is a
    sentence that says so; empty if the name is that of an entry.
    """

    name: str
    title: str
    statements: tuple[ReaderStatement, ...]
    bounds: Bounds = field(default_factory=Bounds)
    versions: tuple[str, ...] = ()
    remark: str = ""

    @property
    def entries(self) -> tuple[str, ...]:
        """The names of the entries of the table that it stands for."""
        return self.versions or (self.name,)

    def statement_on(self, feature: Ability) -> ReaderStatement | None:
        """Return the statement about one ability, None if nothing is known."""
        return next((statement for statement in self.statements if statement.feature is feature), None)

    def judge(self, facts: PfxFacts) -> ReaderVerdict:
        """Return the verdict on a file with these facts: no if one fact is refused, else unknown if one is unknown."""
        return replace(self._judge(facts), versions=self.entries)

    def _judge(self, facts: PfxFacts) -> ReaderVerdict:
        known = [statement for statement in map(self.statement_on, facts.features) if statement is not None]
        sources = tuple(dict.fromkeys(statement.source for statement in known))
        refused = [statement for statement in known if not statement.opens]
        if refused:
            why = "; ".join(map(str, refused))
            return ReaderVerdict(answer=Answer.NO, why=why, sources=tuple(statement.source for statement in refused))
        if beyond := tuple(self._beyond(facts)):
            return ReaderVerdict(answer=Answer.NO, why="; ".join(beyond), sources=(self.bounds.source,))
        unknown = tuple(self._unknown(facts))
        if unknown:
            return ReaderVerdict(
                answer=Answer.UNKNOWN, why=f"nothing is known about {', '.join(unknown)}", sources=sources
            )
        why = ", ".join(feature.value for feature in facts.features if feature is not Feature.PKCS12KDF)
        if not facts.complete:
            why = f"it opens {why}; not all contents were opened, and keys and certificates count too"
            return ReaderVerdict(answer=Answer.UNKNOWN, why=why, sources=sources)
        return ReaderVerdict(answer=Answer.YES, why=why, sources=sources)

    def _unknown(self, facts: PfxFacts) -> Iterator[str]:
        for protection in facts.protections:
            if not protection.features:
                yield str(protection)
        for feature in facts.features:
            # A reader without a statement on PKCS12KDF opens it.
            if feature is not Feature.PKCS12KDF and self.statement_on(feature) is None:
                yield feature.value

    def _beyond(self, facts: PfxFacts) -> Iterator[str]:
        total = 0
        for protection in facts.protections:
            limit = self.bounds.mac if protection is facts.mac else self.bounds.encryption
            yield from self._beyond_of(protection, limit)
            total += protection.iterations or 0
        if self.bounds.total is not None and total > self.bounds.total:
            yield f"{counted(total, 'iteration')} in all, and at most {self.bounds.total:,} are allowed"

    def _beyond_of(self, protection: Protection, limit: int | None) -> Iterator[str]:
        iterations = protection.iterations
        if iterations is not None and limit is not None and iterations > limit:
            yield f"{protection}: {counted(iterations, 'iteration')}, and at most {limit:,} are allowed"
        if iterations is not None and iterations < self.bounds.minimum:
            yield f"{protection}: {counted(iterations, 'iteration')}, and at least {self.bounds.minimum:,} are needed"
        if protection.salt_length is not None and protection.salt_length < self.bounds.salt_length:
            salt = counted(protection.salt_length, "byte")
            yield f"{protection}: a salt of {salt}, and at least {self.bounds.salt_length} are needed"

    def cap(self, profile: Profile) -> Profile:
        """Return the profile with iteration counts that this reader accepts. Its total is divided evenly."""
        if not profile.takes_password:
            return profile
        each = [] if self.bounds.total is None else [self.bounds.total // len(of_profile(profile).protections)]
        return profile.with_iterations(
            encryption=min([profile.encryption_iterations, *_given(self.bounds.encryption), *each]),
            mac=min([profile.mac_iterations, *_given(self.bounds.mac), *each]),
        )


def merge(name: str, readers: Sequence[Reader], remark: str) -> Reader:
    """Return a reader that stands for several: it opens what all of them are known to open.

    If one of them refuses something, it does; if nothing is known about one of them, nothing is known. Its limits are
    the narrowest. ``remark`` is a sentence about the name.
    """
    abilities = dict.fromkeys(statement.feature for reader in readers for statement in reader.statements)
    merged = (_merged_statement(ability, readers) for ability in abilities)
    return Reader(
        name=name,
        title="; ".join(reader.title for reader in readers),
        statements=tuple(statement for statement in merged if statement is not None),
        bounds=_merged_bounds([reader.bounds for reader in readers]),
        versions=tuple(dict.fromkeys(entry for reader in readers for entry in reader.entries)),
        remark=remark,
    )


def _merged_statement(ability: Ability, readers: Sequence[Reader]) -> ReaderStatement | None:
    found = [(reader, reader.statement_on(ability)) for reader in readers]
    known = [replace(statement, version=reader.name) for reader, statement in found if statement is not None]
    refusal = next((statement for statement in known if not statement.opens), None)
    if refusal is not None:
        return refusal
    return known[0] if len(known) == len(readers) else None


def _merged_bounds(bounds: Sequence[Bounds]) -> Bounds:
    """Return the narrowest of several limits."""
    return Bounds(
        encryption=min((it.encryption for it in bounds if it.encryption is not None), default=None),
        mac=min((it.mac for it in bounds if it.mac is not None), default=None),
        total=min((it.total for it in bounds if it.total is not None), default=None),
        minimum=max(it.minimum for it in bounds),
        salt_length=max(it.salt_length for it in bounds),
        source=", ".join(dict.fromkeys(it.source for it in bounds if it.source)),
    )


def of_profile(
    profile: Profile, *, with_key: bool = True, key: KeyKind | None = None, certificates: Iterable[Certificate] = ()
) -> PfxFacts:
    """Return the facts of a file of ours under a profile, with a key unless ``with_key`` is False.

    ``key`` is the kind of the key; None leaves it open. The password is left open.
    """
    schemes = [profile.certificate_encryption, *([profile.key_encryption] if with_key else [])]
    encryptions = [_protection(scheme, profile) for scheme in schemes if scheme is not None]
    mac = None
    if profile.mac_algorithm is not None:
        mac = Protection(
            algorithm=profile.mac_algorithm,
            kdf=PBKDF2 if profile.mac_algorithm == PBMAC1 else PKCS12KDF,
            digest=profile.mac_digest,
            iterations=profile.mac_iterations,
            salt_length=profile.mac_salt_length,
        )
    return PfxFacts(
        encryptions=tuple(encryptions),
        mac=mac,
        clear_certificates=profile.certificate_encryption is None,
        clear_key=with_key and profile.key_encryption is None,
        contents=contents_of(key, certificates),
    )


def _protection(scheme: Scheme, profile: Profile) -> Protection:
    pbes2 = scheme.algorithm == PBES2
    return Protection(
        algorithm=scheme.algorithm,
        cipher=scheme.cipher if pbes2 else _PKCS12_CIPHERS.get(scheme.algorithm),
        kdf=PBKDF2 if pbes2 else PKCS12KDF,
        digest=scheme.digest if pbes2 else "SHA-1",
        iterations=profile.encryption_iterations,
        salt_length=profile.encryption_salt_length,
    )


def of_encryption(encryption: Encryption) -> Protection:
    """Return the facts of an encryption that a file states."""
    return Protection(
        algorithm=encryption.algorithm,
        cipher=encryption.cipher,
        kdf=encryption.kdf,
        digest=encryption.digest,
        iterations=encryption.iterations,
        salt_length=None if encryption.salt is None else len(encryption.salt),
    )


def of_mac(mac: Mac) -> Protection:
    """Return the facts of a MAC that a file states. If PBKDF2 has another digest than HMAC, both are named."""
    prf = None if mac.derivation is None else mac.derivation.digest
    return Protection(
        algorithm=mac.algorithm,
        kdf=None if mac.derivation is None else mac.derivation.algorithm,
        digest=mac.digest if prf in {mac.digest, None} else f"{mac.digest} and {prf}",
        iterations=mac.iterations,
        salt_length=None if mac.salt is None else len(mac.salt),
    )


def _given(limit: int | None) -> list[int]:
    return [] if limit is None else [limit]
