"""The comparison of an existing PFX with the one that would be written in its place: changes, and losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
from pkcs12kit.text import harmless, quoted_name, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.bundle import Bundle
    from pkcs12kit.pkcs12.compatibility import PfxFacts
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.protection import Profile

_LISTED: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference between a file and the one that would be written in its place."""

    aspect: str
    """``key``, ``certificates``, ``names``, ``protection``, ``password``, ``contents``, ``owner``, ``group``, ``mode``
    or ``access``."""
    sentence: str
    """The difference in a few words, of the old file: ``it held other certificates``."""
    detail: str = ""
    """The parts that differ, where they can be listed: ``+ CA 2, - CA 1``."""

    def __str__(self) -> str:
        return f"{self.aspect}: {self.detail or self.sentence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The differences of an existing file, and its certificates as far as they could be read."""

    differences: tuple[Difference, ...]
    certificates: tuple[Certificate, ...] = ()


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
    found = _compare(data, bundle, [], password=password, profile=profile, limits=limits)
    return next((one.sentence for one in found), None)


def compare_pfx(
    data: bytes, bundle: Bundle, *, password: str | None, profile: Profile, limits: Limits = DEFAULT_LIMITS
) -> Comparison:
    """Return every difference that :func:`why_changed` looks for, in the same order; it decrypts in any case."""
    certificates: list[Certificate] = []
    found = tuple(_compare(data, bundle, certificates, password=password, profile=profile, limits=limits))
    return Comparison(differences=found, certificates=tuple(certificates))


def _compare(
    data: bytes,
    bundle: Bundle,
    certificates: list[Certificate],
    *,
    password: str | None,
    profile: Profile,
    limits: Limits,
) -> Iterator[Difference]:
    """Yield each difference, and add the certificates of the old file once it is opened."""
    try:
        facts = inspect_pfx(data, limits=limits).facts.of_protection
        if facts != of_profile(profile, with_key=bundle.private_key is not None):
            yield Difference(
                aspect="protection", sentence="it was protected in another way", detail=_protections(facts, profile)
            )
        decoded = decode_pfx(data, password=password, limits=limits)
    except PfxPasswordError:
        yield Difference(aspect="password", sentence="the existing file does not open with this password")
        return
    except PasswordError:
        raise
    except InputError as error:
        yield Difference(aspect="contents", sentence=f"the existing file cannot be read: {error}")
        return
    certificates.extend(decoded.certificates)
    yield from _differences(decoded, bundle, password)


def _protections(facts: PfxFacts, profile: Profile) -> str:
    """Return the names of the old and the new profile; an empty text where the old one has no name."""
    names = (
        one.name for one in profiles.PROFILES if any(of_profile(one, with_key=key) == facts for key in (True, False))
    )
    old = next(names, None)
    return "" if old is None or old == profile.name else f"{old} -> {profile.name}"


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
        facts = [inspect_pfx(data, password=password, limits=limits).facts.of_protection for data in (there, copy)]
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


def _differences(decoded: DecodedPfx, bundle: Bundle, password: str | None) -> Iterator[Difference]:
    own = [] if bundle.private_key is None else [bundle.private_key.public_key()]
    if [key.public_key() for key in decoded.private_keys] != own:
        yield Difference(aspect="key", sentence="it held another private key, or another number of them")
    if not all(is_encoded_for(key.private_key_info, bundle.certificates[0]) for key in decoded.keys):
        yield Difference(aspect="key", sentence="it held the private key for another algorithm than the certificate's")
    same = decoded.certificates == bundle.certificates
    if not same:
        yield of_certificates(decoded.certificates, bundle.certificates)
    if decoded.other_bags or decoded.rejects or decoded.unread_keys or decoded.trailing_bytes:
        yield Difference(aspect="contents", sentence="it also held other contents")
    if names := tuple(dict.fromkeys(_other_names(decoded, bundle))):
        yield Difference(aspect="names", sentence="it had other names", detail=", ".join(shortened(names, _LISTED)))
    if not same:  # the attributes of other certificates say nothing more
        return
    if _attributes(decoded) != _expected_attributes(bundle) or len(decoded.notes) != _expected_notes(bundle):
        yield Difference(aspect="contents", sentence="it had other attributes")
    if any(use.encoding != usual_encodings(password, use.kdf)[0].encoding for use in decoded.password_uses):
        yield Difference(aspect="password", sentence="its password was encoded in another way")


def of_certificates(old: tuple[Certificate, ...], new: tuple[Certificate, ...]) -> Difference:
    """Return the difference between two lists of certificates that are not equal."""
    changes = [*(("+", one) for one in new if one not in old), *(("-", one) for one in old if one not in new)]
    if not changes:
        same = sorted(one.der for one in old) == sorted(one.der for one in new)
        sentence = "its certificates were in another order" if same else "it held other certificates"
        return Difference(aspect="certificates", sentence=sentence)
    labels = [one.label for _, one in changes]
    listed = [
        f"{sign} {harmless(one.label)}{f' ({one.sha256[:8]})' if labels.count(one.label) > 1 else ''}"
        for sign, one in changes
    ]
    return Difference(
        aspect="certificates", sentence="it held other certificates", detail=", ".join(shortened(listed, _LISTED))
    )


def _other_names(decoded: DecodedPfx, bundle: Bundle) -> Iterator[str]:
    """Yield the old and the new name of the key, and of each certificate that both files have."""
    keys = [key.friendly_name for key in decoded.keys]
    expected = [bundle.friendly_name] * len(keys) if bundle.private_key is not None else []
    aliases = dict(zip(bundle.certificates, bundle.aliases, strict=True))
    common = [pair for pair in zip(decoded.certificates, decoded.friendly_names, strict=True) if pair[0] in aliases]
    for old, new in (*zip(keys, expected, strict=False), *((name, aliases[one]) for one, name in common)):
        if old != new:
            yield f"{_shown_name(old)} -> {_shown_name(new)}"


def _shown_name(name: str | None) -> str:
    return "no name" if name is None else quoted_name(name)


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
