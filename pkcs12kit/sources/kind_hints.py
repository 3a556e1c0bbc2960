"""Hints for a file that holds another kind of thing than the one that it was given as."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError
from pkcs12kit.hints import Hint
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.containers import pem_blocks
from pkcs12kit.sources.sniffing import Kind
from pkcs12kit.sources.text_forms import sniff_inside

if TYPE_CHECKING:
    from collections.abc import Iterable


class Taken(Enum):
    """The thing that a file is given as."""

    CERTIFICATE = "certificate"
    KEY = "key"
    PKCS12 = "pkcs12"
    REVOCATION = "revocation"


_BY_CONTENT: Final = {
    Kind.HTML: Hint(text="the file is a web page, perhaps one to sign in: download the file again and look into it"),
    Kind.EMPTY: Hint(text="copy or download the file again"),
    Kind.CUT_SHORT: Hint(text="the end of the file is missing: copy or download it again"),
    Kind.TEXT: Hint(text="give PEM with its lines -----BEGIN ...----- and -----END ...-----, or the original file"),
    Kind.PUBLIC_KEY: Hint(text="give the private key or the certificate that belongs to this public key"),
}
_BUILD: Final = Hint(
    text="make a PKCS#12 file from a private key and certificates",
    command="pkcs12kit build --key FILE --cert FILE --certs SOURCE --anchor FILE --out NEW.p12",
)
_OF_THE_KEY: Final = Hint(text="give the certificate of this key; the private key is not needed")
_INSTEAD: Final = {
    (Taken.CERTIFICATE, Kind.REQUEST): Hint(text="give the certificate that the CA issued for this request"),
    (Taken.CERTIFICATE, Kind.REVOCATION_LIST): Hint(text="give CRLs with --crl"),
    (Taken.CERTIFICATE, Kind.PRIVATE_KEY): _OF_THE_KEY,
    (Taken.CERTIFICATE, Kind.ENCRYPTED_PRIVATE_KEY): _OF_THE_KEY,
    (Taken.CERTIFICATE, Kind.OPENSSH_PRIVATE_KEY): _OF_THE_KEY,
    (Taken.KEY, Kind.REQUEST): Hint(text="give the private key that was made with this request"),
    (Taken.KEY, Kind.CERTIFICATE): Hint(text="give the private key of this certificate"),
    (Taken.PKCS12, Kind.CERTIFICATE): _BUILD,
    (Taken.PKCS12, Kind.PRIVATE_KEY): _BUILD,
    (Taken.PKCS12, Kind.ZIP): Hint(
        text="take the file out of the archive; pkcs12kit show lists what the archive holds"
    ),
    (Taken.REVOCATION, Kind.CERTIFICATE): Hint(text="give certificates with --certs"),
}


def kinds_in(data: bytes, name: str) -> frozenset[Kind]:
    """Return the kind of a file's content, or the kinds of its PEM blocks; none where it cannot be told."""
    try:
        kind, data = sniff_inside(data, name, DEFAULT_LIMITS)
        blocks = pem_blocks(data, name, DEFAULT_LIMITS)
        return frozenset(block.kind for block in blocks) if kind is Kind.PEM else frozenset({kind})
    except InputError:
        return frozenset()


def hints_for_kind(taken: Taken, kinds: Iterable[Kind]) -> tuple[Hint, ...]:
    """Return the hint for a file of these kinds in the place of what is taken; none where the kinds say enough."""
    found = sorted(set(kinds), key=lambda kind: kind.value)
    hints = [_INSTEAD.get((taken, kind)) or _BY_CONTENT.get(kind) for kind in found]
    return tuple(hint for hint in hints if hint is not None)[:1]
