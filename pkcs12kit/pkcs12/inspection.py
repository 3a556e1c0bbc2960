"""The anatomy of a PFX: what can be known without its password, and what with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.errors import InputError, MalformedCertificateError, PfxError, PfxPasswordError, UnsupportedPfxError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.budget import Budget
from pkcs12kit.pkcs12.decoder import authenticate, is_key, matches, open_key, open_safe
from pkcs12kit.pkcs12.structure import read_bags, read_pfx

if TYPE_CHECKING:
    import os

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.encryption import Encryption
    from pkcs12kit.pkcs12.mac import Mac
    from pkcs12kit.pkcs12.passwords import Password
    from pkcs12kit.pkcs12.structure import Bag, Pfx, Safe

_Opened: TypeAlias = "tuple[tuple[Bag, ...] | None, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class BagReport:
    """One bag: its type by RFC 7292's name (``certBag``, ``pkcs8ShroudedKeyBag``, ...) or dotted object identifier.

    ``local_key_id`` is bytes. ``certificate`` is None where the bag holds none, or one that no reader makes sense of;
    ``encryption`` is a shrouded key's own. ``end_entity`` marks the certificate that belongs to a private key of the
    file: by local key ID, or, where none does so and the password is there, by the key itself.
    """

    type: str
    friendly_name: str | None
    local_key_id: bytes | None
    certificate: Certificate | None = None
    encryption: Encryption | None = None
    end_entity: bool = False

    def to_json(self) -> dict[str, object]:
        """Describe it for ``inspect --json``."""
        return {
            "type": self.type,
            "friendly_name": self.friendly_name,
            "local_key_id": None if self.local_key_id is None else self.local_key_id.hex(),
            "certificate": None if self.certificate is None else self.certificate.to_json(),
            "encryption": None if self.encryption is None else self.encryption.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeContentsReport:
    """One SafeContents. ``encryption`` is None where it lies in the clear, ``bags`` None where it stays closed."""

    encryption: Encryption | None
    bags: tuple[BagReport, ...] | None

    def to_json(self) -> dict[str, object]:
        """Describe it for ``inspect --json``."""
        return {
            "encryption": None if self.encryption is None else self.encryption.to_json(),
            "bags": None if self.bags is None else [bag.to_json() for bag in self.bags],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PfxReport:
    """What a PFX is made of, in file order; never a key or a password.

    ``mac`` is None where there is none. ``mac_verified`` is True or False where a password was tried, None where there
    was nothing to try: no password, no MAC, or a MAC of an algorithm that is not supported.
    """

    mac: Mac | None
    safe_contents: tuple[SafeContentsReport, ...]
    mac_verified: bool | None

    @property
    def end_entity(self) -> Certificate | None:
        """The first certificate that belongs to a private key of the file, None where none is known to."""
        return next(
            (
                bag.certificate
                for safe in self.safe_contents
                for bag in safe.bags or ()
                if bag.end_entity and bag.certificate is not None
            ),
            None,
        )

    def to_json(self) -> dict[str, object]:
        """Describe it for ``inspect --json``."""
        return {
            "mac": None if self.mac is None else self.mac.to_json(),
            "safe_contents": [safe.to_json() for safe in self.safe_contents],
            "mac_verified": self.mac_verified,
        }


def inspect_pfx(
    source: str | os.PathLike[str] | bytes, *, password: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> PfxReport:
    """Take a PFX apart: ``source`` is its path, or its bytes.

    Without ``password`` nothing is decrypted. With one, the MAC is verified first, and a wrong password shows no more
    than none does. No certificate is checked against another.

    Raises :class:`~pkcs12kit.errors.InputError` where there is no such file,
    :class:`~pkcs12kit.errors.MalformedPfxError`, :class:`~pkcs12kit.errors.UnsupportedPfxError` where even the
    structure is not known, and :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    budget = Budget(limits)
    data = source if isinstance(source, bytes) else _read(Path(source), limits)
    pfx = read_pfx(data, budget)
    mac_verified, encodings = _authenticate(pfx, password, budget)
    opened: _Opened = tuple(_open_safe(pfx, safe, encodings, budget) for safe in pfx.safes)
    key_ids = frozenset(bag.local_key_id for bag in _bags(opened) if is_key(bag) and bag.local_key_id is not None)
    linked = any(bag.type == "certBag" and bag.local_key_id in key_ids for bag in _bags(opened))
    keys = () if linked else tuple(_keys(pfx, opened, encodings, budget))
    return PfxReport(
        mac=pfx.mac,
        safe_contents=tuple(
            SafeContentsReport(
                encryption=safe.encryption,
                bags=None if bags is None else tuple(_describe(bag, keys, key_ids) for bag in bags),
            )
            for safe, bags in zip(pfx.safes, opened, strict=True)
        ),
        mac_verified=mac_verified,
    )


def _read(path: Path, limits: Limits) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limits.pfx_bytes + 1)  # one byte too many is what the limit is noticed by
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise InputError(f"cannot read {str(path)!r}: no file can have this name") from None


def _authenticate(pfx: Pfx, password: str | None, budget: Budget) -> tuple[bool | None, tuple[Password, ...]]:
    """Say what is known of the MAC, and which encodings of the password may be used to decrypt."""
    if password is None:
        return None, ()
    try:
        encodings = authenticate(pfx, password, budget)
    except PfxPasswordError:
        return False, ()
    except UnsupportedPfxError:
        return None, ()
    return (None if pfx.mac is None else True), encodings


def _open_safe(pfx: Pfx, safe: Safe, encodings: tuple[Password, ...], budget: Budget) -> tuple[Bag, ...] | None:
    if safe.encryption is None:
        return read_bags(safe.content, budget)
    for encoding in encodings:
        try:
            return open_safe(safe, encoding, budget, authenticated=pfx.mac is not None)
        except PfxError:
            continue
    return None


def _bags(opened: _Opened) -> tuple[Bag, ...]:
    return tuple(bag for bags in opened for bag in bags or ())


def _keys(pfx: Pfx, opened: _Opened, encodings: tuple[Password, ...], budget: Budget) -> list[PrivateKeyTypes]:
    keys = []
    for bag in filter(is_key, _bags(opened)):
        for encoding in encodings:
            try:
                keys.append(open_key(bag, encoding, budget, authenticated=pfx.mac is not None))
            except PfxError:
                continue
            break
    return keys


def _describe(bag: Bag, keys: tuple[PrivateKeyTypes, ...], key_ids: frozenset[bytes]) -> BagReport:
    certificate = None
    if bag.type == "certBag" and bag.content is not None:
        try:
            certificate = Certificate.from_der(bag.content)
        except MalformedCertificateError:
            certificate = None
    return BagReport(
        type=bag.type,
        friendly_name=bag.friendly_name,
        local_key_id=bag.local_key_id,
        certificate=certificate,
        encryption=bag.encryption,
        end_entity=certificate is not None
        and (bag.local_key_id in key_ids or any(matches(key, certificate) for key in keys)),
    )
