"""What a server gave, as certificates: the content decides, whatever its Content-Type and the URL's ending say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError, LimitExceededError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.sniffing import Kind

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.limits import Limits

# RFC 5280 sections 4.2.2.1 and 4.2.2.2 name a certificate and certs-only CMS; crossCertificatePair is what directories
# have (RFC 4523). They name neither zip nor PKCS#12, and each would be work that a stranger asks for: to unpack, and to
# derive keys by as many iterations as the file likes.
_READ: Final = frozenset({Kind.CERTIFICATE, Kind.PKCS7, Kind.CERTIFICATE_PAIR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The certificates in one response, untrusted, in their order; what could not be read; why there is nothing.

    ``why`` is one line, for a response without certificates, and for one that has more than are taken; else empty.
    """

    certificates: tuple[Certificate, ...] = ()
    rejects: tuple[Reject, ...] = ()
    why: str = ""


def read_contents(data: bytes, *, url: str, at_most: int, limits: Limits = DEFAULT_LIMITS) -> Contents:
    """Read what ``url`` gave: DER, PEM, base64, PKCS#7 in DER, BER and PEM, crossCertificatePair. Never raises.

    ``at_most`` certificates and rejects, together, are taken, the first; no signature, time or purpose is checked.
    """
    collector = Collector(password=None, limits=replace(limits, certificates=at_most), containers=_READ)
    try:
        collector.collect_content(url, data)
        why = ""
    except LimitExceededError as error:
        too_many = len(collector.certificates) + len(collector.rejects) > at_most
        why = "more certificates than are taken (limits.retrieval_certificates)" if too_many else _without(url, error)
    except InputError as error:
        why = _without(url, error)
    certificates = tuple(collector.certificates[:at_most])
    return Contents(certificates=certificates, rejects=tuple(collector.rejects[: at_most - len(certificates)]), why=why)


def _without(url: str, error: InputError) -> str:
    """Take away the name that the sentence begins with."""
    return str(error).removeprefix(f"{url}: ")
