"""What a server gave, as CRLs and OCSP responses. Nothing is believed here: who signed them is looked at elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError
from pkcs12kit.sources.revocation_data import load_crls, load_ocsp_responses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asn1crypto import crl

    from pkcs12kit.limits import Limits

_MALFORMED: Final = (ValueError, TypeError, KeyError, AttributeError, RecursionError)  # what asn1crypto raises
_CRL_EXTENSIONS: Final = (
    "issuer_alt_name",
    "crl_number",
    "delta_crl_indicator",
    "issuing_distribution_point",
    "authority_key_identifier",
    "freshest_crl",
    "authority_information_access",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedCrl:
    """A CRL, DER, and where it says that more is: its issuer's certificates (RFC 5280 section 5.2.7), its deltas."""

    der: bytes
    issuer_urls: tuple[str, ...]
    delta_urls: tuple[str, ...]


def read_crls(data: bytes, *, limits: Limits) -> tuple[FetchedCrl, ...]:
    """Read a response: DER or PEM, whatever its Content-Type. Raises :class:`~pkcs12kit.errors.InputError`.

    What cannot be read to the end of its extensions is refused here, so that it is in nobody's way later. The entries
    are not looked at: there may be a million, and they are read once the signature was checked.
    """
    ders = load_crls(data, limits=replace(limits, input_bytes=limits.retrieval_crl_bytes))
    return tuple(_read_crl(der) for der in ders)


def read_ocsp_responses(data: bytes, *, limits: Limits) -> tuple[bytes, ...]:
    """Read a response, likewise; one that is an error and not an answer is refused, too (RFC 6960 section 2.3)."""
    ders = load_ocsp_responses(data, limits=replace(limits, input_bytes=limits.retrieval_response_bytes))
    for der in ders:
        _require_answer(der)
    return ders


def _read_crl(der: bytes) -> FetchedCrl:
    from pkcs12kit.paths.revocation_sources import load_crl

    certificate_list = load_crl(der)
    try:
        for name in _CRL_EXTENSIONS:
            value = getattr(certificate_list, f"{name}_value")
            if value is not None:
                _ = value.native
        return FetchedCrl(
            der=der,
            issuer_urls=tuple(_issuer_urls(certificate_list)),
            delta_urls=tuple(_delta_urls(certificate_list)),
        )
    except _MALFORMED as error:
        raise InputError(f"not a CRL: {_first_line(error)}") from None


def _issuer_urls(certificate_list: crl.CertificateList) -> Iterator[str]:
    for description in certificate_list.authority_information_access_value or ():
        location = description["access_location"]
        if description["access_method"].native == "ca_issuers" and location.name == "uniform_resource_identifier":
            yield location.native


def _delta_urls(certificate_list: crl.CertificateList) -> Iterator[str]:
    for point in certificate_list.freshest_crl_value or ():
        name = point["distribution_point"]
        if name.name == "full_name":
            yield from (one.native for one in name.chosen if one.name == "uniform_resource_identifier")


def _require_answer(der: bytes) -> None:
    from asn1crypto import ocsp

    from pkcs12kit.paths.revocation_sources import load_ocsp

    try:
        status = ocsp.OCSPResponse.load(der, strict=True)["response_status"].native
    except _MALFORMED as error:
        raise InputError(f"not an OCSP response: {_first_line(error)}") from None
    if status != "successful":
        raise InputError(f"the responder answers {str(status).replace('_', ' ')}")
    try:
        for container in load_ocsp(der):
            _ = container.extract_single_response().native
    except _MALFORMED as error:
        raise InputError(f"not an OCSP response: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
