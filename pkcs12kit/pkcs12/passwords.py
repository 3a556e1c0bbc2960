"""A password as octets: what the standards say, and what writers do instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.errors import PasswordError

if TYPE_CHECKING:
    from collections.abc import Iterator

PKCS12KDF: Final = "PKCS12KDF"
NO_PASSWORD: Final = frozenset({"absent", "empty"})
"""The names of the encodings that :func:`usual_encodings` has for no password."""
_BY_HMAC: Final = frozenset({"PBKDF2", "scrypt"})
_SHORTEST_HMAC_BLOCK: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """A password as the key derivations get it; never shown.

    ``bmp`` goes into PKCS12KDF: by RFC 7292 appendix B.1 a BMPString with its terminator, or no octet at all for an
    absent password. ``utf8`` goes into all others (RFC 8018 section 3).
    """

    bmp: bytes = field(repr=False)
    utf8: bytes = field(repr=False)

    def octets(self, kdf: str) -> bytes:
        """Give what the key derivation of this name takes."""
        return self.bmp if kdf == PKCS12KDF else self.utf8


class EncodedPassword(NamedTuple):
    """A password in one encoding, whatever the key derivation, and the name of that encoding."""

    encoding: str
    octets: Password


def encode_password(password: str) -> Password:
    """Encode a password as OpenSSL and Java do; characters beyond the BMP become surrogate pairs.

    Raises :class:`~pkcs12kit.errors.PasswordError` for what neither encoding can hold, :class:`TypeError` for bytes.
    """
    if not isinstance(password, str):
        raise TypeError(f"a password is text, not {type(password).__name__}")
    if "\0" in password:
        raise PasswordError("the password contains a NUL character, at which other programs would cut it off")
    try:
        return Password(bmp=password.encode("utf-16-be") + b"\0\0", utf8=password.encode())
    except UnicodeEncodeError:
        pass  # it holds the password, and would be the context of what is raised inside
    raise PasswordError("the password contains half of a surrogate pair, which has no encoding")


ABSENT: Final = Password(bmp=b"", utf8=b"")


def usual_encodings(password: str | None, kdf: str) -> tuple[EncodedPassword, ...]:
    """List what the standards say that ``kdf`` takes. Raises as :func:`encode_password` does.

    Writers encode 'no password' as an absent one or as an empty one, and so does this, for None and for "": what was
    asked for comes first. Key derivations other than PKCS12KDF see no difference.
    """
    if password:
        name = "UTF-16BE with terminator" if kdf == PKCS12KDF else "UTF-8"
        return (EncodedPassword(name, encode_password(password)),)
    absent, empty = EncodedPassword("absent", ABSENT), EncodedPassword("empty", encode_password(""))
    both = (absent, empty) if password is None else (empty, absent)
    return both if kdf == PKCS12KDF else both[:1]


def rare_encodings(password: str | None, kdf: str) -> tuple[EncodedPassword, ...]:
    """List what some writers give ``kdf`` instead, likeliest first; none is what :func:`usual_encodings` has."""
    if not password:
        return ()
    seen = {_as_key(found.octets.octets(kdf), kdf) for found in usual_encodings(password, kdf)}
    rare = []
    for name, octets in _deviations(password):
        key = _as_key(octets, kdf)
        if key not in seen:
            seen.add(key)
            rare.append(EncodedPassword(name, Password(bmp=octets, utf8=octets)))
    return tuple(rare)


def _as_key(octets: bytes, kdf: str) -> bytes:
    """Make alike what the derivation takes for the same: HMAC fills a key up with zeros (RFC 2104 section 2)."""
    return octets.rstrip(b"\0") if kdf in _BY_HMAC and len(octets) <= _SHORTEST_HMAC_BLOCK else octets


def _deviations(password: str) -> Iterator[tuple[str, bytes]]:
    utf_16, utf_8 = password.encode("utf-16-be"), password.encode()
    # OpenSSL 1.0 took each octet of the terminal's encoding, mostly UTF-8, for a character
    yield "UTF-8 octets as UTF-16BE with terminator", utf_8.decode("latin-1").encode("utf-16-be") + b"\0\0"
    yield "UTF-16BE with terminator", utf_16 + b"\0\0"
    yield "UTF-16BE without terminator", utf_16
    yield "UTF-8", utf_8
    try:
        yield "Latin-1", password.encode("latin-1")
    except UnicodeEncodeError:
        return
