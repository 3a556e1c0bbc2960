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
    name = name_of(source)
    data = as_octets(read_source(source, limits))
    data = decode_base64(data) or data
    try:
        yield data
    except MalformedPfxError as error:
        kind = sniff(data)
        if kind is not Kind.PKCS12:
            raise InputError(f"{name}: expected a PKCS#12 file, found {kind.value}") from None
        raise MalformedPfxError(f"{name}: {error}") from None
    except InputError as error:
        raise type(error)(f"{name}: {error}") from None
