"""Whether a file has to be written again: what is there against what would be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.errors import InputError, PfxPasswordError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import facts
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.bundle import Bundle
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.encryption import Encryption
    from pkcs12kit.pkcs12.inspection import PfxReport
    from pkcs12kit.pkcs12.profiles import Profile


class _MisfitError(Exception):
    """A salt or an IV that is to be used again has another length than is asked for."""


def why_changed(
    data: bytes, bundle: Bundle, *, password: str | None, profile: Profile, limits: Limits = DEFAULT_LIMITS
) -> str | None:
    """Say why the PFX ``data`` is not what encoding the bundle gives, in a few words; None where it is.

    Salts and IVs may be any of the right length: the bundle is encoded with those of ``data``, and has to come out the
    same to the last byte. So nothing is overlooked, and no more than one encoding is done where nothing changed.

    A file that cannot be read, or not with this password, is a changed one. Raises
    :class:`~pkcs12kit.errors.PasswordError` as :func:`~pkcs12kit.encode_pfx` does.
    """
    try:
        there = inspect_pfx(data, limits=limits)
    except InputError as error:
        return f"what was there cannot be read: {error}"
    expected = facts.of_profile(profile, with_key=bundle.private_key is not None)
    if _protections(there) != expected.protections:
        return "it was protected in another way"
    if _encode_like(there, bundle, password, profile) == data:
        return None
    try:
        decoded = decode_pfx(data, password=password, limits=limits)
    except PfxPasswordError:
        return "what was there does not open with this password"
    except InputError as error:
        return f"what was there cannot be read: {error}"
    return next(_differences(decoded, bundle), "its attributes or its encoding were others")


def _protections(report: PfxReport) -> tuple[facts.Protection, ...]:
    """List them as :attr:`facts.PfxFacts.protections` does, as far as they are seen without the password."""
    mac = () if report.mac is None else (facts.of_mac(report.mac),)
    return (*map(facts.of_encryption, _encryptions(report)), *mac)


def _encryptions(report: PfxReport) -> Iterator[Encryption]:
    for safe in report.safe_contents:
        if safe.encryption is not None:
            yield safe.encryption
        yield from (bag.encryption for bag in safe.bags or () if bag.encryption is not None)


def _encode_like(report: PfxReport, bundle: Bundle, password: str | None, profile: Profile) -> bytes | None:
    """Encode the bundle with the salts and IVs of another file; None where they do not fit."""
    drawn = [part for it in _encryptions(report) for part in (it.salt, it.iv) if part is not None]
    if report.mac is not None and report.mac.salt is not None:
        drawn.append(report.mac.salt)
    remaining = iter(drawn)

    def replay(length: int) -> bytes:
        part = next(remaining, b"")
        if len(part) != length:
            raise _MisfitError
        return part

    try:
        return encode_pfx(bundle, password=password, profile=profile, random_bytes=replay)
    except _MisfitError:
        return None


def _differences(decoded: DecodedPfx, bundle: Bundle) -> Iterator[str]:
    own = [] if bundle.private_key is None else [bundle.private_key.public_key()]
    if [key.public_key() for key in decoded.private_keys] != own:
        yield "it held another private key, or another number of them"
    if decoded.certificates != bundle.certificates:
        same = sorted(it.der for it in decoded.certificates) == sorted(it.der for it in bundle.certificates)
        yield "its certificates were in another order" if same else "it held other certificates"
    if decoded.friendly_names != bundle.aliases or (
        decoded.private_keys and decoded.friendly_name != _key_name(bundle)
    ):
        yield "it had other names"


def _key_name(bundle: Bundle) -> str | None:
    """Name the key as reading does: by its own name, or else by that of its certificate."""
    return bundle.friendly_name or bundle.aliases[0]
