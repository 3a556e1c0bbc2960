"""Worlds: a path, a pool and sound evidence of one kind about the server, which is good in one and revoked in another.

The CA's own status always is good, by a CRL of the root, where a world is not about something else.
"""

from __future__ import annotations

import dataclasses
import functools

from pkcs12kit.certificates.certificate import Certificate as RealCertificate
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.paths.revocation import Revocation, RevocationStatus, check_revocation
from pkcs12kit.paths.search import find_path
from pkcs12kit.paths.validation.parameters import ValidationParameters

from ... import x509_values as values
from . import extensions as ext
from . import parties as p
from .objects import NOW, Certificate, Crl, Response

GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN


@dataclasses.dataclass(frozen=True, kw_only=True)
class World:
    """A validated path (target first, without the anchor), and the objects that tell the status of the target."""

    path: tuple[Certificate, ...]
    evidence: tuple[Crl | Response, ...]
    pool: tuple[Certificate, ...] = ()
    anchor: Certificate = dataclasses.field(default_factory=p.root)
    bare_anchor: bool = False
    """True where the anchor is given as a name and a key, without its certificate."""
    others: tuple[Crl | Response, ...] = ()
    """Genuine objects that say nothing: expired ones, ones with another scope."""

    def statuses(self, *, evidence=None, pool=None, time=NOW, **options):
        """Return the statuses of the path, target first, by the given evidence and pool instead of the world's."""
        return tuple(each.status for each in self.report(evidence=evidence, pool=pool, time=time, **options).statuses)

    def report(self, *, evidence=None, pool=None, time=NOW, mode="require", **options):
        """Return the report of ``check_revocation``; ``options`` are those of ``Revocation``."""
        evidence = self.evidence if evidence is None else evidence
        return check_revocation(
            self.certification_path,
            time=time,
            revocation=asked(evidence, mode=mode, **options),
            pool=CertificatePool(real(each) for each in (self.pool if pool is None else pool)),
        )

    def find_path(self, *, evidence=None, pool=None):
        """Return what ``find_path`` finds from the target to the anchor, with revocation required."""
        others = (*self.path[1:], *(self.pool if pool is None else pool))
        return find_path(
            real(self.path[0]),
            pool=CertificatePool(map(real, others)),
            trust_anchors=[self.trust_anchor],
            parameters=ValidationParameters(time=NOW),
            revocation=asked((*self.evidence, *self.others) if evidence is None else evidence),
        )

    @functools.cached_property
    def certification_path(self):
        """The path as the library has it."""
        return CertificationPath(certificates=tuple(map(real, self.path)), trust_anchor=self.trust_anchor)

    @functools.cached_property
    def trust_anchor(self):
        """The anchor as the library has it."""
        anchor = TrustAnchor.from_certificate(real(self.anchor))
        if not self.bare_anchor:
            return anchor
        return TrustAnchor(name=anchor.name, subject_public_key_info=anchor.subject_public_key_info)

    @property
    def certificates(self):
        """Every genuine certificate: on the path, in the pool, in OCSP responses, the anchor's own."""
        carried = (each for held in self.evidence if isinstance(held, Response) for each in held.certificates)
        return tuple(dict.fromkeys((self.anchor, *self.path, *self.pool, *carried)))

    def but(self, **changes):
        """Return the same world with other parts."""
        return dataclasses.replace(self, **changes)


@functools.lru_cache(maxsize=4096)
def real(certificate):
    """Return the library's certificate."""
    return RealCertificate.from_der(certificate.der)


def asked(evidence, *, mode="require", **options):
    """Return what to check revocation with."""
    return Revocation(
        mode=mode,
        crls=[each.der for each in evidence if isinstance(each, Crl)],
        ocsp_responses=[each.der for each in evidence if isinstance(each, Response)],
        **options,
    )


def world(*evidence, server=None, **parts):
    """Return a world of root, CA and server; the root's CRL is empty and goes before the evidence."""
    return World(**{"path": (server or p.server(), p.ca()), "evidence": (p.crl("Root"), *evidence), **parts})


def since(bad):
    """Return the time of revocation if the certificate is to be revoked, else None."""
    return p.REVOKED_AT if bad else None


def entries(bad, *more, reason="keyCompromise"):
    """Return the entries of a CRL: the server's if it is to be revoked, and one of a certificate that is not here."""
    return (p.revoked(77, reason="superseded"), *([p.revoked(p.SERVER, *more, reason=reason)] if bad else ()))


def ocsp_by_issuer(bad):
    """The CA answers; its name is the responderID."""
    answer = p.response(p.single(since=since(bad)))
    return world(answer, others=(p.expired(answer), p.response(p.single(78))))


def ocsp_by_issuer_key(bad):
    """The CA answers; the hash of its key is the responderID, and its certificate is carried."""
    answer = p.response(
        p.single(78), p.single(since=since(bad), hash_name="sha256"), responder=p.key("CA"), certificates=(p.ca(),)
    )
    return world(answer)


def ocsp_by_delegate(bad):
    """A delegate with id-pkix-ocsp-nocheck answers."""
    answer = p.response(p.single(since=since(bad)), responder="Responder", certificates=(p.delegate(),))
    return world(answer, others=(p.expired(answer),))


def ocsp_by_checked_delegate(bad):
    """A delegate answers whose own status a CRL of another distribution point tells."""
    helper = p.delegate(ext.crl_points(ext.point(p.OTHER_CRL)), no_check=False)
    answer = p.response(p.single(since=since(bad)), responder=p.key("Responder"), certificates=(helper,))
    listing = p.crl("CA", p.revoked(77), more=(ext.scope(p.OTHER_CRL),))
    return world(answer, listing, server=p.server(ext.crl_points(ext.point(p.SERVER_CRL))))


def ocsp_by_bare_anchor(bad):
    """The anchor is a name and a key, and its key answers about a server that it issued."""
    return World(
        path=(p.server(issuer="Root"),),
        evidence=(p.response(p.single(issuer="Root", since=since(bad)), responder="Root"),),
        bare_anchor=True,
    )


def crl_full(bad):
    """A complete CRL by the CA."""
    listing = p.crl("CA", *entries(bad))
    return world(listing, others=(p.expired(listing), p.expired(p.crl("CA", number=1))))


def crl_full_by_bare_anchor(bad):
    """A complete CRL by an anchor that is a name and a key."""
    return World(path=(p.server(issuer="Root"),), evidence=(p.crl("Root", *entries(bad)),), bare_anchor=True)


def crl_delta(bad):
    """A full CRL that holds the server, and a delta CRL that revokes or releases it (RFC 5280 section 5.2.4)."""
    full = p.crl("CA", *entries(bad=True, reason="certificateHold"), number=5, more=(ext.freshest(p.DELTA_CRL),))
    change = p.revoked(reason="keyCompromise" if bad else "removeFromCRL")
    return world(full, p.crl("CA", change, number=6, more=(ext.delta_indicator(5),)))


def crl_delta_adds(bad):
    """A full CRL without the server, and a delta CRL that adds it or nothing."""
    full = p.crl("CA", number=5, more=(ext.freshest(p.DELTA_CRL),))
    return world(full, p.crl("CA", *entries(bad), number=6, more=(ext.delta_indicator(5),)))


def crl_indirect(bad):
    """A CRL issuer of the root lists certificates of the CA, which name it in cRLDistributionPoints."""
    points = ext.crl_points(ext.point(p.SERVER_CRL, issuer="CRL Signer"))
    listed = (p.revoked(79, ext.certificate_issuer("Root")), *entries(bad, ext.certificate_issuer("CA")))
    listing = p.crl("CRL Signer", *listed, more=(ext.scope(p.SERVER_CRL, indirect=True),))
    return world(listing, server=p.server(points), pool=(p.crl_signer(),))


def crl_by_reasons(bad):
    """Two CRLs, each for some reasons, which are all the reasons together."""
    some = ("keyCompromise", "cACompromise")
    rest = tuple(each for each in values.REASON_FLAGS if each not in ("unused", *some))
    points = ext.crl_points(ext.point(p.SERVER_CRL, reasons=some), ext.point(p.OTHER_CRL, reasons=rest))
    return world(
        p.crl("CA", *entries(bad), more=(ext.scope(p.SERVER_CRL, reasons=some),)),
        p.crl("CA", more=(ext.scope(p.OTHER_CRL, reasons=rest),)),
        server=p.server(points),
    )


def crl_by_point(bad):
    """A CRL for the server's distribution point, beside one for another."""
    return world(
        p.crl("CA", *entries(bad), more=(ext.scope(p.SERVER_CRL),)),
        server=p.server(ext.crl_points(ext.point(p.SERVER_CRL))),
        others=(p.crl("CA", *entries(not bad), more=(ext.scope(p.OTHER_CRL),)),),
    )


def crl_for_users(bad):
    """A CRL for end entities by the CA, and one for CAs by the root."""
    return World(
        path=(p.server(), p.ca()),
        evidence=(
            p.crl("CA", *entries(bad), more=(ext.scope(only=["users"]),)),
            p.crl("Root", more=(ext.scope(only=["authorities"]),)),
        ),
        others=(
            p.crl("CA", *entries(not bad), more=(ext.scope(only=["authorities"]),)),
            p.crl("Root", p.revoked(p.CA), more=(ext.scope(only=["users"]),)),
        ),
    )


def crl_by_new_key(bad):
    """The CA has a new key, certified by the root, which signs the CRL about what its old key issued."""
    renewed = p.ca("CA, new key", serial=4801)
    return world(p.crl("CA", *entries(bad), signer="CA, new key"), pool=(renewed,))


def crl_by_old_key(bad):
    """The CA's old key signs the CRL about what its new key issued; the root's certificate of it is valid still."""
    renewed = p.ca("CA, new key", serial=4801)
    path = (p.server(signer="CA, new key"), renewed)
    return world(p.crl("CA", *entries(bad)), path=path, pool=(p.ca(),))


def crl_by_self_issued_key(bad):
    """The CA certified a key for its CRLs itself; that certificate's status is in a CRL by the CA's first key."""
    holder = p.key("CA, CRLs")
    parts = (
        ext.key_usage("cRLSign"),
        ext.subject_key(holder),
        ext.authority_key(p.key("CA")),
        ext.crl_points(ext.point(p.OTHER_CRL)),
    )
    separate = Certificate(subject="CA", issuer="CA", key=holder, signer=p.key("CA"), serial=4802, extensions=parts)
    return world(
        p.crl("CA", *entries(bad), signer="CA, CRLs", more=(ext.scope(p.SERVER_CRL),)),
        p.crl("CA", p.revoked(77), more=(ext.scope(p.OTHER_CRL),)),
        server=p.server(ext.crl_points(ext.point(p.SERVER_CRL))),
        pool=(separate,),
    )


def everything(bad):
    """OCSP by the CA and by a delegate, and a CRL, all of one opinion."""
    return world(
        p.response(p.single(since=since(bad))),
        p.response(p.single(since=since(bad)), responder="Responder", certificates=(p.delegate(),)),
        p.crl("CA", *entries(bad)),
    )


KINDS = {
    kind.__name__: kind
    for kind in (
        ocsp_by_issuer,
        ocsp_by_issuer_key,
        ocsp_by_delegate,
        ocsp_by_checked_delegate,
        ocsp_by_bare_anchor,
        crl_full,
        crl_full_by_bare_anchor,
        crl_delta,
        crl_delta_adds,
        crl_indirect,
        crl_by_reasons,
        crl_by_point,
        crl_for_users,
        crl_by_new_key,
        crl_by_old_key,
        crl_by_self_issued_key,
        everything,
    )
}
"""Each kind of evidence by its name."""


@functools.cache
def make(kind, *, bad):
    """Return the world of a kind in which the server is revoked (``bad``) or good; made once."""
    return KINDS[kind](bad)
