"""Set-ups in which a certificate is revoked, or nothing shows that it is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from pkcs12kit import lab
from pkcs12kit.lab.extensions import authority_information_access, crl_distribution_points

from .pki import AT, BASE, ISSUING, Link, Pki, authority, ec_key
from .setups import PATHS, Broken

TODAY: Final = lab.Validity(AT - timedelta(days=1), AT + timedelta(days=6))
LAST_MONTH: Final = lab.Validity(AT - timedelta(days=30), AT - timedelta(days=23))
NEXT_WEEK: Final = lab.Validity(AT + timedelta(days=3), AT + timedelta(days=10))
SECTION: Final = "RFC 5280 section 6.1.3 (a)(3)"
POINT: Final = lab.non_critical(crl_distribution_points(f"{BASE}/issuing.crl"))
RESPONDER: Final = lab.non_critical(authority_information_access(f"{BASE}/example-issuing-ca.cer", f"{BASE}/ocsp"))
WITH_CRLS: Final = f"{PATHS} --revocation require --crl crls"
WITH_OCSP: Final = f"{PATHS} --revocation require --crl crls --ocsp server.ocsp"


def _entry(serial: int, reason: x509.ReasonFlags | None = None) -> lab.CrlEntry:
    return lab.CrlEntry(serial_number=serial, date=AT - timedelta(days=20), reason=reason)


def _with_crls(folder, *, links=None, **crls: Any):  # the arguments of each CRL
    """Write the CRLs of the three CAs: good ones of today, changed as asked for; None leaves one out."""
    pki = Pki(folder, **({"server": Link(extensions=(POINT,))} if links is None else links))
    folder.path.joinpath("crls").mkdir()
    for name, ca in (("root", pki.root), ("policy", pki.policy), ("issuing", pki.issuing)):
        how = crls.get(name, {})
        if how is not None:
            settings = {"by": ca, "validity": TODAY, **how}
            folder.write(f"crls/{name}.crl", settings.pop("by").make_crl(**settings))
    return pki


def _scope(**parts: Any) -> Any:  # an extension
    usual = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return lab.critical(x509.IssuingDistributionPoint(**{**usual, **parts}))


def _delta() -> Any:  # an extension
    return lab.critical(x509.DeltaCRLIndicator(1))


def _with_ocsp(folder, *, status=ocsp.OCSPCertStatus.GOOD, by=None, responder=None, period=TODAY, included=()):
    """Write CRLs of the CAs above, and an OCSP response about the server."""
    pki = _with_crls(folder, links={"server": Link(extensions=(RESPONDER,))}, issuing=None)
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    key, about = (by or pki.issuing).private_key, responder or pki.issuing_certificate
    built = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=pki.server.as_cryptography,
            issuer=pki.issuing_certificate.as_cryptography,
            algorithm=hashes.SHA1(),  # noqa: S303  # as most responders answer
            cert_status=status,
            this_update=period.not_before,
            next_update=period.not_after,
            revocation_time=AT - timedelta(days=20) if revoked else None,
            revocation_reason=None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, about.as_cryptography)
    )
    if included:
        built = built.certificates([one.as_cryptography for one in included])
    folder.write("server.ocsp", built.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))


def _unauthorized(folder):
    """A certificate of the issuing CA signs responses, and is not for that."""
    responder = authority("Responder", "responder")
    signer = authority(ISSUING).issue_server("responder.example.com", private_key=ec_key("responder"), serial_number=77)
    folder.put("responder.pem", signer.certificate)
    _with_ocsp(folder, by=responder, responder=signer.certificate, included=(signer.certificate,))


def _try_later(folder):
    _with_crls(folder, links={"server": Link(extensions=(RESPONDER,))}, issuing=None)
    refused = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    folder.write("server.ocsp", refused.public_bytes(Encoding.DER))


def _soft(folder):
    """The issuing CA is revoked, and the CRL that says so is one of several."""
    _with_crls(folder, policy={"revoked": [_entry(3, x509.ReasonFlags.ca_compromise)]}, issuing=None)


def _unknown(name: str, what: str, make: Any, *, call: str = WITH_CRLS, shown: bool = False) -> Broken:
    """Return a set-up in which nothing shows that the server's certificate is not revoked."""
    faults = (("server.pem", "revocation-unknown"),)
    return Broken(
        name=name, kind="revocation-unknown", what=what, make=make, call=call, faults=faults, rule=SECTION, shown=shown
    )


SETUPS: Final = (
    Broken(
        name="revoked-server",
        kind="revoked",
        what="The server's certificate is on its CA's CRL.",
        make=lambda folder: _with_crls(folder, issuing={"revoked": [_entry(1001, x509.ReasonFlags.key_compromise)]}),
        call=WITH_CRLS,
        faults=(("server.pem", "revoked"),),
        rule=SECTION,
        shown=True,
    ),
    Broken(
        name="revoked-ca",
        kind="revoked",
        what="The issuing CA is on the CRL of the CA above it.",
        make=_soft,
        call=f"{PATHS} --crl crls",
        faults=(("issuing.pem", "revoked"),),
        rule=SECTION,
    ),
    Broken(
        name="revoked-by-ocsp",
        kind="revoked",
        what="The responder says that the server's certificate is revoked.",
        make=lambda folder: _with_ocsp(folder, status=ocsp.OCSPCertStatus.REVOKED),
        call=WITH_OCSP,
        faults=(("server.pem", "revoked"),),
        rule=SECTION,
    ),
    Broken(
        name="no-crl-at-all",
        kind="revocation-unknown",
        what="Every status is required, and no CRL and no OCSP response is given.",
        make=_with_crls,
        call=f"{PATHS} --revocation require",
        faults=tuple((f"{name}.pem", "revocation-unknown") for name in ("policy", "issuing", "server")),
        rule=SECTION,
    ),
    _unknown(
        "no-crl-of-the-issuing-ca",
        "The CRL of the issuing CA is missing; those of the CAs above are there.",
        lambda folder: _with_crls(folder, issuing=None),
        shown=True,
    ),
    _unknown(
        "crl-too-old",
        "The CRL of the issuing CA is past its nextUpdate.",
        lambda folder: _with_crls(folder, issuing={"validity": LAST_MONTH}),
    ),
    _unknown(
        "crl-of-the-future",
        "The CRL of the issuing CA was made after the time asked for.",
        lambda folder: _with_crls(folder, issuing={"validity": NEXT_WEEK}),
    ),
    _unknown(
        "crl-of-other-scope",
        "The CRL of the issuing CA is about CA certificates only.",
        lambda folder: _with_crls(folder, issuing={"extensions": [_scope(only_contains_ca_certs=True)]}),
    ),
    _unknown(
        "crl-of-another-part",
        "The CA divides its CRLs, and another part than that of the server is given.",
        lambda folder: _with_crls(
            folder,
            issuing={"extensions": [_scope(full_name=[x509.UniformResourceIdentifier(f"{BASE}/part-2.crl")])]},
        ),
    ),
    _unknown(
        "delta-crl-only",
        "Only a delta CRL of the issuing CA is given.",
        lambda folder: _with_crls(folder, issuing={"extensions": [_delta()], "number": 2}),
    ),
    _unknown(
        "crl-signed-by-another-key",
        "The CRL has the issuing CA's name and is signed by another key.",
        lambda folder: _with_crls(folder, issuing={"by": authority(ISSUING, "other")}),
    ),
    _unknown(
        "ocsp-unknown",
        "The responder does not know the server's certificate.",
        lambda folder: _with_ocsp(folder, status=ocsp.OCSPCertStatus.UNKNOWN),
        call=WITH_OCSP,
    ),
    _unknown(
        "ocsp-too-old",
        "The OCSP response is past its nextUpdate.",
        lambda folder: _with_ocsp(folder, period=LAST_MONTH),
        call=WITH_OCSP,
    ),
    _unknown(
        "ocsp-responder-unauthorized",
        "The CA did not authorise the signer of the OCSP response as a responder.",
        _unauthorized,
        call=WITH_OCSP,
    ),
    _unknown(
        "ocsp-by-a-stranger",
        "The OCSP response is signed by a key of nobody here.",
        lambda folder: _with_ocsp(folder, by=authority("Stranger"), responder=authority("Stranger").certificate),
        call=WITH_OCSP,
    ),
    _unknown(
        "ocsp-refused",
        "The responder refused to answer.",
        _try_later,
        call=WITH_OCSP,
    ),
    Broken(
        name="revoked-and-wrong-name",
        kind="revoked",
        what="The server's certificate is revoked, and the clients use another name.",
        make=lambda folder: _with_crls(folder, issuing={"revoked": [_entry(1001)]}),
        call=f"{WITH_CRLS} --server-name mail.example.com",
        faults=(("server.pem", "server-name"), ("server.pem", "revoked")),
    ),
)
