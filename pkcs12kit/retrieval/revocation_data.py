"""What a server gave, as CRLs and OCSP responses. Nothing is believed here: who signed them is looked at elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pkcs12kit.errors import InputError
from pkcs12kit.paths.revocation.crl import read_crl
from pkcs12kit.paths.revocation.ocsp import SUCCESSFUL, read_ocsp_response
from pkcs12kit.sources.revocation_data import load_crls, load_ocsp_responses

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedCrl:
    """A CRL, DER, and where it says that more is: its issuer's certificates (RFC 5280 section 5.2.7), its deltas."""

    der: bytes
    header_bytes: int
    """Bytes of everything but the entries."""
    rewritten_bytes: int
    """Bytes that count against ``limits.crl_rewritten_bytes``."""
    issuer_urls: tuple[str, ...]
    delta_urls: tuple[str, ...]


def read_crls(data: bytes, *, limits: Limits) -> tuple[FetchedCrl, ...]:
    """Read a response: DER or PEM, whatever its Content-Type. Raises :class:`~pkcs12kit.errors.InputError`.

    What cannot be read to the end of its extensions is refused here, so that it is in nobody's way later. The entries
    are not looked at: there may be a million, and they are read once the signature was checked.
    """
    ders = load_crls(data, limits=replace(limits, input_bytes=limits.retrieval_crl_bytes))
    return tuple(_read_crl(der, limits) for der in ders)


def read_ocsp_responses(data: bytes, *, limits: Limits) -> tuple[bytes, ...]:
    """Read a response, likewise; one that is an error and not an answer is refused, too (RFC 6960 section 2.3)."""
    ders = load_ocsp_responses(data, limits=replace(limits, input_bytes=limits.retrieval_response_bytes))
    for der in ders:
        _require_answer(der, limits)
    return ders


def _read_crl(der: bytes, limits: Limits) -> FetchedCrl:
    found = read_crl(der, limits=limits)
    if found.fault is not None:
        raise InputError(f"{found} {found.fault}")
    return FetchedCrl(
        der=der,
        header_bytes=found.header_bytes,
        rewritten_bytes=found.rewritten_bytes,
        issuer_urls=found.issuer_urls,
        delta_urls=found.delta_urls,
    )


def _require_answer(der: bytes, limits: Limits) -> None:
    response = read_ocsp_response(der, limits=limits)
    if response.response_status != SUCCESSFUL:
        raise InputError(f"the responder answers {response.response_status}")
