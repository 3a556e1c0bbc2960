"""The comparison of an existing PFX with the one that would be written in its place: changes, and losses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pkcs12kit.errors import InputError, MalformedCertificateError, PasswordError, PfxPasswordError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.attributes import read_attributes
from pkcs12kit.pkcs12.bags import encode_attributes
from pkcs12kit.pkcs12.compatibility import of_profile
from pkcs12kit.pkcs12.conversion import convert_pfx
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encoder import attributes_of_certificates, local_key_id
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.passwords import usual_encodings
from pkcs12kit.pkcs12.private_keys import is_encoded_for
from pkcs12kit.text import quoted_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.bundle import Bundle
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.protection import Profile


def why_changed(
    data: bytes, bundle: Bundle, *, password: str | None, profile: Profile, limits: Limits = DEFAULT_LIMITS
) -> str | None:
    """Return the first difference between the PFX ``data`` and an encoding of the bundle, or None if there is none.

    There is none if the file opens with the password, holds only the same key and certificates in the same order, with
    the same names, localKeyIDs and other attributes, and has the protection of the profile. Only salts and IVs may
    differ.

    A file that cannot be read, or not with this password, is different. Nothing is decrypted if the protection already
    differs. Raises :class:`~pkcs12kit.errors.PasswordError` for a password that cannot be encoded.
    """
    try:
        facts = replace(inspect_pfx(data, limits=limits).facts, complete=True)
        if facts != of_profile(profile, with_key=bundle.private_key is not None):
            return "it was protected in another way"
        decoded = decode_pfx(data, password=password, limits=limits)
    except PfxPasswordError:
        return "the existing file does not open with this password"
    except PasswordError:
        raise
    except InputError as error:
        return f"the existing file cannot be read: {error}"
    return next(_differences(decoded, bundle, password), None)


def secrets_lost(old: DecodedPfx, bundle: Bundle) -> tuple[str, ...]:
    """Return what ``old`` has and the bundle has not, and cannot be made again: other keys, for example.

    Not counted are certificates of CAs, and those of the bundle's own key: a new path replaces them.
    """
    keys = [f"the private key{_named(key.friendly_name)}" for key in old.keys if not _is_own(key.private_key, bundle)]
    unread = [f"the private key{_named(key.friendly_name)} in {key.place}" for key in old.unread_keys]
    bags = [f"a {bag.type}{_named(bag.friendly_name)}" for bag in old.other_bags]
    certificates = [
        f"the certificate {quoted_name(one.label)}"
        for one in old.certificates
        if not (one.is_ca or one in bundle.certificates or _is_of_own_key(one, bundle))
    ]
    damaged = [f"certificate {reject.position}, which cannot be read" for reject in old.rejects]
    return tuple(dict.fromkeys((*keys, *unread, *bags, *certificates, *damaged)))


def replaced_by_path(old: DecodedPfx, bundle: Bundle) -> tuple[str, ...]:
    """Return the other certificates, and the names of the key, that ``old`` has and the bundle has not."""
    names = {key.friendly_name for key in old.keys if _is_own(key.private_key, bundle)} - {None, bundle.friendly_name}
    certificates = [one for one in old.certificates if one not in bundle.certificates]
    replaced = (one for one in certificates if one.is_ca or _is_of_own_key(one, bundle))
    return (
        *(f"the certificate {quoted_name(one.label)}" for one in replaced),
        *(f"the name {quoted_name(name)} of the key (--friendly-name)" for name in sorted(filter(None, names))),
    )


def _is_own(private_key: PrivateKeyTypes, bundle: Bundle) -> bool:
    return bundle.private_key is not None and private_key.public_key() == bundle.private_key.public_key()


def _is_of_own_key(certificate: Certificate, bundle: Bundle) -> bool:
    try:
        return bundle.private_key is not None and certificate.public_key == bundle.private_key.public_key()
    except MalformedCertificateError:
        return False


def _named(friendly_name: str | None) -> str:
    return "" if friendly_name is None else f" {quoted_name(friendly_name)}"


def why_copy_changed(there: bytes, copy: bytes, *, password: str | None, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """Return the first difference between the PFX ``there`` and ``copy``, a conversion, or None if there is none.

    There is none if both open with the password and have the same protection, and if every entry has the same octets
    and attributes, in the same order: also those that nothing here can read. Only salts and IVs may differ. Raises
    nothing for a file that cannot be read: it is different.
    """
    try:
        old, new = (decode_pfx(data, password=password, limits=limits) for data in (there, copy))
        facts = [inspect_pfx(data, password=password, limits=limits).facts for data in (there, copy)]
        if facts[0] != facts[1]:
            return "it was protected in another way"
        if _comparable(there, password, limits) == _comparable(copy, password, limits):
            odd = old.trailing_bytes or [use.encoding for use in old.password_uses] != [
                use.encoding for use in new.password_uses
            ]
            return "it was written in another way" if odd else None
    except PfxPasswordError:
        return "the existing file does not open with this password"
    except InputError as error:
        return f"the existing file cannot be read: {error}"
    return _difference(old, new)


def _difference(old: DecodedPfx, new: DecodedPfx) -> str:
    if [key.public_key() for key in old.private_keys] != [key.public_key() for key in new.private_keys]:
        return "it held another private key, or another number of them"
    if old.certificates != new.certificates:
        return "it held other certificates, or in another order"
    return "it had other names, or also held other contents"


def _comparable(data: bytes, password: str | None, limits: Limits) -> bytes:
    """Return an encoding in which only contents differ: all salts and IVs are zero. It is never written."""
    profile = profiles.MODERN.with_iterations(
        encryption=profiles.MODERN.minimum_iterations, mac=profiles.MODERN.minimum_iterations
    )
    return convert_pfx(
        data, password=password, new_password=password or "", profile=profile, limits=limits, random_bytes=bytes
    )


def _differences(decoded: DecodedPfx, bundle: Bundle, password: str | None) -> Iterator[str]:
    own = [] if bundle.private_key is None else [bundle.private_key.public_key()]
    if [key.public_key() for key in decoded.private_keys] != own:
        yield "it held another private key, or another number of them"
    if not all(is_encoded_for(key.private_key_info, bundle.certificates[0]) for key in decoded.keys):
        yield "it held the private key for another algorithm than the certificate's"
    if decoded.certificates != bundle.certificates:
        same = sorted(it.der for it in decoded.certificates) == sorted(it.der for it in bundle.certificates)
        yield "its certificates were in another order" if same else "it held other certificates"
    if decoded.other_bags or decoded.rejects or decoded.unread_keys or decoded.trailing_bytes:
        yield "it also held other contents"
    names = [bundle.friendly_name] if own else []
    if decoded.friendly_names != bundle.aliases or [key.friendly_name for key in decoded.keys] != names:
        yield "it had other names"
    if _attributes(decoded) != _expected_attributes(bundle) or len(decoded.notes) != _expected_notes(bundle):
        yield "it had other attributes"
    if any(use.encoding != usual_encodings(password, use.kdf)[0].encoding for use in decoded.password_uses):
        yield "its password was encoded in another way"


def _attributes(decoded: DecodedPfx) -> list[tuple[bytes | None, list[bytes]]]:
    """Return localKeyIDs and attributes of the certificates, then of the keys; attributes of one bag are a set."""
    of_certificates = zip(decoded.local_key_ids, decoded.certificate_attributes, strict=True)
    of_keys = ((key.local_key_id, key.attributes) for key in decoded.keys)
    return [(its_id, sorted(attributes)) for its_id, attributes in (*of_certificates, *of_keys)]


def _expected_notes(bundle: Bundle) -> int:
    """Return the number of notes on attributes that are the bundle's own; others are about odd names and IDs."""
    fields = (encode_attributes(None, None, tuple(others)) for _, others in _expected_attributes(bundle))
    return sum(len(read_attributes(field).notes) for field in fields)


def _expected_attributes(bundle: Bundle) -> list[tuple[bytes | None, list[bytes]]]:
    own_id = local_key_id(bundle)
    ids = [own_id, *[None] * (len(bundle.certificates) - 1)]
    expected = [*zip(ids, attributes_of_certificates(bundle), strict=True)]
    if bundle.private_key is not None:
        expected.append((own_id, bundle.key_attributes))
    return [(its_id, sorted(attributes)) for its_id, attributes in expected]
