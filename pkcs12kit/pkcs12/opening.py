"""The opening of a PFX, part by part, with the right password in the right encoding, within a budget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from pkcs12kit.errors import (
    ContentsPasswordError,
    InputError,
    MalformedPfxError,
    PfxError,
    PfxPasswordError,
    UnsupportedPfxError,
)
from pkcs12kit.pkcs12 import mac as macs
from pkcs12kit.pkcs12.algorithms import DecryptionError
from pkcs12kit.pkcs12.asn1 import is_one_sequence
from pkcs12kit.pkcs12.derivation import foresee
from pkcs12kit.pkcs12.encryption import CipherKey
from pkcs12kit.pkcs12.key_encodings import UnknownKeyError, UnusableKeyError
from pkcs12kit.pkcs12.passwords import AS_IT_WAS_SET, NO_PASSWORD, EncodedPassword, rare_encodings, usual_encodings
from pkcs12kit.pkcs12.pending_keys import derive_side_by_side
from pkcs12kit.pkcs12.private_keys import UnreadableKeyError, load_private_key
from pkcs12kit.pkcs12.structure import read_bags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.pkcs12.budget import WorkBudget
    from pkcs12kit.pkcs12.derivation import KeyDerivation
    from pkcs12kit.pkcs12.encryption import Encryption
    from pkcs12kit.pkcs12.entries import Entry
    from pkcs12kit.pkcs12.mac import Mac
    from pkcs12kit.pkcs12.passwords import Password
    from pkcs12kit.pkcs12.sealed_secrets import SealedSecret
    from pkcs12kit.pkcs12.structure import Bag, Pfx, Safe

T = TypeVar("T")

MAC: Final = "MAC"
CONTENTS: Final = "contents"
PRIVATE_KEY: Final = "private key"
SECRET_KEY: Final = "secret key"  # noqa: S105  # the name of a part

_PADDING_BEYOND_CHANCE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordUse:
    """The password that opened a part of a PFX: ``part`` is ``MAC``, ``contents``, ``private key`` or ``secret key``.

    ``kdf`` is the key derivation; ``encoding`` is the encoding of the password for it (``UTF-16BE with terminator``,
    ``UTF-8``, ``absent``, ``empty``, or one that deviates from the standards). ``contents_password`` is True for the
    second password.
    """

    part: str
    kdf: str
    encoding: str
    contents_password: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the use for ``inspect --json``."""
        return {
            "part": self.part,
            "kdf": self.kdf,
            "encoding": self.encoding,
            "contents_password": self.contents_password,
        }


def why_not_authentic(mac: Mac | None, uses: Iterable[PasswordUse]) -> str | None:
    """Return why anyone may have changed a PFX that was opened; None if its MAC verified with a password.

    ``uses`` are the password uses of the opening. Anyone can make a MAC with an absent or empty password.
    """
    if mac is None:
        return "the PKCS#12 file has no MAC, so changes to it cannot be detected"
    if any(use.part == MAC and use.encoding in NO_PASSWORD for use in uses):
        return (
            "the MAC of the PKCS#12 file was made without a password, as anyone can make it, so changes to the file"
            " cannot be detected"
        )
    return None


class _Trial(NamedTuple):
    candidate: EncodedPassword
    is_contents_password: bool


class Opener:
    """The opening of one PFX, which remembers the passwords that worked. Not shared between threads.

    ``contents_password`` is tried on contents and keys before ``password``; None if there is no second password. With
    ``require_mac`` a file that anyone may have changed is refused.
    """

    def __init__(
        self,
        pfx: Pfx,
        *,
        password: str | None,
        contents_password: str | None,
        budget: WorkBudget,
        require_mac: bool = False,
    ) -> None:
        self._pfx = pfx
        self._password = password
        self._contents_password = contents_password
        self._budget = budget
        self._require_mac = require_mac
        self._in_the_clear: dict[Safe, tuple[Bag, ...]] = {}
        self._worked: dict[str, list[_Trial]] = {}
        self._ahead: dict[tuple[Encryption, Password], CipherKey] = {}
        self._uses: dict[PasswordUse, None] = {}
        self._is_authenticated = False
        self._gave_up = False

    @property
    def uses(self) -> tuple[PasswordUse, ...]:
        """The password uses so far, each once."""
        return tuple(self._uses)

    def authenticate(self, *, keys: bool = True) -> None:
        """Verify the MAC, if there is one.

        Raises :class:`~pkcs12kit.errors.PfxPasswordError`, and :class:`~pkcs12kit.errors.PfxError` if a MAC is required
        and there is none, or one without a password.

        Before any work, all visible derivations are checked against the limits, each and all together; those of private
        keys only with ``keys``. When the MAC has verified, its password is nearly always that of the rest: then all
        visible keys are derived side by side. A wrong password costs no more than the MAC.
        """
        foresee(self._visible_derivations(keys=keys), self._budget)
        mac = self._pfx.mac
        if mac is None:
            self._check_authenticity()
            return

        def attempt(password: Password) -> bool | None:
            return macs.verify(mac, self._pfx.content, password, self._budget) or None

        if self._try(MAC, mac.derivation, attempt, octets=len(self._pfx.content)) is None:
            if self._password is None:
                raise PfxPasswordError("the PKCS#12 file is protected by a password, and none was given")
            raise PfxPasswordError(
                "the MAC of the PKCS#12 file does not verify with this password: the password is wrong or the file is"
                f" damaged{self._untried}"
            ).hinting(AS_IT_WAS_SET)
        self._check_authenticity()
        self._is_authenticated = True
        if self._contents_password is None:
            self._derive_ahead(self._visible_encryptions(keys=keys))

    def open_safe(self, safe: Safe) -> tuple[Bag, ...]:
        """Return the bags of one safe, decrypted if necessary.

        Raises :class:`~pkcs12kit.errors.PfxPasswordError` if no password decrypts it, and
        :class:`~pkcs12kit.errors.MalformedPfxError` if the password of the MAC decrypts it to something else than bags.
        """
        encryption = safe.encryption
        if encryption is None:
            if safe not in self._in_the_clear:
                self._in_the_clear[safe] = read_bags(safe.content, self._budget)
            return self._in_the_clear[safe]

        def read(plaintext: bytes) -> tuple[Bag, ...]:
            try:
                return read_bags(plaintext, self._budget)
            except MalformedPfxError:
                raise _MalformedPlaintextError from None

        return self._decrypt(CONTENTS, encryption, safe.content, read, [])

    def read_keys(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """Return the entries, with the private keys that can be read and the reasons why others cannot.

        Raises :class:`~pkcs12kit.errors.PfxPasswordError` if the password does not open a key and no other is read, or
        no password was given; and :class:`~pkcs12kit.errors.LimitExceededError`.
        """
        found = tuple(self.read_key(entry) if entry.bag.is_key else entry for entry in entries)
        closed = [entry.error for entry in found if isinstance(entry.error, PfxPasswordError)]
        has_password = self._password is not None or self._contents_password is not None
        if closed and not (has_password and any(entry.private_key is not None for entry in found)):
            raise closed[0]
        return found

    def read_key(self, entry: Entry) -> Entry:
        """Return the entry of a private key with the key, or with the reason why it is not read.

        The decrypted octets are there also for a key of an unknown algorithm, and for one that is damaged inside.
        Raises :class:`~pkcs12kit.errors.LimitExceededError`.
        """
        bag, undecoded = entry.bag, list[bytes]()
        try:
            info, key = self._open_key(bag, undecoded)
        except PfxError as error:
            return replace(entry, private_key_info=undecoded[0] if undecoded else None, error=error)
        return replace(entry, private_key_info=info, private_key=key)

    def open_secret(self, sealed: SealedSecret) -> bytes:
        """Return the octets of an encrypted secret. Raises as :meth:`open_safe` does.

        Nothing is known about them. The password is right if they are one SEQUENCE, as Java's secret keys are, or if
        the padding cannot be chance.
        """
        undecoded: list[bytes] = []

        def read(secret: bytes) -> bytes:
            if not is_one_sequence(secret):
                raise _MalformedPlaintextError
            return secret

        try:
            return self._decrypt(SECRET_KEY, sealed.encryption, sealed.ciphertext, read, undecoded)
        except PfxError:
            if not undecoded:
                raise
            return undecoded[0]

    def _open_key(self, bag: Bag, undecoded: list[bytes]) -> tuple[bytes, PrivateKeyTypes]:
        """Return the PrivateKeyInfo (RFC 5958) as encoded in the bag, and the key.

        Raises as :meth:`open_safe` does; octets that were decrypted and are not a key are then in ``undecoded``.
        """

        def read(info: bytes) -> tuple[bytes, PrivateKeyTypes]:
            try:
                return info, load_private_key(info, self._budget)
            except (UnknownKeyError, UnusableKeyError) as error:
                undecoded.insert(0, info)
                kind = UnsupportedPfxError if isinstance(error, UnknownKeyError) else MalformedPfxError
                raise kind(f"the PKCS#12 file holds {error}") from None
            except UnreadableKeyError:
                raise _MalformedPlaintextError from None

        if bag.fault is not None:
            raise MalformedPfxError(f"the PKCS#12 file holds a {bag.type} that is damaged")
        if bag.encryption is not None:
            return self._decrypt(PRIVATE_KEY, bag.encryption, bag.content, read, undecoded)
        try:
            return read(bag.content)
        except _MalformedPlaintextError:
            undecoded.append(bag.content)
            raise MalformedPfxError("the PKCS#12 file holds a private key that cannot be read") from None

    def _check_authenticity(self) -> None:
        why = why_not_authentic(self._pfx.mac, self.uses)
        if self._require_mac and why is not None:
            raise PfxError(f"{why} (a MAC is required)")

    def _visible_derivations(self, *, keys: bool) -> Iterator[KeyDerivation]:
        visible = [self._pfx.mac, *self._visible_encryptions(keys=keys)]
        derivations = (protection.derivation for protection in visible if protection is not None)
        yield from (derivation for derivation in derivations if derivation is not None)

    def _visible_encryptions(self, *, keys: bool) -> Iterator[Encryption]:
        yield from (safe.encryption for safe in self._pfx.safes if safe.encryption is not None)
        for safe in self._pfx.safes:
            if safe.encryption is None and keys:
                yield from (bag.encryption for bag in self.open_safe(safe) if bag.encryption is not None)

    def _derive_ahead(self, encryptions: Iterable[Encryption]) -> None:
        """Derive the keys that will be tried first, side by side."""
        for encryption in dict.fromkeys(encryptions):
            trial, _ = next(self._trials(CONTENTS, encryption.kdf or ""))
            password = trial.candidate.octets
            try:
                self._ahead[encryption, password] = CipherKey(encryption, password, self._budget)
            except InputError:  # it is raised where this part is opened
                continue
        derive_side_by_side(pending for cipher_key in self._ahead.values() for pending in cipher_key.pending)

    def _decrypt(
        self,
        part: str,
        encryption: Encryption,
        ciphertext: bytes,
        read: Callable[[bytes], T],
        undecoded: list[bytes],
    ) -> T:
        """Return what ``read`` makes of the plaintext. A regular plaintext that it cannot read is in ``undecoded``."""

        def attempt(password: Password) -> T | None:
            self._budget.decipher(len(ciphertext))
            cipher_key = self._ahead.pop((encryption, password), None)
            try:
                plaintext = (cipher_key or CipherKey(encryption, password, self._budget)).decrypt(ciphertext)
            except DecryptionError:
                return None
            try:
                return read(plaintext)
            except _MalformedPlaintextError:
                if _is_by_the_right_key(plaintext, padding=len(ciphertext) - len(plaintext)):
                    undecoded.append(plaintext)
                return None

        opened = self._try(part, encryption.derivation, attempt, octets=len(ciphertext))
        if opened is not None:
            return opened
        if undecoded and self._is_authenticated:
            raise MalformedPfxError(f"the MAC of the PKCS#12 file verifies, but its {part} cannot be read")
        if self._is_authenticated:
            raise ContentsPasswordError(
                f"the MAC of the PKCS#12 file verifies, but its {part} cannot be decrypted with the same password:"
                f" there may be another password for it{self._untried}"
            )
        raise PfxPasswordError(
            f"the {part} of the PKCS#12 file cannot be decrypted: wrong password or damaged file{self._untried}"
        ).hinting(AS_IT_WAS_SET)

    def _try(
        self, part: str, derivation: KeyDerivation | None, attempt: Callable[[Password], T | None], *, octets: int
    ) -> T | None:
        kdf = derivation.algorithm if derivation is not None else ""
        iterations = derivation.iterations if derivation is not None else None
        for trial, is_rare in self._trials(part, kdf):
            if is_rare and not self._budget.retry(iterations, octets):
                self._gave_up = True
                break
            opened = attempt(trial.candidate.octets)
            if opened is not None:
                worked = self._worked.setdefault(kdf, [])
                if trial not in worked:
                    worked.append(trial)
                use = PasswordUse(
                    part=part,
                    kdf=kdf,
                    encoding=trial.candidate.encoding,
                    contents_password=trial.is_contents_password,
                )
                self._uses[use] = None
                return opened
        return None

    def _trials(self, part: str, kdf: str) -> Iterator[tuple[_Trial, bool]]:
        """Yield trials, and True for rare ones: first those that worked, then usual encodings, then rare ones."""
        passwords = [(self._password, False)]
        if part != MAC and self._contents_password is not None:
            passwords.insert(0, (self._contents_password, True))
        tried = list(self._worked.get(kdf, ()))
        for worked in tried:
            yield worked, False
        for encodings, is_rare in ((usual_encodings, False), (rare_encodings, True)):
            for password, is_contents_password in passwords:
                for candidate in encodings(password, kdf):
                    trial = _Trial(candidate, is_contents_password)
                    if trial not in tried:
                        yield trial, is_rare

    @property
    def _untried(self) -> str:
        limit = self._budget.limits.pfx_retry_iterations
        if not self._gave_up:
            return ""
        return f" (rare encodings of it were not tried; limits.pfx_retry_iterations is {limit:,})"


def _is_by_the_right_key(plaintext: bytes, *, padding: int) -> bool:
    """Return True if an unparsable plaintext is too regular to come from a wrong key.

    Correct padding is not enough: a wrong key makes one octet of padding once in 2**8 times, and n octets once in
    2**8n. A SEQUENCE as long as the plaintext occurs by chance once in 2**16 times if that has less than 128 octets,
    and once in 2**24 or less often if it has more; with padding, 2**8 times less often than that.
    """
    return padding >= _PADDING_BEYOND_CHANCE or is_one_sequence(plaintext)


class _MalformedPlaintextError(Exception):
    """A part was decrypted, but not to the expected structure."""
