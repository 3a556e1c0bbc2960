"""Holding asn1crypto at arm's length: it has no types, and raises whatever damage leads it to."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from pkcs12kit.errors import MalformedPfxError
from pkcs12kit.pkcs12.ber import definite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.pkcs12.budget import Budget

Asn1Value: TypeAlias = Any
"""A value of a class of asn1crypto's."""


def absent(value: Asn1Value) -> bool:
    """Whether an OPTIONAL field is not there."""
    from asn1crypto.core import Void

    return isinstance(value, Void)


def load(spec: Asn1Value, data: bytes, budget: Budget) -> Asn1Value:
    """Read ``data``, all of it, in DER or BER, as asn1crypto's class ``spec``.

    Raises :class:`ValueError`, and :class:`~pkcs12kit.errors.LimitExceededError` for too many elements.
    """
    encoding, end = definite(data, budget)
    if end != len(data):
        raise ValueError("something follows the structure")
    return spec.load(encoding, strict=True)


def within_tag(value: Asn1Value) -> bytes:
    """Give the encoding of a value without the explicit tag around it, whatever its type is."""
    from asn1crypto import parser

    contents: bytes = parser.parse(value.dump(), strict=True)[4]
    return contents


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn what asn1crypto raises into :class:`~pkcs12kit.errors.MalformedPfxError`; its text could hold secrets."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        raise MalformedPfxError(f"not a PKCS#12 file, or a damaged one: cannot read {what}") from None
