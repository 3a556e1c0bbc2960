"""The comparison of an existing PEM file with the one that would be written in its place."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.errors import InputError
from pkcs12kit.pkcs12.comparison import Comparison, Difference, of_certificates
from pkcs12kit.pkcs12.decoded_keys import encode_public_key
from pkcs12kit.sources.containers import pem_blocks
from pkcs12kit.sources.keys import read_private_key
from pkcs12kit.sources.sniffing import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.containers import PemBlock

_NAME = "the existing file"


class _Blocks(NamedTuple):
    """The blocks of a PEM text, by what they hold."""

    keys: list[PemBlock]
    certificates: list[bytes]
    others: list[PemBlock]


def why_pem_changed(there: bytes, expected: bytes, *, limits: Limits) -> str | None:
    """Return the first difference between two PEM texts, or None if every byte is the same.

    ``expected`` is what pkcs12kit would write. The same key and certificates in another form, or with text beside them,
    are a difference: not every server reads them as pkcs12kit does.
    """
    return next((one.sentence for one in compare_pem(there, expected, limits=limits).differences), None)


def compare_pem(there: bytes, expected: bytes, *, limits: Limits) -> Comparison:
    """Return every difference that :func:`why_pem_changed` looks for, in the same order."""
    try:
        old = _blocks(there, limits)
        certificates = tuple(_certificates(old))
        found = () if there == expected else tuple(_differences(old, _blocks(expected, limits), limits))
    except InputError as error:
        if there == expected:
            return Comparison(differences=())
        reason = str(error).removeprefix(f"{_NAME}: ")
        sentence = f"the existing file cannot be read: {reason}"
        return Comparison(differences=(Difference(aspect="contents", sentence=sentence),))
    return Comparison(differences=found, certificates=certificates)


def _certificates(blocks: _Blocks) -> Iterator[Certificate]:
    """Yield the certificates that can be read."""
    for der in blocks.certificates:
        with suppress(InputError):
            yield Certificate.from_der(der)


def _blocks(text: bytes, limits: Limits) -> _Blocks:
    found = _Blocks([], [], [])
    for block in pem_blocks(text, _NAME, limits):
        if block.label.endswith("PRIVATE KEY"):
            found.keys.append(block)
        elif block.kind is Kind.CERTIFICATE:
            found.certificates.append(block.content)
        else:
            found.others.append(block)
    return found


def _differences(there: _Blocks, expected: _Blocks, limits: Limits) -> Iterator[Difference]:
    if not any(there):
        yield Difference(aspect="contents", sentence="it was not PEM")
    keys = tuple(_of_keys(there, expected, limits))
    yield from (Difference(aspect="key", sentence=sentence) for sentence in keys)
    same = there.certificates == expected.certificates
    if not same:
        readable = tuple(_certificates(there))
        if len(readable) == len(there.certificates):
            yield of_certificates(readable, tuple(_certificates(expected)))
        else:
            yield Difference(aspect="certificates", sentence="it held other certificates")
    if there.others:
        yield Difference(aspect="contents", sentence="it also held other contents")
    elif same and not keys and any(there):
        yield Difference(aspect="contents", sentence="it held the same, but was written in another way")


def _of_keys(there: _Blocks, expected: _Blocks, limits: Limits) -> Iterator[str]:
    if any(block.kind is Kind.ENCRYPTED_PRIVATE_KEY for block in there.keys):
        yield "its private key was encrypted"
    elif there.keys and not expected.keys:
        yield "it also held a private key"
    elif len(there.keys) != len(expected.keys):
        yield "it held no private key" if not there.keys else "it held several private keys"
    elif [block.content for block in there.keys] != [block.content for block in expected.keys]:
        same = [_public_key(block, limits) for block in there.keys] == [
            _public_key(block, limits) for block in expected.keys
        ]
        yield "its private key was in another form" if same else "it held another private key"


def _public_key(block: PemBlock, limits: Limits) -> bytes:
    key = read_private_key(block.content, name=_NAME, password=None, limits=limits)
    return encode_public_key(key.public_key())
