"""Decoding PKCS#12: any file, and any contents behind a sound frame."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import replace
from functools import cache

import pkcs12kit as pk

from .elements import contents_of, der, split
from .making import ca_extensions, certify, key, server_extensions

KEPT = 1
"""The first octet says whether the rest is a file, an authenticated safe without a MAC, or SafeContents."""
_PASSWORD = "correct horse 42"
_LIMITS = replace(
    pk.DEFAULT_LIMITS,
    pfx_iterations=200,
    pfx_total_iterations=20_000,
    pfx_retry_iterations=500,
    pfx_scrypt_bytes=1 << 20,
    pfx_total_scrypt_bytes=1 << 21,
    pfx_private_key_work=4,
)
_DEAR = 4
"""Of so many inputs one is also inspected without a password, and shown."""
_DATA = der(0x06, bytes.fromhex("2a864886f70d010701"))
_FILE, _SAFE, _CONTENTS = range(3)


def seeds() -> list[bytes]:
    """Encode one bundle in every profile, and take the parts of the unprotected one."""
    made = [bytes([_FILE]) + _encode(_bundle(), _quick(profile)) for profile in pk.profiles.PROFILES]
    authenticated = split(contents_of(_encode(_bundle(), pk.profiles.NO_PASSWORD)))[0][1]
    safe = _contained(authenticated)
    contents = [_contained(info) for info in split(contents_of(safe))[0]]
    return [*made, bytes([_SAFE]) + safe, *(bytes([_CONTENTS]) + each for each in contents)]


def check(data: bytes) -> None:
    """Raise nothing but the project's own errors; what decodes is the same after it was written again."""
    kind, rest = (data[0] % 3, data[1:]) if data else (_FILE, b"")
    if kind == _CONTENTS:
        rest = der(0x30, _octets(rest))
    if kind != _FILE:
        rest = der(0x30, b"\x02\x01\x03", _octets(rest))
    dear = zlib.crc32(data) % _DEAR == 0
    for password in (_PASSWORD, None) if dear else (_PASSWORD,):
        try:
            pk.inspect_pfx(rest, password=password, limits=_LIMITS).to_json()
        except pk.Pkcs12KitError as error:
            str(error).encode("utf-8")
    try:
        decoded = pk.decode_pfx(rest, password=_PASSWORD, limits=_LIMITS)
    except pk.Pkcs12KitError as error:
        text = str(error)
        assert _PASSWORD not in text
        text.encode("utf-8")
        return
    assert _PASSWORD not in repr(decoded)
    if dear:
        pk.to_html(decoded).encode("utf-8")
    _write_again(rest, decoded)


def _write_again(data: bytes, decoded: pk.DecodedPfx) -> None:
    passwords = {"password": _PASSWORD, "new_password": _PASSWORD}
    try:
        converted = pk.convert_pfx(
            data, **passwords, profile=_quick(pk.profiles.MODERN), limits=_LIMITS, random_bytes=_counted
        )
    except pk.InputError as error:
        str(error).encode("utf-8")
        return
    again = pk.decode_pfx(converted, password=_PASSWORD)
    assert _comparable(again) == _comparable(decoded)


def _comparable(decoded: pk.DecodedPfx) -> tuple[object, ...]:
    """List what a file holds; the order of the keys among the certificates may change, not within each."""
    keys = [(one.private_key_info, one.friendly_name, one.local_key_id, one.attributes) for one in decoded.keys]
    certificates = zip(decoded.certificates, decoded.friendly_names, decoded.local_key_ids, strict=True)
    others = [(one.type, one.value_type, one.value, one.friendly_name, one.local_key_id) for one in decoded.other_bags]
    return keys, list(certificates), decoded.certificate_attributes, others, len(decoded.rejects)


def _encode(bundle: pk.Bundle, profile: pk.Profile) -> bytes:
    password = _PASSWORD if profile.takes_password else None
    return pk.encode_pfx(bundle, password=password, profile=profile, random_bytes=_counted)


def _quick(profile: pk.Profile) -> pk.Profile:
    """Let a profile take three iterations where it takes any."""
    counts = {name: min(getattr(profile, name), 3) for name in ("encryption_iterations", "mac_iterations")}
    return replace(profile, **counts, minimum_iterations=1)


@cache
def _bundle() -> pk.Bundle:
    ca = certify("CA", "CA", 1, *ca_extensions("CA", "CA"))
    server = certify("server", "CA", 2, *server_extensions("server", "CA"))
    return pk.Bundle(private_key=key("server"), certificates=(server, ca), friendly_name="mdm.example.mil")


def _contained(content_info: bytes) -> bytes:
    """Return what a ContentInfo of data holds (RFC 7292 section 4.1)."""
    explicit = split(contents_of(content_info))[0][1]
    return contents_of(split(contents_of(explicit))[0][0])


def _octets(contents: bytes) -> bytes:
    """Wrap an encoding as the ContentInfo of data (RFC 7292 section 4)."""
    return der(0x30, _DATA, der(0xA0, der(0x04, contents)))


_numbers = itertools.count()


def _counted(length: int) -> bytes:
    """Return salts that are the same in every run."""
    return (next(_numbers) % 251).to_bytes(1, "big") * length
