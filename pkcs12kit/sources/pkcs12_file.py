"""One PKCS#12 file: its bytes, and errors that name it and say what it is instead."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pkcs12kit.errors import InputError, MalformedPfxError
from pkcs12kit.sources.reading import name_of, read_source
from pkcs12kit.sources.sniffing import Kind, as_octets, decode_base64, sniff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.reading import Source


@contextmanager
def opened_pkcs12(source: Source, limits: Limits) -> Iterator[bytes]:
    """Give the bytes of a PKCS#12 file, in base64 or not; whatever error comes of them then begins with its name.

    Raises :class:`~pkcs12kit.errors.InputError` where it cannot be read, and, in place of
    :class:`~pkcs12kit.errors.MalformedPfxError`, where it is something else than a PKCS#12 file.
    """
    data = read_pkcs12(source, limits)
    with naming_pkcs12(name_of(source), data):
        yield data


def read_pkcs12(source: Source, limits: Limits) -> bytes:
    """Read the bytes of a PKCS#12 file, in base64 or not; what they are is not looked at otherwise."""
    data = as_octets(read_source(source, limits))
    return decode_base64(data) or data


@contextmanager
def naming_pkcs12(name: str, data: bytes) -> Iterator[None]:
    """Begin each error that comes of the bytes of a PKCS#12 file with its name, as :func:`opened_pkcs12` does."""
    try:
        yield
    except MalformedPfxError as error:
        kind = sniff(data)
        if kind is not Kind.PKCS12:
            raise InputError(f"{name}: expected a PKCS#12 file, found {kind.value}") from None
        raise MalformedPfxError(f"{name}: {error}") from None
    except InputError as error:
        raise type(error)(f"{name}: {error}") from None
