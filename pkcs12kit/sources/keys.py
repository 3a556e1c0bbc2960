"""Private keys from bytes, in every encoding that users have; ``loading`` decides in which forms a key is given."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final, cast

from pkcs12kit.certificates.algorithm_names import key_in_words
from pkcs12kit.errors import (
    InputError,
    LimitExceededError,
    MalformedPfxError,
    PasswordError,
    UnsupportedPfxError,
)
from pkcs12kit.pkcs12.algorithms import DecryptionError
from pkcs12kit.pkcs12.asn1 import load, reading
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.decoded_keys import encode_public_key
from pkcs12kit.pkcs12.derivation import foresee
from pkcs12kit.pkcs12.encryption import decrypt, read_encryption, require_supported
from pkcs12kit.pkcs12.key_encodings import UnknownKeyError, UnusableKeyError
from pkcs12kit.pkcs12.passwords import AS_IT_WAS_SET, encode_password, rare_encodings, usual_encodings
from pkcs12kit.pkcs12.private_keys import UnreadableKeyError, load_private_key
from pkcs12kit.sources.containers import pem_blocks
from pkcs12kit.sources.elements import elements
from pkcs12kit.sources.kind_hints import Taken, hints_for_kind
from pkcs12kit.sources.sniffing import Kind
from pkcs12kit.sources.text_forms import describe, sniff_inside
from pkcs12kit.sources.traditional_pem import TraditionalEncryption
from pkcs12kit.text import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes

    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.budget import SharedWork
    from pkcs12kit.pkcs12.derivation import ScryptCost
    from pkcs12kit.pkcs12.encryption import Encryption
    from pkcs12kit.sources.containers import PemBlock

_KEYS: Final = frozenset({Kind.PRIVATE_KEY, Kind.ENCRYPTED_PRIVATE_KEY, Kind.OPENSSH_PRIVATE_KEY})
_LISTED: Final = 5
_UNKNOWN: Final = frozenset({Kind.OTHER_DER, Kind.OTHER_PEM})


def read_private_key(
    data: bytes, *, name: str, password: str | None, limits: Limits, work: SharedWork | None = None
) -> CertificateIssuerPrivateKeyTypes:
    """Return the one private key in ``data``; in PEM, certificates may be beside it.

    The same key in several PEM blocks, such as PKCS#8 and SEC 1, is one key. A password for a key that is not encrypted
    is ignored. Raises :class:`PasswordError` if the password is missing or wrong, :class:`InputError` if there is no
    usable signing key, or several, and :class:`LimitExceededError` if decrypting it would take too long. Each message
    begins with ``name`` and holds nothing of the key. ``work`` is shared by keys that are read together.
    """
    kind, data = sniff_inside(data, name, limits)
    budget = _budget(name, limits, work)
    if kind is Kind.PEM:
        blocks = _key_blocks(data, name, limits)
        if len(blocks) > 1:
            return _same_key(blocks, name=name, password=password, budget=budget)
        return _read_block(blocks[0], name=name, password=password, budget=budget)
    return _read(kind, data, name=name, password=password, budget=budget)


def read_key_block(
    block: PemBlock, *, name: str, password: str | None, limits: Limits, work: SharedWork
) -> CertificateIssuerPrivateKeyTypes:
    """Return the private key of one PEM block. Parameters and errors are those of :func:`read_private_key`."""
    if block.fault is not None:
        raise InputError(f"{name}: {block.label} block: {block.fault}")
    return _read_block(block, name=name, password=password, budget=_budget(name, limits, work))


def _read_block(
    block: PemBlock, *, name: str, password: str | None, budget: WorkBudget
) -> CertificateIssuerPrivateKeyTypes:
    if block.is_encrypted:
        _check_size(block.content, name, budget.limits)
        return _open_traditional(block, name=name, password=password, budget=budget)
    kind = Kind.PRIVATE_KEY if block.kind in _UNKNOWN else block.kind  # its label says so
    return _read(kind, block.content, name=name, password=password, budget=budget)


def _read(
    kind: Kind, data: bytes, *, name: str, password: str | None, budget: WorkBudget
) -> CertificateIssuerPrivateKeyTypes:
    if kind not in _KEYS or kind is Kind.OPENSSH_PRIVATE_KEY:
        found = describe(data, kind)
        raise InputError(f"{name}: expected a private key, found {found}").hinting(*hints_for_kind(Taken.KEY, [kind]))
    _check_size(data, name, budget.limits)
    der = _first_element(data)
    if kind is Kind.PRIVATE_KEY:
        return _load(der, name=name, budget=budget)
    return _open_pkcs8(der, name=name, password=password, budget=budget)


def _same_key(
    blocks: Sequence[PemBlock], *, name: str, password: str | None, budget: WorkBudget
) -> CertificateIssuerPrivateKeyTypes:
    """Return the key that all blocks hold. Raises :class:`InputError`, which lists the keys, if they differ."""
    keys: dict[bytes, CertificateIssuerPrivateKeyTypes] = {}
    for block in sorted(blocks, key=lambda block: block.kind is Kind.ENCRYPTED_PRIVATE_KEY):
        if block.kind is Kind.ENCRYPTED_PRIVATE_KEY and len(keys) > 1:
            break  # that they differ is known without a password
        try:
            key = _read_block(block, name=name, password=password, budget=budget)
        except PasswordError as error:
            text = f"{error}; the file holds {len(blocks)} private keys, and one is expected"
            raise PasswordError(text).hinting(*error.hints) from None
        keys.setdefault(encode_public_key(key.public_key()), key)
    if len(keys) > 1:
        listed = shortened([*keys.items()], _LISTED, lambda one: _describe(*one))
        raise InputError(
            f"{name}: expected one private key, found {len(keys)}: {'; '.join(listed)}; give a file with only"
            " the key that you mean"
        )
    return next(iter(keys.values()))


def _describe(public_key: bytes, key: PrivateKeyTypes) -> str:
    algorithm, _, _ = key_in_words(key.public_key()).partition(" ")
    return f"{algorithm} with the public key of SHA-256 {sha256(public_key).hexdigest()}"


def _first_element(data: bytes) -> bytes:
    """Return the first element of DER, without what follows it; anything else unchanged."""
    try:
        return next(elements(data)).encoding or data
    except (ValueError, StopIteration):
        return data


def require_signing_key(key: PrivateKeyTypes, name: str) -> CertificateIssuerPrivateKeyTypes:
    """Return ``key``. Raises :class:`InputError` for a key for key agreement (X25519, DH), which no server uses."""
    if not hasattr(key, "sign"):
        kind = key_in_words(key.public_key())
        raise InputError(f"{name}: a private key for key agreement ({kind}), which cannot sign")
    return cast("CertificateIssuerPrivateKeyTypes", key)


def _budget(name: str, limits: Limits, work: SharedWork | None) -> WorkBudget:
    """Return the budget of one key: ``scrypt_bytes`` replaces the limits of a PKCS#12 file."""
    own = replace(limits, pfx_scrypt_bytes=limits.scrypt_bytes, pfx_total_scrypt_bytes=limits.scrypt_bytes)
    return WorkBudget(own, shared=work, subject=f"{name}: the private key")


def _check_size(encoded: bytes, name: str, limits: Limits) -> None:
    if len(encoded) > limits.private_key_bytes:
        raise LimitExceededError(
            f"{name}: a private key of more than {limits.private_key_bytes:,} bytes (limits.private_key_bytes)"
        )


def _key_blocks(data: bytes, name: str, limits: Limits) -> tuple[PemBlock, ...]:
    """Return the blocks with private keys, at least one, and each once."""
    keys: dict[bytes, PemBlock] = {}
    others: dict[Kind, None] = {}
    for block in pem_blocks(data, name, limits):
        if block.fault is not None and block.label.endswith("PRIVATE KEY"):
            raise InputError(f"{name}: {block.label} block: {block.fault}")
        if block.kind in _KEYS or (block.kind in _UNKNOWN and block.label.endswith("PRIVATE KEY")):
            keys[block.text] = block
        else:
            others[block.kind] = None
    if not keys:
        found = " and ".join(kind.value for kind in others)
        raise InputError(f"{name}: expected a private key, found {found}").hinting(*hints_for_kind(Taken.KEY, others))
    return tuple(keys.values())


def _load(der: bytes, *, name: str, budget: WorkBudget, is_decrypted: bool = False) -> CertificateIssuerPrivateKeyTypes:
    """Load a key that is not encrypted. Bytes that are not a key after decryption mean a wrong password."""
    try:
        key = load_private_key(der, budget)
    except (UnknownKeyError, UnusableKeyError) as error:
        raise InputError(f"{name}: {error}") from None
    except UnreadableKeyError:
        if is_decrypted:
            raise _wrong_password(name) from None
        raise InputError(f"{name}: a private key that is damaged or of an unknown kind") from None
    return require_signing_key(key, name)


def _open_pkcs8(der: bytes, *, name: str, password: str | None, budget: WorkBudget) -> CertificateIssuerPrivateKeyTypes:
    """Decrypt and load a key in PKCS#8, within the same bounds as a key in a PKCS#12 file."""
    encryption, ciphertext = _read_pkcs8(der, name, budget)
    derivation = encryption.derivation
    if derivation is not None:
        if derivation.cost is not None:
            _check_scrypt(derivation.cost, name, budget.limits)
        foresee([derivation], budget)
    if password is None:
        raise _no_password(name)
    kdf = "" if derivation is None else derivation.algorithm
    iterations = None if derivation is None else derivation.iterations
    candidates = [(usual, False) for usual in usual_encodings(password, kdf)]
    candidates += [(rare, True) for rare in rare_encodings(password, kdf)]
    for candidate, is_rare in candidates:
        if is_rare and not budget.retry(iterations, len(ciphertext)):
            break
        try:
            key = decrypt(encryption, ciphertext, candidate.octets, budget)
        except DecryptionError:
            continue
        except UnsupportedPfxError:
            raise _not_supported(encryption, name) from None
        except MalformedPfxError as error:
            raise InputError(str(error)) from None
        try:
            return _load(key, name=name, budget=budget, is_decrypted=True)
        except PasswordError:
            continue
    raise _wrong_password(name)


def _read_pkcs8(der: bytes, name: str, budget: WorkBudget) -> tuple[Encryption, bytes]:
    """Parse an EncryptedPrivateKeyInfo (RFC 5958 section 3) whose encryption is supported."""
    from asn1crypto import keys

    try:
        with reading("the encrypted private key"):
            info = load(keys.EncryptedPrivateKeyInfo, der, budget)
            encryption, ciphertext = read_encryption(info["encryption_algorithm"]), info["encrypted_data"].native
        require_supported(encryption)
    except MalformedPfxError:
        raise _damaged(name) from None
    except UnsupportedPfxError:
        raise _not_supported(encryption, name) from None
    return encryption, ciphertext


def _open_traditional(
    block: PemBlock, *, name: str, password: str | None, budget: WorkBudget
) -> CertificateIssuerPrivateKeyTypes:
    """Decrypt and load a key in PEM with traditional encryption (RFC 1421 section 4.6.1.1)."""
    encryption = TraditionalEncryption(block, name)
    if password is None:
        raise _no_password(name)
    budget.decipher(len(block.content))
    try:
        der = encryption.decrypt(encode_password(password).utf8)
    except DecryptionError:
        raise _wrong_password(name) from None
    except UnsupportedPfxError as error:
        raise InputError(f"{name}: {error}") from None
    return _load(der, name=name, budget=budget, is_decrypted=True)


def _no_password(name: str) -> PasswordError:
    return PasswordError(f"{name}: the private key is encrypted, and no password was given for it")


def _wrong_password(name: str) -> PasswordError:
    text = f"{name}: the password does not open the private key (or its encryption is damaged)"
    return PasswordError(text).hinting(AS_IT_WAS_SET)


def _not_supported(encryption: Encryption, name: str) -> InputError:
    return InputError(
        f"{name}: the encryption of the private key, {encryption}, is not supported; encrypt it in another way, for"
        " example with: openssl pkcs8 -topk8 -v2 aes-256-cbc"
    )


def _damaged(name: str) -> InputError:
    return InputError(f"{name}: an encrypted private key that is damaged or has an unknown encryption")


def _check_scrypt(cost: ScryptCost, name: str, limits: Limits) -> None:
    """Raise if scrypt would write more than the limit: 128 N r bytes of memory, p times (RFC 7914 section 6)."""
    if 128 * cost.n * cost.r * cost.p > limits.scrypt_bytes:
        raise LimitExceededError(
            f"{name}: the scrypt of the private key needs more than {limits.scrypt_bytes:,} bytes (limits.scrypt_bytes)"
        )
