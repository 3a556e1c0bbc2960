"""The comparison of an existing PEM file with the one that would be written in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pkcs12kit.errors import InputError
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
    if there == expected:
        return None
    try:
        return next(_differences(_blocks(there, limits), _blocks(expected, limits), limits))
    except InputError as error:
        return f"the existing file cannot be read: {str(error).removeprefix(f'{_NAME}: ')}"


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


def _differences(there: _Blocks, expected: _Blocks, limits: Limits) -> Iterator[str]:
    if not any(there):
        yield "it was not PEM"
    if any(block.kind is Kind.ENCRYPTED_PRIVATE_KEY for block in there.keys):
        yield "its private key was encrypted"
    if there.keys and not expected.keys:
        yield "it also held a private key"
    if len(there.keys) != len(expected.keys):
        yield "it held no private key" if not there.keys else "it held several private keys"
    if [block.content for block in there.keys] != [block.content for block in expected.keys]:
        same = [_public_key(block, limits) for block in there.keys] == [
            _public_key(block, limits) for block in expected.keys
        ]
        yield "its private key was in another form" if same else "it held another private key"
    if there.certificates != expected.certificates:
        same = sorted(there.certificates) == sorted(expected.certificates)
        yield "its certificates were in another order" if same else "it held other certificates"
    yield "it also held other contents" if there.others else "it held the same, but was written in another way"


def _public_key(block: PemBlock, limits: Limits) -> bytes:
    key = read_private_key(block.content, name=_NAME, password=None, limits=limits)
    return encode_public_key(key.public_key())
