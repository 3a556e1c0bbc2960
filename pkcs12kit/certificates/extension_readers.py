"""The extensions of a certificate read one by one, where pyca/cryptography does not read them together.

One extension with an encoding error then does not hide the others. RFC 5280 section 6 needs a few extensions of every
certificate; an error in one of those refuses the certificate, and so does an error in a critical one. Any other error
is noted in :attr:`Extensions.faults`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from cryptography import x509

from pkcs12kit.certificates.authority_key import AUTHORITY_KEY_FIELDS
from pkcs12kit.certificates.extension_decoding import REFUSALS, decode_extension, decode_together, may_warn
from pkcs12kit.certificates.extension_names import extension_label
from pkcs12kit.certificates.extensions import FIELDS, NAME_CONSTRAINTS, POLICY_MAPPINGS, ExtensionFault, Extensions
from pkcs12kit.certificates.general_names import ANY_POINT_NAME, PointName, read_general_names, read_point_name
from pkcs12kit.certificates.lenient import (
    UNREADABLE,
    EncodedExtension,
    contents_of,
    encode_element,
    fields_of,
    first_line,
    sequence,
    split,
)
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Read: TypeAlias = "tuple[object, str | None]"
"""A value as pyca/cryptography returns it, and what is missing in it; None where nothing is."""

_ERRORS: Final = (*UNREADABLE, *REFUSALS, MalformedCertificateError)
_SEQUENCE: Final = 0x30
_REASONS: Final = 0x81
_SHOWN_AT_MOST: Final = 200
_CRL_POINTS: Final = "2.5.29.31"
_CERTIFICATE_POLICIES: Final = "2.5.29.32"

NEEDED: Final = frozenset(
    {
        "2.5.29.15",  # keyUsage
        "2.5.29.17",  # subjectAltName
        "2.5.29.19",  # basicConstraints
        NAME_CONSTRAINTS,
        _CERTIFICATE_POLICIES,
        POLICY_MAPPINGS,
        "2.5.29.36",  # policyConstraints
        "2.5.29.37",  # extKeyUsage
        "2.5.29.54",  # inhibitAnyPolicy
        "1.3.6.1.5.5.7.48.1.5",  # id-pkix-ocsp-nocheck, which makes the revocation of an OCSP responder unimportant
    }
)
"""The extensions without which a path cannot be validated as RFC 5280 section 6.1 and RFC 6960 section 4.2 require."""
_WITH_NAMES: Final = frozenset({"1.3.36.8.3.3"})  # admission, which is not needed


def read_one_by_one(encoded: tuple[EncodedExtension, ...]) -> Extensions:
    """Return the values of extensions.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError` where one is there twice (RFC 5280 section 4.2), and
    where one that is needed or critical cannot be read; the message names it.
    """
    _refuse_duplicates(encoded)
    decoded = _decode_what_is_sound(encoded)
    values: dict[str, Any] = {}
    faults: list[ExtensionFault] = []
    for extension in encoded:
        field, take = FIELDS.get(extension.oid, (None, None))
        is_lost = False
        try:
            value, why = _read(extension, decoded)
            if field is not None and take is not None:
                values[field] = take(value)
        except _ERRORS as error:
            why, is_lost = first_line(error), True
        if why is None:
            continue
        if extension.critical or (is_lost and extension.oid in NEEDED):
            raise MalformedCertificateError(_refusal(extension, why))
        faults.append(ExtensionFault(extension.oid, harmless(why, longest=_SHOWN_AT_MOST), is_lost))
    return Extensions(
        oids=frozenset(extension.oid for extension in encoded),
        critical=frozenset(extension.oid for extension in encoded if extension.critical),
        faults=tuple(faults),
        **values,
    )


def read_values(encoded: tuple[EncodedExtension, ...], wanted: frozenset[str]) -> Iterator[object]:
    """Yield the values of those of the wanted extensions that can be read, whatever the others are.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError` where one of them is needed and cannot be read.
    """
    _refuse_duplicates(encoded)
    for extension in encoded:
        if extension.oid in wanted:
            try:
                yield _read(extension, {})[0]
            except _ERRORS as error:
                if extension.oid in NEEDED:
                    raise MalformedCertificateError(_refusal(extension, first_line(error))) from None


def read_with_names(extension: EncodedExtension) -> tuple[x509.ExtensionType | None, str | None]:
    """Return an extension that CRLs have as well, and what is missing in it; None for one without a reader here.

    Raises :class:`ValueError` and other errors of ``UNREADABLE``.
    """
    make = _OF_CRLS.get(extension.oid)
    if make is None:
        return None, None
    value, why = _READERS[extension.oid](extension.value)
    return make(value), why


def _refuse_duplicates(encoded: tuple[EncodedExtension, ...]) -> None:
    seen: set[str] = set()
    for extension in encoded:
        if extension.oid in seen:
            raise MalformedCertificateError(
                f"unreadable extensions: {extension_label(extension.oid)} is there twice (RFC 5280 section 4.2)"
            )
        seen.add(extension.oid)


def _refusal(extension: EncodedExtension, why: str) -> str:
    is_critical = "critical, " if extension.critical else ""
    reason = harmless(why, longest=_SHOWN_AT_MOST)
    return f"unreadable extensions: {is_critical}{extension_label(extension.oid)}: {reason}"


def _decode_what_is_sound(encoded: tuple[EncodedExtension, ...]) -> dict[str, object]:
    """Return what pyca/cryptography reads together, without the extensions that would make it write a warning."""
    together = [
        extension for extension in encoded if extension.oid != NAME_CONSTRAINTS and not may_warn(extension.encoding)
    ]
    try:
        return {extension.oid.dotted_string: extension.value for extension in decode_together(together)}
    except REFUSALS:
        return {}


def _read(extension: EncodedExtension, decoded: dict[str, object]) -> _Read:
    """Return the value of an extension. Raises what ``_ERRORS`` lists."""
    if extension.oid in decoded:
        return decoded[extension.oid], None
    oid, value = extension.oid, extension.value
    reader = _READERS.get(oid)
    if reader is None:
        return None if oid in _WITH_NAMES and may_warn(extension.encoding) else decode_extension(oid, value), None
    if reader is not _octets and not may_warn(extension.encoding):
        try:
            return decode_extension(oid, value), None
        except ValueError:
            pass
    return reader(value)


def _unsupported(forms: tuple[str, ...]) -> str | None:
    return f"a name of the form {' and '.join(forms)} is not supported" if forms else None


def _alternative_names(value: bytes) -> _Read:
    names, unsupported = read_general_names(contents_of(value, _SEQUENCE))
    if unsupported:
        raise ValueError(_unsupported(unsupported))
    return names, None


def _authority_key_identifier(value: bytes) -> _Read:
    fields = fields_of(value, AUTHORITY_KEY_FIELDS)
    key = fields.pop("key", None)
    if len(fields) == 1:
        return x509.AuthorityKeyIdentifier(key, None, None), "it has only one of issuer and serial number"
    if not fields:
        return x509.AuthorityKeyIdentifier(key, None, None), None
    names, unsupported = read_general_names(fields["issuer"])
    number = int.from_bytes(fields["serial number"], "big", signed=True)
    if not names:
        return x509.AuthorityKeyIdentifier(key, None, None), _unsupported(unsupported) or "its issuer is empty"
    return x509.AuthorityKeyIdentifier(key, names, number), _unsupported(unsupported)


def _distribution_points(value: bytes) -> _Read:
    points: list[x509.DistributionPoint] = []
    unsupported: list[str] = []
    for encoding in split(contents_of(value, _SEQUENCE)):
        point, forms = _distribution_point(encoding)
        points.append(point)
        unsupported += forms
    return tuple(points), _unsupported(tuple(dict.fromkeys(unsupported)))


def _distribution_point(encoding: bytes) -> tuple[x509.DistributionPoint, tuple[str, ...]]:
    fields = fields_of(encoding, {0xA0: "point", _REASONS: "reasons", 0xA2: "issuer"})
    reasons = crl_issuer = None
    name = read_point_name(fields["point"]) if "point" in fields else PointName()
    if "reasons" in fields:
        reasons = _reasons(fields["reasons"])
    if "issuer" in fields:
        crl_issuer, forms = read_general_names(fields["issuer"])
        if forms or not crl_issuer:
            raise ValueError(_unsupported(forms) or "an empty cRLIssuer")  # without one, another CRL would count
    return x509.DistributionPoint(name.full_name, name.relative_name, reasons, crl_issuer), name.unsupported


def _reasons(contents: bytes) -> frozenset[x509.ReasonFlags]:
    """Return the reasons of a distribution point, as pyca/cryptography reads them in one with any name."""
    point = sequence(ANY_POINT_NAME, encode_element(_REASONS, contents))
    points = cast("x509.CRLDistributionPoints", decode_extension(_CRL_POINTS, sequence(point)))
    reasons = points[0].reasons
    return frozenset() if reasons is None else reasons


def _access_descriptions(value: bytes) -> _Read:
    descriptions: list[x509.AccessDescription] = []
    unsupported: list[str] = []
    for encoding in split(contents_of(value, _SEQUENCE)):
        method, location = split(contents_of(encoding, _SEQUENCE))
        names, forms = read_general_names(location)
        unsupported += forms
        descriptions += [x509.AccessDescription(_identifier(method), name) for name in names]
    return tuple(descriptions), _unsupported(tuple(dict.fromkeys(unsupported)))


def _policies(value: bytes) -> _Read:
    """Return the policies; errors in their qualifiers, which are texts for people, do not lose them."""
    policies = []
    has_qualifiers = False
    for encoding in split(contents_of(value, _SEQUENCE)):
        policy, *qualifiers = split(contents_of(encoding, _SEQUENCE))
        policies.append(x509.PolicyInformation(_identifier(policy), None))
        has_qualifiers |= bool(qualifiers)
    if not policies:
        raise ValueError("it has no policies")
    return tuple(policies), "a policy qualifier is not encoded as RFC 5280 requires" if has_qualifiers else None


def _identifier(encoding: bytes) -> x509.ObjectIdentifier:
    from cryptography.hazmat import asn1

    return asn1.decode_der(x509.ObjectIdentifier, encoding)


def _octets(value: bytes) -> _Read:
    """Return an extension that is decoded later, or by its own reader."""
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29"), value), None


_READERS: Final[dict[str, Callable[[bytes], _Read]]] = {
    "2.5.29.17": _alternative_names,
    "2.5.29.18": _alternative_names,
    NAME_CONSTRAINTS: _octets,
    _CRL_POINTS: _distribution_points,
    _CERTIFICATE_POLICIES: _policies,
    POLICY_MAPPINGS: _octets,
    "2.5.29.35": _authority_key_identifier,
    "2.5.29.46": _distribution_points,
    "1.3.6.1.5.5.7.1.1": _access_descriptions,
    "1.3.6.1.5.5.7.1.11": _access_descriptions,
}
_OF_CRLS: Final[dict[str, Callable[[Any], x509.ExtensionType]]] = {
    "2.5.29.35": lambda value: value,
    "2.5.29.46": x509.FreshestCRL,
    "1.3.6.1.5.5.7.1.1": x509.AuthorityInformationAccess,
}
