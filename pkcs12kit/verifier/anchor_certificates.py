"""Certificates of the trust anchor in a served chain: its own, and cross-certificates for it, which may expire."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.findings import Check, not_checked, not_ok, note, ok
from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.verifier.delivered import ChainPaths, DeliveredChain

# After AddTrust External CA Root (May 2020) and DST Root CA X3 (September 2021): openssl.org, "Old Let's Encrypt Root
# Certificate Expiration and OpenSSL 1.0.2"; gitlab.nic.cz, turris/os/packages, issue 799 (GnuTLS 3.6.7, not 3.6.15);
# community.letsencrypt.org, topic 161107 (LibreSSL).
_FOLLOWING: Final = "OpenSSL 1.0.2, GnuTLS before 3.6.14 and LibreSSL up to 3.1.2"


def own_certificates(certificates: Iterable[Certificate], path: ValidatedPath) -> list[Certificate]:
    """Return the anchor's own certificates: self-issued, or the one that the user trusts."""
    anchor = path.trust_anchor
    return [
        one for one in certificates if one.node == anchor.node and (one.is_self_issued or one == anchor.certificate)
    ]


def cross_certificates(certificates: Iterable[Certificate], path: ValidatedPath) -> list[Certificate]:
    """Return the certificates in which another CA certifies the name and the key of the anchor."""
    own = own_certificates(certificates := tuple(certificates), path)
    return [one for one in certificates if one.node == path.trust_anchor.node and one not in own]


def expiring(certificates: Iterable[Certificate], time: datetime, within: timedelta) -> list[Certificate]:
    """Return the certificates that have expired, or that expire within a time from now."""
    return [one for one in certificates if one.not_after - time < max(within, timedelta(0))]


def check_trust_anchor(chain: DeliveredChain, paths: ChainPaths, within: timedelta) -> Finding:
    """Report the anchor's certificates that are sent, which clients do not need (RFC 5246 section 7.4.2).

    A cross-certificate for the anchor fails the check where it has expired, or expires within the time: old clients
    follow it instead of stopping at the anchor.
    """
    check, path = Check.TRUST_ANCHOR, paths.path
    if path is None:
        return not_checked(check, "there is no path")
    own = own_certificates(chain.certificates, path)
    crossed = cross_certificates(chain.certificates, path)
    if crossed:
        time = path.parameters.time
        words = "; ".join(_described(one, time) for one in crossed)
        if expiring(crossed, time, within):
            return not_ok(check, f"{words}: {_FOLLOWING} follow it, and refuse the chain once it has expired")
        return note(
            check, f"{words}: clients that trust the anchor do not need it; {_FOLLOWING} follow it all the same"
        )
    if not own or path.certificates[0] in own:
        return ok(check, "its own certificate is not sent, and need not be")
    return ok(check, f"its own certificate is sent and need not be: {counted(len(own[0].der), 'byte')}")


def _described(cross: Certificate, time: datetime) -> str:
    until = format_time(cross.not_after)
    ends = f"expired on {until}" if cross.not_after < time else f"expires on {until}"
    number = serial_number_label(cross.serial_number)
    return (
        f"a cross-certificate of the trust anchor {cross.label} is sent, issued by {cross.issuer.label} ({number}),"
        f" which {ends}"
    )
