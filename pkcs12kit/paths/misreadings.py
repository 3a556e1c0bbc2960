"""Name constraints and names that certvalidator, the second validator, is known to misread or not to apply.

The constraints were found by experiment: for each form, every pair of a subtree and a name was judged by certvalidator
and by an independent reading of RFC 5280 section 4.2.1.10 (``tests/paths/test_misreadings.py``). certvalidator gets the
constraints without these subtrees, so that it judges everything else. Where one of them matters for a name, its
answer is not a yes.

Distinguished names are read by asn1crypto for it, which does not read some strings of real CAs, or finds another text
in them: UTF-8 in a TeletexString, for example. It gets such names with UTF8Strings instead, if it does not accept them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509

from pkcs12kit.certificates.der import read_encoded_extensions
from pkcs12kit.certificates.lenient import UNREADABLE, encode_element, read_structure, sequence
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.subtrees import (
    DIRECTORY_NAME,
    DNS_NAME,
    OTHER_NAME,
    RFC822_NAME,
    URI,
    EncodedName,
    NameConstraints,
    read_encoded_names,
)
from pkcs12kit.paths.validation.name_constraints import names_of
from pkcs12kit.paths.validation.name_forms import SMTP_UTF8_MAILBOX

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.paths.validation.parameters import ValidationParameters

_COMPARED: Final = frozenset({DIRECTORY_NAME, DNS_NAME, RFC822_NAME, URI})
_UTF8_MAILBOX: Final = f"{OTHER_NAME} {SMTP_UTF8_MAILBOX}"
_A_LABEL: Final = re.compile(r"(?:^|[.@/])(xn--)", re.IGNORECASE)
_SET: Final = 0x31
_SUBJECT_ALTERNATIVE_NAME: Final = "2.5.29.17"
_OTHER_TEXT: Final = "it finds another text in a string, or none"
_PERMITTED, _EXCLUDED = "permitted", "excluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeableConstraints:
    """The name constraints on a path without the subtrees that certvalidator misreads; None for none."""

    initial: NameConstraints | None
    """Those of the parameters."""
    of_anchor: NameConstraints | None
    """Those of the trust anchor."""
    of_certificates: tuple[NameConstraints | None, ...]
    """Those of the certificates, from the target on."""
    misread: str | None
    """The first subtree that is left out although a name is compared with it, and why; None for none."""

    @classmethod
    def of(cls, path: CertificationPath, parameters: ValidationParameters) -> JudgeableConstraints:
        """Return the constraints that certvalidator applies correctly to the names on a path.

        Raises :class:`~pkcs12kit.errors.MalformedCertificateError`.
        """
        found: list[str] = []
        everyone = names_below(path, len(path.certificates))
        initial = NameConstraints.from_general_names(
            permitted=parameters.initial_permitted_subtrees, excluded=parameters.initial_excluded_subtrees
        )
        anchor = path.trust_anchor.constraints if parameters.use_trust_anchor_constraints else None
        of_anchor = None if anchor is None else anchor.name_constraints
        return cls(
            initial=without_misread(initial, everyone, "the parameters", found),
            of_anchor=without_misread(of_anchor, everyone, "the trust anchor", found),
            of_certificates=tuple(
                without_misread(
                    certificate.extensions.name_constraints, names_below(path, number), certificate.label, found
                )
                for number, certificate in enumerate(path.certificates)
            ),
            misread=found[0] if found else None,
        )


def misread_name(path: CertificationPath) -> str | None:
    """Return a name or directoryName subtree on a path that asn1crypto does not read as it is read here, if any.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError`.
    """
    certificates = [*path.certificates]
    if path.trust_anchor.certificate is not None:
        certificates.append(path.trust_anchor.certificate)
    for certificate in certificates:
        structure = read_structure(certificate.der)
        for field, encoded, name in (
            ("subject", structure.subject, certificate.subject),
            ("issuer", structure.issuer, certificate.issuer),
        ):
            if not _is_read_alike(encoded, name):
                return f"it misreads the {field} of {certificate.label}: {_OTHER_TEXT}"
        constraints = certificate.extensions.name_constraints
        for base in constraints.subtrees if constraints is not None else ():
            value = base.value
            if isinstance(value, Name) and not _is_read_alike(base.contents, value):
                return f"it misreads the subtree {base} of {certificate.label}: {_OTHER_TEXT}"
        for alternative in alternative_names(certificate):
            value = alternative.value
            if isinstance(value, Name) and not _is_read_alike(alternative.contents, value):
                return f"it misreads the subjectAltName {alternative} of {certificate.label}: {_OTHER_TEXT}"
    return None


def alternative_names(certificate: Certificate) -> tuple[EncodedName, ...]:
    """Return the names of a subjectAltName as they are encoded; none where there is no directoryName among them."""
    names = certificate.extensions.subject_alternative_name or ()
    if not any(isinstance(name, x509.DirectoryName) for name in names):
        return ()
    values = [one.value for one in read_encoded_extensions(certificate.der) if one.oid == _SUBJECT_ALTERNATIVE_NAME]
    return tuple(name for value in values for name in read_encoded_names(value))


def _is_read_alike(encoded: bytes, name: Name) -> bool:
    from asn1crypto import x509 as asn1_x509

    try:
        texts = [
            attribute["value"].native for attributes in asn1_x509.Name.load(encoded).chosen for attribute in attributes
        ]
    except UNREADABLE:
        return False
    ours = [value for attributes in name.relative_distinguished_names for _, value in attributes]
    return all(isinstance(value, str) for value in ours) and texts == ours


def rewritten(name: Name) -> bytes:
    """Encode a name with each value as a UTF8String, octets in hexadecimal."""
    from asn1crypto import core

    relative = (
        (sequence(core.ObjectIdentifier(oid).dump(), core.UTF8String(_text(value)).dump()) for oid, value in attributes)
        for attributes in name.relative_distinguished_names
    )
    return sequence(*(encode_element(_SET, *attributes) for attributes in relative))


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.hex()


def names_below(path: CertificationPath, position: int) -> dict[str, list[object]]:
    """Return the names in ``certificates[:position]`` that constraints above apply to, the values of each form.

    Self-issued certificates are not checked, except the target (RFC 5280 section 6.1.3 (b) and (c)).
    """
    names: dict[str, list[object]] = {}
    for number, certificate in enumerate(path.certificates[:position]):
        if number == 0 or not certificate.is_self_issued:
            for form, value, _ in names_of(certificate):
                names.setdefault(form, []).append(value)
    return names


def without_misread(
    constraints: NameConstraints | None, names: dict[str, list[object]], imposed_by: str, found: list[str]
) -> NameConstraints | None:
    """Return constraints without the misread subtrees; those that matter for one of the names are added to ``found``.

    Of excluded subtrees only the misread ones are left out. Of permitted subtrees all of the form are, because without
    one of them the others would permit too little.
    """
    if constraints is None:
        return None
    kept: dict[str, tuple[EncodedName, ...] | None] = {}
    for kind, bases in (_PERMITTED, constraints.permitted_subtrees), (_EXCLUDED, constraints.excluded_subtrees):
        reasons = {base: _misreading(kind, base, names) for base in bases or ()}
        found += [
            f"it misreads the {kind} subtree {base} of {imposed_by}: {why}" for base, why in reasons.items() if why
        ]
        left_out = {base for base, why in reasons.items() if why is not None}
        forms = {base.form for base in left_out} if kind == _PERMITTED else set()
        kept[kind] = tuple(base for base in reasons if base not in left_out and base.form not in forms) or None
    return NameConstraints(permitted_subtrees=kept[_PERMITTED], excluded_subtrees=kept[_EXCLUDED])


def _misreading(kind: str, base: EncodedName, names: dict[str, list[object]]) -> str | None:
    """Return how a subtree is misread; "" where that does not matter for these names, None where it is read well."""
    form, value = base.form, base.value
    concerned = names.get(form, [])
    if not isinstance(value, str) or form not in _COMPARED:
        is_compared = form == DIRECTORY_NAME and isinstance(value, Name)
        return None if is_compared else "names of this form are not compared" if concerned else ""
    if form == RFC822_NAME and _UTF8_MAILBOX in names:
        return "a SmtpUTF8Mailbox is not compared"
    found = _misread_base(kind, form, value)
    if found is not None:
        return found if concerned else ""
    pairs = (_misread_pair(form, value, name) for name in concerned if isinstance(name, str))
    return next((found for found in pairs if found), None)


def _misread_base(kind: str, form: str, base: str) -> str | None:
    if not base and (kind == _PERMITTED or form == DNS_NAME):
        return "an empty subtree holds no name for it, instead of all"
    if form == DNS_NAME and base.startswith("."):
        return "the leading dot is compared with a label"
    return "the asterisk is compared with a label" if form == DNS_NAME and "*" in base else None


def _misread_pair(form: str, base: str, name: str) -> str | None:
    labels = _A_LABEL.findall(base), _A_LABEL.findall(name)
    if all(labels) and (form != DNS_NAME or any(label != label.lower() for each in labels for label in each)):
        return "A-labels are compared with U-labels"
    if form == RFC822_NAME and "@" in base and ('"' in base or '"' in name):
        return "quotation marks are compared as part of the mailbox"
    return None
