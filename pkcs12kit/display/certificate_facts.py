"""The fields and extensions of a certificate in plain words, for terminals, notebooks and JSON.

The texts come from outside and are not made safe here: terminals need :func:`~pkcs12kit.text.harmless`.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from pkcs12kit.certificates.algorithm_names import key_in_words
from pkcs12kit.certificates.extensions import FIELDS
from pkcs12kit.certificates.key_algorithms import unsupported_algorithm
from pkcs12kit.certificates.policy_names import policy_label
from pkcs12kit.certificates.subtrees import DIRECTORY_NAME, DNS_NAME, IP_ADDRESS, RFC822_NAME
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.subtrees import EncodedName

_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_KINDS: Final = {x509.DNSName: "DNS", x509.IPAddress: "IP", x509.RFC822Name: "email", x509.DirectoryName: "name"}
_KINDS_OF_FORMS: Final = {DNS_NAME: "DNS", IP_ADDRESS: "IP", RFC822_NAME: "email", DIRECTORY_NAME: "name"}


class Fact(NamedTuple):
    """A field or an extension with its values."""

    name: str
    values: tuple[str, ...]
    is_code: bool = False
    """True for hexadecimal digits."""


def public_key_in_words(certificate: Certificate) -> str | None:
    """Return the algorithm and the size of a certificate's key; None where the key cannot be read.

    A post-quantum algorithm that is not supported is named as well: ``SLH-DSA-SHA2-128s``.
    """
    try:
        return key_in_words(certificate.public_key)
    except MalformedCertificateError:
        return unsupported_algorithm(certificate.subject_public_key_info)


def sha1_fingerprint(certificate: Certificate) -> str:
    """Return the SHA-1 fingerprint in hexadecimal, to find a certificate by: it proves nothing."""
    return hashlib.sha1(certificate.der, usedforsecurity=False).hexdigest()


def alternative_names(certificate: Certificate) -> tuple[str, ...]:
    """Return the names of the subjectAltName: ``DNS mdm.example.mil``; nothing where it cannot be read."""
    try:
        names = certificate.extensions.subject_alternative_name or ()
    except MalformedCertificateError:
        return ()
    return tuple(map(general_name, names))


def extension_facts(extensions: Extensions) -> Iterator[Fact]:
    """Yield the names and values of extensions, in the words of RFC 5280 section 4.2; without an absent one."""
    for name, values, is_code in _all_facts(extensions):
        if values:
            yield Fact(name, tuple(values), is_code)


def _all_facts(extensions: Extensions) -> Iterator[tuple[str, list[str] | tuple[str, ...], bool]]:
    yield "subject alternative name", list(map(general_name, extensions.subject_alternative_name or ())), False
    yield "basic constraints", _basic_constraints(extensions), False
    yield "key usage", _key_usage(extensions), False
    if extensions.extended_key_usage is not None:
        yield "extended key usage", list(map(_purpose, sorted(extensions.extended_key_usage))), False
    yield "certificate policies", list(map(policy_label, extensions.certificate_policies or ())), False
    yield "policy mappings", _policy_mappings(extensions), False
    yield "policy constraints", _policy_constraints(extensions), False
    if extensions.name_constraints is not None:
        for kind in ("permitted", "excluded"):
            subtrees = getattr(extensions.name_constraints, f"{kind}_subtrees") or ()
            yield f"{kind} names", list(map(_subtree, subtrees)), False
    if extensions.subject_key_identifier is not None:
        yield "subject key identifier", [extensions.subject_key_identifier.hex()], True
    yield from _authority_key(extensions)
    yield "issuer's certificate", extensions.ca_issuers, False
    yield "OCSP", extensions.ocsp_responders, False
    yield "CRL", extensions.crl_locations, False
    yield "delta CRL", extensions.delta_crl_locations, False
    yield "certificates of the CA", extensions.ca_repositories, False
    yield "other extensions", list(map(_extension_name, sorted(extensions.oids - FIELDS.keys()))), False
    yield "critical", list(map(_extension_name, sorted(extensions.critical))), False
    yield "not read", [f"{_extension_name(fault.oid)}: {fault.why}" for fault in extensions.faults], False


def _basic_constraints(extensions: Extensions) -> list[str]:
    constraints = extensions.basic_constraints
    if constraints is None:
        return []
    length = f", path length {constraints.path_length}" if constraints.path_length is not None else ""
    return [f"{'CA' if constraints.ca else 'not a CA'}{length}"]


def _key_usage(extensions: Extensions) -> list[str]:
    if extensions.key_usage is None:
        return []
    usages = [usage.replace("_", " ") for usage in _USAGES if getattr(extensions.key_usage, usage)]
    return [", ".join(usages) or "none"]


def _policy_mappings(extensions: Extensions) -> list[str]:
    if extensions.encoded_policy_mappings is None:
        return []
    try:
        mappings = extensions.policy_mappings or ()
    except MalformedCertificateError as error:
        return [str(error)]
    return [f"{policy_label(issuer)} is {policy_label(subject)}" for issuer, subject in mappings]


def _policy_constraints(extensions: Extensions) -> list[str]:
    found = []
    constraints = extensions.policy_constraints
    if constraints is not None and constraints.require_explicit_policy is not None:
        found.append(f"a policy is required after {constraints.require_explicit_policy} more certificates")
    if constraints is not None and constraints.inhibit_policy_mapping is not None:
        found.append(f"no policy mapping after {constraints.inhibit_policy_mapping} more certificates")
    if extensions.inhibit_any_policy is not None:
        found.append(f"anyPolicy does not count after {extensions.inhibit_any_policy} more certificates")
    return found


def _authority_key(extensions: Extensions) -> Iterator[tuple[str, list[str], bool]]:
    authority = extensions.authority_key_identifier
    if authority is None:
        return
    if authority.key_identifier is not None:
        yield "authority key identifier", [authority.key_identifier.hex()], True
    if authority.authority_cert_serial_number is not None:
        names = ", ".join(map(general_name, authority.authority_cert_issuer or ()))
        yield "authority certificate", [f"serial {authority.authority_cert_serial_number:#x} of {names}"], False


def general_name(one: x509.GeneralName) -> str:
    """Return a general name with its kind before it: ``DNS mdm.example.mil``."""
    kind = _KINDS.get(type(one), type(one).__name__)
    if isinstance(one, x509.DirectoryName):
        return f"{kind} {one.value.rfc4514_string()}"
    if isinstance(one, x509.OtherName):
        return f"other name {one.type_id.dotted_string}"
    return f"{kind} {one.value.dotted_string if isinstance(one, x509.RegisteredID) else one.value}"


def _subtree(one: EncodedName) -> str:
    value = one.value if isinstance(one.value, str) else one.shown_value
    return f"{_KINDS_OF_FORMS.get(one.form, one.form)} {value}"


def _purpose(identifier: str) -> str:
    return _known(identifier, ExtendedKeyUsageOID)


def _extension_name(identifier: str) -> str:
    return _known(identifier, ExtensionOID)


def _known(identifier: str, names: type) -> str:
    """Return the name of an object identifier in pyca/cryptography's constants, or the identifier itself."""
    for constant, value in vars(names).items():
        if getattr(value, "dotted_string", None) == identifier:
            return constant.lower().replace("_", " ")
    return identifier
