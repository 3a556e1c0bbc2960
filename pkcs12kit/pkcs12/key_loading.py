"""Private keys from their encoding, within a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key

from pkcs12kit.pkcs12.key_cost import is_for_diffie_hellman

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.pkcs12.budget import Budget


class UnknownKeyError(Exception):
    """A private key of an algorithm that is not known, or not for certificates. Never leaves the package."""


class UnreadableKeyError(Exception):
    """Octets that are not a private key, or a damaged one. Never leaves the package."""


def load_private_key(der: bytes, budget: Budget) -> PrivateKeyTypes:
    """Load a private key that is not encrypted: PKCS#8, PKCS#1 or SEC 1, in DER.

    Raises :class:`UnknownKeyError`, also for a key for Diffie-Hellman in a finite field; :class:`UnreadableKeyError`;
    :class:`~pkcs12kit.errors.LimitExceededError` before any work beyond the budget.
    """
    budget.private_key(der)
    if is_for_diffie_hellman(der):
        raise UnknownKeyError
    try:
        return load_der_private_key(der, None)
    except UnsupportedAlgorithm:
        raise UnknownKeyError from None
    except (ValueError, TypeError, InternalError):
        raise UnreadableKeyError from None
