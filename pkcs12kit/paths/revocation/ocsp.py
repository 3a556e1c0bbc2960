"""One OCSP response, parsed but not verified (RFC 6960 section 4.2)."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.der import read_name, refuse_endless_tags
from pkcs12kit.errors import InputError, LimitExceededError, MalformedCertificateError
from pkcs12kit.paths.revocation.faults import Fault, malformed, unknown_critical_extension
from pkcs12kit.paths.revocation.model import RevocationEntry, RevocationStatus
from pkcs12kit.paths.signatures import SignedData

if TYPE_CHECKING:
    from asn1crypto import ocsp as asn1_ocsp

    from pkcs12kit.certificates.names import Name
    from pkcs12kit.limits import Limits

NO_CHECK: Final = "1.3.6.1.5.5.7.48.1.5"
"""The extension id-pkix-ocsp-nocheck of a responder's certificate (section 4.2.2.2.1)."""

SUCCESSFUL: Final = "successful"

_INVALIDITY_DATE: Final = "2.5.29.24"
_PROCESSED: Final = frozenset(
    {
        "1.3.6.1.5.5.7.48.1.2",  # nonce (section 4.4.1): ties the response to a request; our requests have none
        "1.3.6.1.5.5.7.48.1.9",  # extended revoke (section 4.4.8): changes no status
    }
)
_PROCESSED_IN_ANSWERS: Final = frozenset(
    {
        "1.3.6.1.5.5.7.48.1.3",  # CRL references (section 4.4.2): which CRL the answer is from
        "1.3.6.1.5.5.7.48.1.6",  # archive cutoff (section 4.4.4): how far back the responder looks
        "2.5.29.21",  # reasonCode of a CRL entry (section 4.4.5)
        _INVALIDITY_DATE,  # of a CRL entry (section 4.4.5)
    }
)
# asn1crypto's spelling, and that of RFC 5280 section 5.3.1
_REASONS: Final = {
    "unspecified": "unspecified",
    "key_compromise": "keyCompromise",
    "ca_compromise": "cACompromise",
    "affiliation_changed": "affiliationChanged",
    "superseded": "superseded",
    "cessation_of_operation": "cessationOfOperation",
    "certificate_hold": "certificateHold",
    "remove_from_crl": "removeFromCRL",
    "privilege_withdrawn": "privilegeWithdrawn",
    "aa_compromise": "aACompromise",
}
# The errors of asn1crypto for malformed data.
_MALFORMED: Final = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError)


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleAnswer:
    """The answer about one certificate, a SingleResponse."""

    hash_name: str
    """The hash of the two next fields, as hashlib names it."""
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial_number: int
    status: RevocationStatus
    """UNKNOWN where the responder says that it does not know the certificate."""
    revoked: RevocationEntry | None
    this_update: datetime
    next_update: datetime | None
    fault: Fault | None
    """The reason why it must not be used, whatever its signer; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspResponse:
    """A response: the responder's error, or a basic response with its answers."""

    response_status: str
    """``successful``, or the error as RFC 6960 section 4.2.1 spells it."""
    signed: SignedData | None = None
    """None unless successful."""
    responder_name: Name | None = None
    responder_key_hash: bytes | None = None
    """SHA-1 of the responder's public key. A response has either the name or the hash (section 4.2.2.3)."""
    source: str | None = None
    """The name of the file or the URL that it is from, safe to print; None where it is not known."""
    answers: tuple[SingleAnswer, ...] = ()
    size: int = 0
    """Bytes of the whole response."""
    certificates: tuple[bytes, ...] = field(default=(), repr=False)
    """The certificates in the response, DER as received."""
    fault: Fault | None = None
    """The reason why it must not be used, whatever its signer; None where there is none."""
    _produced_at: Any = field(default=None, repr=False, compare=False)

    @property
    def produced_at(self) -> datetime | None:
        """The time of the signature; None where there is none, or it cannot be read. No check depends on it."""
        return None if self._produced_at is None else _time_if_readable(self._produced_at)

    def __str__(self) -> str:
        if self.responder_name is not None:
            return f"the response of {self.responder_name.label}"
        return f"the response of the responder with the key {(self.responder_key_hash or b'').hex()}"


def read_ocsp_response(der: bytes, *, limits: Limits) -> OcspResponse:
    """Parse an OCSP response. Nothing is verified.

    Raises :class:`~pkcs12kit.errors.InputError` for bytes that are not a basic OCSP response, and
    :class:`~pkcs12kit.errors.LimitExceededError` beyond ``limits.ocsp_response_bytes``, ``limits.ocsp_answers`` and
    ``limits.ocsp_elements``.
    """
    from asn1crypto import ocsp as asn1_ocsp

    if len(der) > limits.ocsp_response_bytes:
        raise LimitExceededError(f"an OCSP response beyond limits.ocsp_response_bytes = {limits.ocsp_response_bytes:,}")
    try:
        refuse_endless_tags(der)
        response = asn1_ocsp.OCSPResponse.load(der, strict=True)
        status = str(response["response_status"].native)
        if status != SUCCESSFUL:
            return OcspResponse(response_status=_camel_case(status), size=len(der), source=getattr(der, "source", None))
        if response["response_bytes"]["response_type"].native != "basic_ocsp_response":
            raise InputError("an OCSP response of an unknown type; only the basic type can be read")
        basic = _read_basic(der, response["response_bytes"]["response"].parsed, limits)
        lenient.require_whole(response)
    except (*_MALFORMED, MalformedCertificateError) as error:
        raise InputError(f"not an OCSP response: {lenient.first_line(error)}") from None
    return basic


def _read_basic(der: bytes, basic: asn1_ocsp.BasicOCSPResponse, limits: Limits) -> OcspResponse:
    data = basic["tbs_response_data"]
    _require_within(limits, basic)
    responder, certificates = data["responder_id"], basic["certs"]
    by_name = responder.name == "by_name"
    fault = _extension_fault(data["response_extensions"], _PROCESSED)
    if data["version"].native != "v1":
        fault = malformed("is of an unknown version (RFC 6960 section 4.2.1)")
    return OcspResponse(
        response_status=SUCCESSFUL,
        signed=SignedData(
            content=lenient.encoding_of(data),
            algorithm=lenient.encoding_of(basic["signature_algorithm"]),
            signature=basic["signature"].native,
            sha256=hashlib.sha256(der).hexdigest(),
        ),
        responder_name=read_name(responder.chosen.chosen.contents) if by_name else None,
        responder_key_hash=None if by_name else responder.chosen.native,
        answers=tuple(_read_answer(answer) for answer in data["responses"]),
        certificates=tuple(map(lenient.encoding_of, certificates or ())),
        _produced_at=data["produced_at"],
        source=getattr(der, "source", None),
        size=len(der),
        fault=fault,
    )


def _require_within(limits: Limits, basic: asn1_ocsp.BasicOCSPResponse) -> None:
    """Check that there are no more answers, extensions and certificates than ``limits`` allow.

    Counting stops at the limit. Raises :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    data = basic["tbs_response_data"]
    answers = _count(data["responses"], at_most=limits.ocsp_answers)
    if answers > limits.ocsp_answers:
        raise LimitExceededError(
            f"an OCSP response with more than limits.ocsp_answers = {limits.ocsp_answers:,} answers"
        )
    left = limits.ocsp_elements - answers
    lists = (
        data["response_extensions"],
        basic["certs"],
        *(answer["single_extensions"] for answer in data["responses"]),
    )
    for elements in lists:
        left -= _count(elements, at_most=left)
        if left < 0:
            raise LimitExceededError(
                f"an OCSP response with more than limits.ocsp_elements = {limits.ocsp_elements:,} answers, extensions"
                " and certificates"
            )


def _count(elements: Any, *, at_most: int) -> int:  # noqa: ANN401  # asn1crypto is untyped
    """Return the number of elements of a SEQUENCE OF, or ``at_most + 1`` where it has more."""
    return sum(1 for _ in islice(lenient.split(elements.contents or b""), at_most + 1))


def _read_answer(answer: asn1_ocsp.SingleResponse) -> SingleAnswer:
    identity, status = answer["cert_id"], answer["cert_status"]
    revoked = None
    if status.name == "revoked":
        reason = status.chosen["revocation_reason"].native
        revoked = RevocationEntry(
            revoked_at=_time(status.chosen["revocation_time"]),
            reason=_REASONS.get(reason, "unspecified"),
            invalidity_date=_invalidity_date(answer["single_extensions"]),
        )
    known = {"good": RevocationStatus.GOOD, "revoked": RevocationStatus.REVOKED}
    return SingleAnswer(
        hash_name=identity["hash_algorithm"]["algorithm"].native,
        issuer_name_hash=identity["issuer_name_hash"].native,
        issuer_key_hash=identity["issuer_key_hash"].native,
        serial_number=identity["serial_number"].native,
        status=known.get(status.name, RevocationStatus.UNKNOWN),
        revoked=revoked,
        this_update=_time(answer["this_update"]),
        next_update=None if answer["next_update"].native is None else _time(answer["next_update"]),
        fault=_extension_fault(answer["single_extensions"], _PROCESSED_IN_ANSWERS),
    )


def _extension_fault(extensions: Any, processed: frozenset[str]) -> Fault | None:  # noqa: ANN401  # asn1crypto is untyped
    """Return why the extensions forbid the use (section 4.4): a critical one, or one that occurs twice; else None."""
    seen = set()
    for extension in extensions or ():
        oid: str = extension["extn_id"].dotted
        if oid in seen:
            return malformed(f"has the extension {oid} twice")
        seen.add(oid)
        if extension["critical"].native and oid not in processed:
            return unknown_critical_extension(oid)
    return None


def _time(value: Any) -> datetime:  # noqa: ANN401  # asn1crypto is untyped
    time = value.native
    if not isinstance(time, datetime) or time.tzinfo is None:
        raise ValueError("a time without its zone, or out of range")  # the data is malformed
    return time


def _time_if_readable(value: Any) -> datetime | None:  # noqa: ANN401  # asn1crypto is untyped
    """Return a time on which no check depends; None where it cannot be read."""
    try:
        return _time(value)
    except _MALFORMED:
        return None


def _invalidity_date(extensions: Any) -> datetime | None:  # noqa: ANN401  # asn1crypto is untyped
    for extension in extensions or ():
        if extension["extn_id"].dotted == _INVALIDITY_DATE:
            with suppress(*_MALFORMED):
                return _time(extension["extn_value"].parsed)
    return None


def _camel_case(status: str) -> str:
    """Return an error as the standard spells it; asn1crypto has another word in sigRequired."""
    if status == "sign_required":
        return "sigRequired"
    first, *others = status.split("_")
    return first + "".join(word.capitalize() for word in others)
