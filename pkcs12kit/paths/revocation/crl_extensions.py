"""The extensions of a CRL, as pyca/cryptography reads them, or one by one (RFC 5280 section 5.2).

They are read one by one where pyca/cryptography refuses them, or would write a Python warning, because of a name in
one of them: a directory name with a character too many, or a common name that is too long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from cryptography import x509
from cryptography.x509 import load_der_x509_crl

from pkcs12kit.certificates.extension_decoding import REFUSALS, may_warn
from pkcs12kit.certificates.extension_readers import read_with_names
from pkcs12kit.certificates.general_names import ANY_POINT_NAME, read_point_name
from pkcs12kit.certificates.lenient import (
    UNREADABLE,
    EncodedExtension,
    contents_of,
    encode_element,
    sequence,
    split,
    split_extensions,
)
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SEQUENCE: Final = 0x30
_POINT: Final = 0xA0
_EXTENSIONS: Final = 0xA0
_SCOPE: Final = "2.5.29.28"
_HEADER: Final = bytes.fromhex("020101300506032b65703000170d3236303130313030303030305a")
_ALGORITHM_AND_SIGNATURE: Final = bytes.fromhex("300506032b6570030100")


def decode_crl_extensions(
    parsed: x509.CertificateRevocationList, encoded: bytes
) -> Iterable[x509.Extension[x509.ExtensionType]]:
    """Return the extensions of a CRL; ``encoded`` is the field in which they are. Raises :class:`ValueError`."""
    refusal = None
    if not may_warn(encoded):
        try:
            return parsed.extensions
        except REFUSALS as error:
            refusal = error
    try:
        return list(_read_one_by_one(encoded))
    except (*UNREADABLE, MalformedCertificateError) as error:
        raise ValueError(str(refusal or error)) from None


def _read_one_by_one(encoded: bytes) -> Iterator[x509.Extension[x509.ExtensionType]]:
    seen: set[str] = set()
    for extension in split_extensions(contents_of(encoded, _EXTENSIONS)):
        if extension.oid in seen:
            raise ValueError(f"the extension {extension.oid} is there twice")
        seen.add(extension.oid)
        yield x509.Extension(x509.ObjectIdentifier(extension.oid), extension.critical, _value(extension))


def _value(extension: EncodedExtension) -> x509.ExtensionType:
    if extension.oid == _SCOPE:
        return _scope(extension)
    value, is_incomplete = read_with_names(extension)
    if is_incomplete:
        raise ValueError(is_incomplete)
    return _decode(extension.encoding) if value is None else value


def _scope(extension: EncodedExtension) -> x509.IssuingDistributionPoint:
    """Return an issuingDistributionPoint; its name is read here, the rest by pyca/cryptography beside another name."""
    fields = list(split(contents_of(extension.value, _SEQUENCE)))
    if not fields or fields[0][0] != _POINT:
        return cast("x509.IssuingDistributionPoint", _decode(extension.encoding))
    name = read_point_name(contents_of(fields[0], _POINT))
    if name.unsupported or (name.relative_name is None and not name.full_name):
        raise ValueError("a name of a form that is not supported")
    value = sequence(ANY_POINT_NAME, *fields[1:])
    rest = cast("x509.IssuingDistributionPoint", _decode(EncodedExtension.of(_SCOPE, value).encoding))
    return x509.IssuingDistributionPoint(
        name.full_name,
        name.relative_name,
        rest.only_contains_user_certs,
        rest.only_contains_ca_certs,
        rest.only_some_reasons,
        rest.indirect_crl,
        rest.only_contains_attribute_certs,
    )


def _decode(encoding: bytes) -> x509.ExtensionType:
    """Return the value of the only extension of a CRL that is made for it."""
    content = sequence(_HEADER, encode_element(_EXTENSIONS, sequence(encoding)))
    (extension,) = load_der_x509_crl(sequence(content, _ALGORITHM_AND_SIGNATURE)).extensions
    value: x509.ExtensionType = extension.value
    return value
