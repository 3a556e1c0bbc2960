"""Private keys, in every encoding that users have them in."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, cast

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from pkcs12kit.errors import InputError, LimitExceededError, PasswordError
from pkcs12kit.sources.containers import pem_blocks
from pkcs12kit.sources.elements import children, elements
from pkcs12kit.sources.sniffing import Kind, as_octets, decode_base64, sniff, sniff_der

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes

    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.containers import PemBlock

_KEYS: Final = frozenset({Kind.PRIVATE_KEY, Kind.ENCRYPTED_PRIVATE_KEY, Kind.OPENSSH_PRIVATE_KEY})
_DEK_INFO: Final = re.compile(rb"DEK-Info:[ \t]*([A-Za-z0-9-]{1,32}),[ \t]*([0-9A-Fa-f]{1,64})\s")
_BLOCK_BYTES: Final = {b"AES-128-CBC": 16, b"AES-256-CBC": 16, b"DES-EDE3-CBC": 8}
_SCRYPT: Final = bytes.fromhex("2b06010401da47040b")  # RFC 7914 section 7


def read_private_key(
    data: bytes, *, name: str, password: str | None, limits: Limits
) -> CertificateIssuerPrivateKeyTypes:
    """Read the one private key in ``data``; certificates may stand beside it in PEM.

    A password given for a key that is not encrypted is ignored. Raises :class:`PasswordError` where one is missing or
    does not open the key, :class:`InputError` where there is no usable signing key, or several, each naming ``name``;
    :class:`LimitExceededError` where decrypting it would take too long. No message holds anything of the key.
    """
    data = as_octets(data)
    kind = sniff(data)
    if kind is Kind.PEM:
        block = _only_key(data, name)
        if block.is_encrypted:
            _check_initialization_vector(block.text, name)
            return _load(block.text, name=name, password=_required(password, name), is_pem=True)
        kind, data = block.kind, block.content
    elif kind is Kind.BASE64:
        data = decode_base64(data) or b""
        kind = sniff_der(data)
    if kind not in _KEYS or kind is Kind.OPENSSH_PRIVATE_KEY:
        raise InputError(f"{name}: expected a private key, found {kind.value}")
    if len(data) > limits.private_key_bytes:
        raise LimitExceededError(
            f"{name}: a private key of more than {limits.private_key_bytes:,} bytes (limits.private_key_bytes)"
        )
    der = next(elements(data)).encoding or data
    if kind is Kind.PRIVATE_KEY:
        return _load(der, name=name, password=None)
    _check_derivation(der, name, limits)
    return _load(der, name=name, password=_required(password, name))


def require_signing_key(key: PrivateKeyTypes, name: str) -> CertificateIssuerPrivateKeyTypes:
    """Return ``key``, or raise :class:`InputError` where it is for key agreement (X25519, DH), which no server uses."""
    if not hasattr(key, "sign"):
        raise InputError(f"{name}: a private key for key agreement, which cannot sign")
    return cast("CertificateIssuerPrivateKeyTypes", key)


def _only_key(data: bytes, name: str) -> PemBlock:
    keys: dict[bytes, PemBlock] = {}
    others: dict[str, None] = {}
    for block in pem_blocks(data):
        if block.fault is not None and block.label.endswith("PRIVATE KEY"):
            raise InputError(f"{name}: {block.label} block {block.fault}")
        if block.kind in _KEYS:
            keys[block.text] = block
        else:
            others[block.kind.value] = None
    if len(keys) > 1:
        raise InputError(f"{name}: expected one private key, found {len(keys)}")
    if not keys:
        raise InputError(f"{name}: expected a private key, found {' and '.join(others)}")
    return next(iter(keys.values()))


def _required(password: str | None, name: str) -> bytes:
    if password is None:
        raise PasswordError(f"{name}: the private key is encrypted, and no password was given for it")
    return password.encode("utf-8")


def _load(
    encoded: bytes, *, name: str, password: bytes | None, is_pem: bool = False
) -> CertificateIssuerPrivateKeyTypes:
    load = load_pem_private_key if is_pem else load_der_private_key
    try:
        key = load(encoded, password)
    except UnsupportedAlgorithm:
        raise InputError(f"{name}: a private key of a kind that is not supported") from None
    except (ValueError, TypeError, InternalError):  # TypeError where the password is empty, InternalError for damage
        if password is None:
            raise InputError(f"{name}: a private key that is damaged or of a kind that is not known") from None
        raise PasswordError(
            f"{name}: the password does not open the private key (or its encryption is damaged or not supported)"
        ) from None
    return require_signing_key(key, name)


def _check_initialization_vector(text: bytes, name: str) -> None:
    """Refuse traditional encryption that pyca does not know, or whose IV is short, on which its reader panics."""
    info = _DEK_INFO.search(text)
    if info is None or info[1] not in _BLOCK_BYTES:
        cipher = info[1].decode("ascii") if info else "nothing that is stated"
        known = ", ".join(sorted(cipher.decode("ascii") for cipher in _BLOCK_BYTES))
        raise InputError(f"{name}: a private key encrypted with {cipher}, which is not supported ({known} are)")
    if len(info[2]) != 2 * _BLOCK_BYTES[info[1]]:
        raise InputError(f"{name}: an encrypted private key that is damaged: its IV has the wrong length")


def _check_derivation(der: bytes, name: str, limits: Limits) -> None:
    """Refuse an encrypted key whose key derivation is made to take for ever (RFC 8018 section 4.2)."""
    from asn1crypto import keys

    try:
        algorithm = keys.EncryptedPrivateKeyInfo.load(der)["encryption_algorithm"]
        if algorithm["algorithm"].native == "pbes2":
            derivation = algorithm["parameters"]["key_derivation_func"]
            algorithm_identifier, *parameters = children(next(elements(derivation.dump())))
            if algorithm_identifier.contents == _SCRYPT:
                cost, *factors = (int.from_bytes(part.contents) for part in children(parameters[0])[1:4])
                _check_scrypt(cost * math.prod(factors), name, limits)
                return
        iterations = algorithm.kdf_iterations
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, StopIteration):
        raise InputError(f"{name}: an encrypted private key that is damaged or encrypted in no known way") from None
    if iterations > limits.pfx_iterations:
        raise LimitExceededError(
            f"{name}: the private key's encryption takes {iterations:,} iterations;"
            f" {limits.pfx_iterations:,} are allowed (limits.pfx_iterations)"
        )


def _check_scrypt(parameters: int, name: str, limits: Limits) -> None:
    """Bound what scrypt takes: 128 N r bytes of memory, p times over (RFC 7914 section 6)."""
    if 128 * parameters > limits.scrypt_bytes:
        raise LimitExceededError(
            f"{name}: the private key's scrypt takes more than {limits.scrypt_bytes:,} bytes (limits.scrypt_bytes)"
        )
