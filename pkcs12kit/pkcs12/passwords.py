"""The encodings of a password: those of the standards, and those that some writers use instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.errors import ArgumentError, PasswordError
from pkcs12kit.hints import Hint
from pkcs12kit.pkcs12.protection import PBKDF2, PKCS12KDF, SCRYPT

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_PASSWORD: Final = frozenset({"absent", "empty"})
"""The names of the encodings of :func:`usual_encodings` for no password."""
AS_IT_WAS_SET: Final = Hint(
    text="give the password as it was set: spaces, capital letters and the keyboard layout count"
)
"""For a password that does not open what it was given for."""
_BY_HMAC: Final = frozenset({PBKDF2, SCRYPT})
_SHORTEST_HMAC_BLOCK: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """A password as the key derivations use it; never shown.

    ``bmp`` is for PKCS12KDF: by RFC 7292 appendix B.1 a BMPString with its terminator, or empty for an absent password.
    ``utf8`` is for all other derivations (RFC 8018 section 3).
    """

    bmp: bytes = field(repr=False)
    utf8: bytes = field(repr=False)

    def octets(self, kdf: str) -> bytes:
        """Return the octets for the key derivation of this name."""
        return self.bmp if kdf == PKCS12KDF else self.utf8


class EncodedPassword(NamedTuple):
    """A password in one encoding, the same for every key derivation, and the name of that encoding."""

    encoding: str
    octets: Password


def encode_password(password: str) -> Password:
    """Return a password as OpenSSL and Java encode it; characters beyond the BMP become surrogate pairs.

    Raises :class:`~pkcs12kit.errors.PasswordError` for a password that cannot be encoded, and
    :class:`~pkcs12kit.ArgumentError` for bytes.
    """
    if not isinstance(password, str):
        raise ArgumentError(f"password: expected str, not {type(password).__name__}")
    if "\0" in password:
        raise PasswordError("the password contains a NUL character, and other programs would ignore the rest of it")
    try:
        return Password(bmp=password.encode("utf-16-be") + b"\0\0", utf8=password.encode())
    except UnicodeEncodeError:
        pass  # this error holds the password, so it must not become the context of the next one
    raise PasswordError("the password contains half of a surrogate pair, which has no encoding")


ABSENT: Final = Password(bmp=b"", utf8=b"")


def usual_encodings(password: str | None, kdf: str) -> tuple[EncodedPassword, ...]:
    """Return the encodings of a password that the standards define for ``kdf``. Raises as :func:`encode_password` does.

    Writers encode 'no password' as an absent or as an empty password. For None and for ``""`` both are returned, the
    one that was asked for first. They only differ for PKCS12KDF.
    """
    if password:
        name = "UTF-16BE with terminator" if kdf == PKCS12KDF else "UTF-8"
        return (EncodedPassword(name, encode_password(password)),)
    absent, empty = EncodedPassword("absent", ABSENT), EncodedPassword("empty", encode_password(""))
    both = (absent, empty) if password is None else (empty, absent)
    return both if kdf == PKCS12KDF else both[:1]


def rare_encodings(password: str | None, kdf: str) -> tuple[EncodedPassword, ...]:
    """Return the encodings that some writers use for ``kdf`` instead of :func:`usual_encodings`, most likely first."""
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


def warnings_about(password: str) -> Iterator[str]:
    """Yield what may surprise a user of a new file with this password, without showing it."""
    if not (password.isascii() and password.isprintable()):
        yield "the password is not printable ASCII: some readers, such as Java, cannot open the file"
    if password.strip() != password:
        yield (
            "the password begins or ends with a space or another blank, which is part of it; if that is a mistake,"
            " remove the blank and write the file again"
        )


def _as_key(octets: bytes, kdf: str) -> bytes:
    """Return equal octets for equal keys: HMAC fills up a short key with zeros (RFC 2104 section 2)."""
    return octets.rstrip(b"\0") if kdf in _BY_HMAC and len(octets) <= _SHORTEST_HMAC_BLOCK else octets


def _deviations(password: str) -> Iterator[tuple[str, bytes]]:
    utf_16, utf_8 = password.encode("utf-16-be"), password.encode()
    # OpenSSL 1.0 read each octet of the terminal's encoding, mostly UTF-8, as a character
    yield "UTF-8 octets as UTF-16BE with terminator", utf_8.decode("latin-1").encode("utf-16-be") + b"\0\0"
    yield "UTF-16BE with terminator", utf_16 + b"\0\0"
    yield "UTF-16BE without terminator", utf_16
    yield "UTF-8", utf_8
    try:
        yield "Latin-1", password.encode("latin-1")
    except UnicodeEncodeError:
        return
