"""PKCS#12 files from sources: a path, bytes or ``"-"``, in base64 or not, decoded, inspected or converted.

The functions of :mod:`pkcs12kit.pkcs12` do the work, and only accept bytes.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_kind
from pkcs12kit.errors import ArgumentError, InputError, MalformedPfxError, UnknownNameError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.sources.containers import pem_blocks
from pkcs12kit.sources.kind_hints import Taken, hints_for_kind, kinds_in
from pkcs12kit.sources.reading import name_of, read_source
from pkcs12kit.sources.sniffing import Kind, sniff
from pkcs12kit.sources.text_forms import describe, sniff_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.inspection import PfxReport
    from pkcs12kit.pkcs12.protection import Profile
    from pkcs12kit.sources.reading import Source

_LISTED_BLOCKS: Final = 5


@dataclass(frozen=True, kw_only=True)
class SourceContent:
    """The bytes of a source, and its name for messages."""

    name: str
    data: bytes = field(repr=False)
    limits: Limits = DEFAULT_LIMITS

    @classmethod
    def read(cls, source: Source, limits: Limits) -> SourceContent:
        """Read a source once. Raises as :func:`~pkcs12kit.sources.reading.read_source` does."""
        return cls(name=name_of(source), data=read_source(source, limits), limits=limits)

    @cached_property
    def der(self) -> bytes:
        """The bytes without PEM armor and other text forms around them: of PEM text the one PKCS#12 file in it."""
        kind, data = sniff_inside(self.data, self.name, self.limits)
        if kind is not Kind.PEM:
            return data
        blocks = pem_blocks(data, self.name, self.limits)
        found = {block.content for block in blocks if block.kind is Kind.PKCS12}
        if len(found) > 1:
            raise InputError(
                f"{self.name}: expected one PKCS#12 file, found {len(found)}; give a file with one of them"
            )
        return found.pop() if found else data

    @cached_property
    def kind(self) -> Kind:
        """The kind of :attr:`der`."""
        return sniff(self.der)


@contextmanager
def opened_pkcs12(source: Source, limits: Limits) -> Iterator[bytes]:
    """Yield the bytes of a PKCS#12 file, without text forms around them, and put its name before each error message.

    Raises :class:`~pkcs12kit.errors.InputError` if the source cannot be read, and, in place of
    :class:`~pkcs12kit.errors.MalformedPfxError`, if it is not a PKCS#12 file at all.
    """
    data = read_pkcs12(source, limits)
    with naming_pkcs12(name_of(source), data):
        yield data


def read_pkcs12(source: Source, limits: Limits) -> bytes:
    """Return the bytes of a PKCS#12 file, without text forms around them. Their structure is not checked."""
    return SourceContent.read(source, limits).der


@contextmanager
def naming_pkcs12(name: str, data: bytes) -> Iterator[None]:
    """Put the name of a PKCS#12 file before each error message, as :func:`opened_pkcs12` does."""
    try:
        yield
    except (ArgumentError, UnknownNameError):  # they are not about the file
        raise
    except MalformedPfxError as error:
        kind = sniff(data)
        if kind is not Kind.PKCS12:
            raise no_pkcs12(name, data, kind) from None
        raise MalformedPfxError(f"{name}: {error}") from None
    except InputError as error:
        raise error.placed(f"{name}:") from None


def no_pkcs12(name: str, data: bytes, kind: Kind) -> InputError:
    """Return the error for data of another kind in the place of a PKCS#12 file, with what to do."""
    error = InputError(f"{name}: expected a PKCS#12 file, found {_what_is(name, data, kind)}")
    return error.hinting(*hints_for_kind(Taken.PKCS12, kinds_in(data, name)))


def _what_is(name: str, data: bytes, kind: Kind) -> str:
    """Return in words what data is instead of a PKCS#12 file: of PEM text the kinds of its blocks, and their faults."""
    if kind is not Kind.PEM:
        return describe(data, kind)
    blocks = tuple(pem_blocks(data, name, DEFAULT_LIMITS))
    faults = [f"a {block.label} block, {block.fault}" for block in blocks if block.fault is not None]
    kinds = dict.fromkeys(block.kind.value for block in blocks if block.fault is None)
    return f"{kind.value} ({' and '.join([*kinds, *dict.fromkeys(faults)][:_LISTED_BLOCKS])})"


def decode_pfx(
    data: Source,
    *,
    password: str | None,
    contents_password: str | None = None,
    require_mac: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> DecodedPfx:
    """Return the contents of a PFX in DER or BER. The MAC, if any, is verified before anything is decrypted.

    - ``data``: a path, ``"-"`` for standard input, or bytes; PEM and base64 too.
    - ``password``: None and ``""`` are both for files without a password, in either encoding of it. A password is tried
      as the standards encode it, then as some writers do; ``password_uses`` of the result has the encoding that worked.
    - ``contents_password``: for files whose contents or keys have another password than the MAC. Parts that it does not
      open are tried with ``password``.
    - ``require_mac``: True refuses a file without a MAC, or with a MAC without a password, because anyone may have
      changed it. Otherwise ``warnings`` of the result has a sentence about it.

    Supported are encryption by PBES2 (PBKDF2 with HMAC of SHA-1, SHA-2 or SHA-3, or scrypt; AES, triple DES, DES, RC2,
    Camellia or SEED, in CBC), by PBES1 with MD5 or SHA-1, and by the six schemes of RFC 7292 appendix C; MACs by HMAC
    with MD5, SHA-1, SHA-2 or SHA-3 under PKCS12KDF, and PBMAC1. A salt may be empty or missing.

    Raises :class:`~pkcs12kit.InputError` for a source that cannot be read or is not a PKCS#12 file;
    :class:`~pkcs12kit.PfxError` if a required MAC is missing; :class:`~pkcs12kit.PfxPasswordError` if the password does
    not open the file (a damaged MAC looks the same), or none of its keys; :class:`~pkcs12kit.MalformedPfxError` if it
    is damaged; :class:`~pkcs12kit.UnsupportedPfxError` for other algorithms; and
    :class:`~pkcs12kit.LimitExceededError` before any work beyond ``limits`` (``pfx_...``, ``private_key_bytes``). No
    certificate is validated.

    One entry that cannot be read does not block the others: ``unread_keys`` has the private keys that are damaged, of
    an unknown algorithm or of another password, ``rejects`` the certificates, and ``notes`` of the result a sentence
    about each, and about odd attributes. Where such a key is needed, or may be the one that is meant, an error is
    raised.
    """
    from pkcs12kit.pkcs12 import decoder

    with _named(data, limits) as content:
        return decoder.decode_pfx(
            content, password=password, contents_password=contents_password, require_mac=require_mac, limits=limits
        )


def inspect_pfx(
    source: Source,
    *,
    password: str | None = None,
    contents_password: str | None = None,
    require_mac: bool = False,
    time: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> PfxReport:
    """Return a report on the structure, the protection and, with a password, the contents of a PFX.

    ``source`` is a path, ``"-"`` for standard input, or bytes; PEM and base64 too. Without ``password`` nothing is
    decrypted. With one, the MAC is verified first; a wrong password shows no more than no password.
    ``contents_password`` and ``require_mac`` are as in :func:`~pkcs12kit.decode_pfx`; only with ``password`` can a MAC
    without a password be recognized. ``time`` (None for now) decides which of several certificates of one key is its
    end-entity certificate, as in :func:`~pkcs12kit.load_identity`. No certificate is validated.

    Raises :class:`~pkcs12kit.InputError` for a source that cannot be read or is not a PKCS#12 file,
    :class:`~pkcs12kit.MalformedPfxError`, :class:`~pkcs12kit.UnsupportedPfxError` if the structure is not supported,
    and :class:`~pkcs12kit.LimitExceededError`.
    """
    from pkcs12kit.pkcs12 import inspection

    with _named(source, limits) as data:
        return inspection.inspect_pfx(
            data,
            password=password,
            contents_password=contents_password,
            require_mac=require_mac,
            time=time,
            limits=limits,
        )


def convert_pfx(  # noqa: PLR0913  # each choice has its own keyword
    data: Source,
    *,
    password: str | None,
    contents_password: str | None = None,
    new_password: str | None,
    profile: str | Profile = "modern",
    require_mac: bool = False,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Return a PFX with the same contents under another protection or password.

    - ``data``: the existing PFX: a path, ``"-"`` for standard input, or bytes; PEM and base64 too.
    - ``password``, ``contents_password``: the passwords of the existing PFX, as for :func:`~pkcs12kit.decode_pfx`.
    - ``new_password``, ``profile``, ``random_bytes``: as for :func:`~pkcs12kit.encode_pfx`.
    - ``require_mac``: True refuses a file that anyone may have changed, as :func:`~pkcs12kit.decode_pfx` does.
    - ``on_warning``: called with a sentence about such a file otherwise, and about each entry that is not read.

    Every key, certificate, CRL and secret is kept, with all attributes, which are copied byte for byte. So are
    certificates in their order, also those that cannot be read, and the octets of a private key of an unknown
    algorithm. Private keys and the secret keys of Java are encrypted with ``new_password``. The new file has the
    structure of :func:`~pkcs12kit.encode_pfx`: keys last, one password for everything, DER. Nested SafeContents become
    one; bytes after the PFX are left out. The new file has a MAC if ``profile`` has one.

    An entry that is or may be encrypted on its own and cannot be decrypted is kept as it is, with a warning, if
    ``new_password`` is the password of the file. Otherwise :class:`~pkcs12kit.PfxPasswordError` or
    :class:`~pkcs12kit.UnsupportedPfxError` names it: it would stay under an old password.

    Raises :class:`~pkcs12kit.InputError` if a secret would be in the clear beside encrypted keys, and as
    :func:`~pkcs12kit.decode_pfx` and :func:`~pkcs12kit.encode_pfx` do.
    """
    from pkcs12kit.pkcs12 import conversion, profiles

    profile = profiles.find(profile)
    with _named(data, limits) as content:
        return conversion.convert_pfx(
            content,
            password=password,
            contents_password=contents_password,
            new_password=new_password,
            profile=profile,
            require_mac=require_mac,
            on_warning=on_warning,
            limits=limits,
            random_bytes=random_bytes,
        )


@contextmanager
def _named(source: Source, limits: Limits) -> Iterator[bytes]:
    """Yield the bytes of a PKCS#12 file, and put the name of a path before each error message; bytes have no name."""
    require_kind("limits", limits, Limits)
    if isinstance(source, bytes | bytearray | memoryview):
        yield read_pkcs12(source, limits)
        return
    with opened_pkcs12(source, limits) as data:
        yield data
