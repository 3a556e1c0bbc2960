"""CRLs and OCSP responses about one path: mutated as they come, and signed again after the mutation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.lab import extensions as ext
from pkcs12kit.paths.revocation import check_revocation

from .elements import contents_of, der, split
from .making import AT, ca_extensions, certify, key, name, server_extensions, signed_again

KEPT = 1
"""The first octet chooses the kind of evidence, the world that it is given in, and whether it is signed again."""
_OCSP, _REVOKED_WORLD, _SIGNED_AGAIN, _BESIDE = 1, 2, 4, 8
_URL = "http://ca.example/ca.crl"
GOOD, REVOKED = pk.revocation.RevocationStatus.GOOD, pk.revocation.RevocationStatus.REVOKED


@dataclass(frozen=True, kw_only=True)
class World:
    """A path, and every piece of evidence that its CAs ever signed about the server, all of one opinion: ``truth``.

    The two worlds have keys of their own, so that the evidence of one is a stranger's in the other.
    """

    truth: pk.revocation.RevocationStatus
    path: pk.CertificationPath
    pool: pk.CertificatePool
    of_the_root: bytes
    crls: tuple[bytes, ...]
    responses: tuple[bytes, ...]


def seeds() -> list[bytes]:
    """Take each piece of evidence of each world, alone and beside sound evidence, as it is and to be signed again."""
    made = []
    for revoked in (0, _REVOKED_WORLD):
        world = _world(revoked=bool(revoked))
        for more in (0, _SIGNED_AGAIN, _BESIDE):
            made += [bytes([revoked | more]) + crl for crl in world.crls]
            made += [bytes([revoked | more | _OCSP]) + response for response in world.responses]
    return made


def check(data: bytes) -> None:
    """Raise nothing but the project's own errors; evidence that no authority signed never changes an answer.

    In a world all evidence that was ever signed is of one opinion. So an answer of the other opinion was forged,
    whatever the mutation is (RFC 5280 section 6.3.3, RFC 6960 section 3.2). What is signed again may say anything of
    the server, but nothing of the CA, whose issuer did not sign it.
    """
    flags, evidence = (data[0], data[1:]) if data else (0, b"")
    world = _world(revoked=bool(flags & _REVOKED_WORLD))
    if flags & _SIGNED_AGAIN:
        ca_label = _labels(world.truth)[1]
        evidence = _ocsp_signed_again(evidence, ca_label) if flags & _OCSP else signed_again(evidence, ca_label)
    crls = [world.of_the_root, *([] if flags & _OCSP else [evidence]), *(world.crls[:1] if flags & _BESIDE else ())]
    try:
        server, ca = _judge(world, crls, [evidence] if flags & _OCSP else [])
    except pk.InputError as error:
        str(error).encode("utf-8")
        return
    assert ca is GOOD, "the CA's status changed, and its issuer signed nothing new"
    if flags & _SIGNED_AGAIN:
        return
    other = {GOOD: REVOKED, REVOKED: GOOD}[world.truth]
    assert server is not other, f"{server.value}, and nobody ever signed that"
    if flags & _BESIDE:
        assert server is world.truth, "sound evidence is disregarded beside a mutation"


def _judge(world: World, crls: list[bytes], responses: list[bytes]) -> list[pk.revocation.RevocationStatus]:
    revocation = pk.Revocation(mode=pk.RevocationMode.REQUIRE, crls=crls, ocsp_responses=responses)
    report = check_revocation(world.path, time=AT, revocation=revocation, pool=world.pool)
    for status in report.statuses:
        str(status).encode("utf-8")
    return [status.status for status in report.statuses]


def _labels(truth: pk.revocation.RevocationStatus) -> tuple[str, str, str, str]:
    """Name the root, the CA, the server and the CA's OCSP responder of a world."""
    return (f"Root {truth.value}", f"CA {truth.value}", f"server {truth.value}", f"responder {truth.value}")


@cache
def _world(*, revoked: bool) -> World:
    """Make a full CRL, one for a distribution point and a delta, and responses by the CA and by its delegate."""
    truth = REVOKED if revoked else GOOD
    root, ca, server, responder = _labels(truth)
    location = [x509.UniformResourceIdentifier(_URL)]
    points = lab.non_critical(x509.CRLDistributionPoints([x509.DistributionPoint(location, None, None, None)]))
    signing = lab.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]))
    certificates = {
        root: certify(root, root, 1, *ca_extensions(root, root)),
        ca: certify(ca, root, 2, *ca_extensions(ca, root)),
        server: certify(server, ca, 3, *server_extensions(server, ca), points),
        responder: certify(
            responder, ca, 4, *server_extensions(responder, ca), signing, lab.non_critical(x509.OCSPNoCheck())
        ),
    }
    no = dict.fromkeys(("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl"), False)
    point = x509.IssuingDistributionPoint(
        full_name=location, relative_name=None, only_some_reasons=None, only_contains_attribute_certs=False, **no
    )
    revoked_serials = (1000, 3) if revoked else (1000,)
    return World(
        truth=truth,
        path=pk.CertificationPath(
            certificates=(certificates[server], certificates[ca]),
            trust_anchor=pk.TrustAnchor.from_certificate(certificates[root]),
        ),
        pool=pk.CertificatePool(certificates.values()),
        of_the_root=_crl(root, (1000,)),
        crls=(
            _crl(ca, revoked_serials, number=5),
            _crl(ca, revoked_serials, lab.critical(point), number=6),
            _crl(ca, revoked_serials, lab.critical(x509.DeltaCRLIndicator(5)), number=7),
        ),
        responses=tuple(_response(certificates, server, ca, signer, revoked=revoked) for signer in (ca, responder)),
    )


def _crl(issuer: str, revoked: tuple[int, ...], *extensions: ext.Extension, number: int = 1) -> bytes:
    builder = x509.CertificateRevocationListBuilder(name(issuer), AT - timedelta(days=1), AT + timedelta(days=30))
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder(serial, AT - timedelta(days=7))
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    identifier = ext.authority_key_identifier(key(issuer).public_key())
    for extension in (lab.non_critical(identifier), lab.non_critical(x509.CRLNumber(number)), *extensions):
        builder = builder.add_extension(extension.value, extension.critical)
    return signed_again(builder.sign(key(issuer), hashes.SHA256()).public_bytes(Encoding.DER), issuer)


def _response(certificates: dict[str, pk.Certificate], server: str, ca: str, responder: str, *, revoked: bool) -> bytes:
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certificates[server].as_cryptography,
        issuer=certificates[ca].as_cryptography,
        algorithm=hashes.SHA256(),
        cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=AT - timedelta(hours=1),
        next_update=AT + timedelta(days=7),
        revocation_time=AT - timedelta(days=7) if revoked else None,
        revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
    )
    signer = certificates[responder].as_cryptography
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer).certificates([signer])
    made = builder.sign(key(responder), hashes.SHA256()).public_bytes(Encoding.DER)
    return _ocsp_signed_again(made, responder)


def _ocsp_signed_again(response: bytes, label: str) -> bytes:
    """Sign the ResponseData of a response again, where it is found (RFC 6960 section 4.2.1)."""
    try:
        status, explicit = split(contents_of(response))[0][:2]
        kind, octets = split(contents_of(split(contents_of(explicit))[0][0]))[0][:2]
    except (ValueError, IndexError):
        return response
    basic = signed_again(contents_of(octets), label)
    return der(0x30, status, der(0xA0, der(0x30, kind, der(0x04, basic))))
