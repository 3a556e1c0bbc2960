"""A password as octets: what the standards say, and what writers do instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pkcs12kit.errors import PasswordError


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """A password as the key derivations get it; never shown.

    ``bmp`` goes into PKCS12KDF: by RFC 7292 appendix B.1 a BMPString with its terminator, or no octet at all for an
    absent password. ``utf8`` goes into all others (RFC 8018 section 3). ``encoding`` says what it is instead, where it
    is something else in both.
    """

    bmp: bytes = field(repr=False)
    utf8: bytes = field(repr=False)
    encoding: str | None = None

    def octets(self, kdf: str) -> bytes:
        """Give what the key derivation of this name takes."""
        return self.bmp if kdf == "PKCS12KDF" else self.utf8


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
        raise PasswordError("the password contains half of a surrogate pair, which has no encoding") from None


ABSENT: Final = Password(bmp=b"", utf8=b"")


def candidates(password: str | None) -> tuple[Password, ...]:
    """List the encodings that a reader tries, likeliest first.

    Writers encode 'no password' as an absent one or as an empty one, and so does this, for None and for "".
    """
    if password is None:
        return (ABSENT, encode_password(""))
    if not password:
        return (encode_password(""), ABSENT)
    return (encode_password(password),)
