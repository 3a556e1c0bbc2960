"""The rules about the extensions of a certificate: presence, criticality and contents (RFC 5280 section 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.x509.oid import ExtensionOID

from pkcs12kit.certificates.lint.linted import Broken
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.lint.linted import Linted

_AUTHORITY_KEY: Final = ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string
_SUBJECT_KEY: Final = ExtensionOID.SUBJECT_KEY_IDENTIFIER.dotted_string
_KEY_USAGE: Final = ExtensionOID.KEY_USAGE.dotted_string
_BASIC_CONSTRAINTS: Final = ExtensionOID.BASIC_CONSTRAINTS.dotted_string
_ALTERNATIVE_NAME: Final = ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string
_NAME_CONSTRAINTS: Final = ExtensionOID.NAME_CONSTRAINTS.dotted_string

_LONGEST: Final = 100  # characters of an object identifier that are shown
# Extensions that must be critical, with the rule and the words of the message.
_CRITICAL: Final = {
    _NAME_CONSTRAINTS: ("name-constraints-not-critical", "nameConstraints", "them"),
    ExtensionOID.POLICY_CONSTRAINTS.dotted_string: ("policy-constraints-not-critical", "policyConstraints", "them"),
    ExtensionOID.INHIBIT_ANY_POLICY.dotted_string: ("inhibit-any-policy-not-critical", "inhibitAnyPolicy", "it"),
}


def check_extensions(linted: Linted) -> Iterator[Broken]:
    """Yield the rules about extensions that the certificate does not keep. One of version 1 cannot have any."""
    if linted.certificate.version == 1:
        return
    yield from _key_identifiers(linted)
    yield from _key_usage(linted)
    yield from _policies(linted.extensions)
    yield from _basic_constraints(linted)
    yield from _criticality(linted)


def _key_identifiers(linted: Linted) -> Iterator[Broken]:
    certificate, extensions = linted.certificate, linted.extensions
    authority = extensions.authority_key_identifier
    exempt = linted.is_trusted or linted.is_self_signed
    if not exempt and _AUTHORITY_KEY not in extensions.oids:
        yield Broken("authority-key-identifier-missing", "it has no authorityKeyIdentifier")
    elif authority is not None and authority.key_identifier is None and not exempt:
        yield Broken("authority-key-identifier-missing", "its authorityKeyIdentifier has no key identifier")
    if certificate.is_ca and _SUBJECT_KEY not in extensions.oids:
        yield Broken("subject-key-identifier-missing", "it is a CA certificate, and has no subjectKeyIdentifier")


def _key_usage(linted: Linted) -> Iterator[Broken]:
    if linted.certificate.is_ca and _KEY_USAGE not in linted.extensions.oids:
        yield Broken("key-usage-missing", "it is a CA certificate, and has no keyUsage")


def _policies(extensions: Extensions) -> Iterator[Broken]:
    seen: set[str] = set()
    for policy in extensions.certificate_policies or ():
        if policy in seen:
            yield Broken("policy-repeated", f"its certificatePolicies have {harmless(policy, longest=_LONGEST)} twice")
            return
        seen.add(policy)


def _basic_constraints(linted: Linted) -> Iterator[Broken]:
    extensions, is_ca = linted.extensions, linted.certificate.is_ca
    constraints = extensions.basic_constraints
    if linted.is_trusted and not is_ca:
        lacks = "has no basicConstraints" if constraints is None else "has basicConstraints without cA"
        yield Broken("basic-constraints-missing", f"it is a trust anchor's certificate, and {lacks}")
    if is_ca and _BASIC_CONSTRAINTS not in extensions.critical:
        yield Broken("basic-constraints-not-critical", "its basicConstraints, of a CA, are not critical")


def _criticality(linted: Linted) -> Iterator[Broken]:
    extensions = linted.extensions
    for oid, (rule, name, them) in _CRITICAL.items():
        if oid in extensions.oids and oid not in extensions.critical:
            verb = "is" if them == "it" else "are"
            yield Broken(rule, f"its {name} {verb} not critical: software that does not know {them} ignores {them}")
    if not linted.certificate.subject and _ALTERNATIVE_NAME in extensions.oids - extensions.critical:
        yield Broken("alternative-name-not-critical", "its subject is empty, and its subjectAltName is not critical")
