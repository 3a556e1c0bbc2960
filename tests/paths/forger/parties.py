"""The parties of the worlds: a root, a CA and its server, the CA's helpers, and a stranger.

::

    Root ── CA ── server.example
     │       ├─── Responder       (id-kp-OCSPSigning)
     │       └─── Mallory         (a server's certificate; the attacker has its key)
     └── CRL Signer               (cRLSign only)

Keys are made when the tests run, one for each label.
"""

from __future__ import annotations

import functools

from ... import x509_values as values
from . import extensions as ext
from .objects import DAY, HOUR, NOW, Certificate, Crl, Entry, Key, Response, Single, revoked_since

SERVER, CA, ROOT, SIGNER, RESPONDER, MALLORY = range(4711, 4717)
"""Serial numbers, each used once in all worlds."""
REVOKED_AT = NOW - 3 * DAY
SERVER_CRL, OTHER_CRL, DELTA_CRL = (f"http://crl.example/{name}.crl" for name in ("server", "other", "delta"))


def key(label):
    """Return the key of this label; a key stands for itself."""
    return label if isinstance(label, Key) else _made(label)


@functools.cache
def _made(label):
    return Key(label)


def root(**changes):
    """Return the root's own certificate."""
    return _ca("Root", key("Root"), "Root", key("Root"), serial=ROOT).but(**changes)


def ca(holder="CA", *, signer="Root", more=(), **changes):
    """Return the CA's certificate with a key of the CA."""
    made = _ca("CA", key(holder), "Root", key(signer), serial=CA)
    return made.but(extensions=made.extensions + more).but(**changes)


def server(*more, issuer="CA", signer=None, serial=SERVER, **changes):
    """Return the server's certificate, with more extensions."""
    return _end_entity("server.example", "server", issuer, key(signer or issuer), serial, more).but(**changes)


def mallory(**changes):
    """Return a sound server's certificate by the CA, whose key the attacker has."""
    return _end_entity("mallory.example", "Mallory", "CA", key("CA"), MALLORY, ()).but(**changes)


def crl_signer(*more, issuer="Root", usages=("cRLSign",), **changes):
    """Return the certificate of a CRL issuer that is not a CA."""
    parts = (ext.key_usage(*usages), ext.subject_key(key("CRL Signer")), ext.authority_key(key(issuer)), *more)
    made = Certificate(
        subject="CRL Signer",
        issuer=issuer,
        key=key("CRL Signer"),
        signer=key(issuer),
        serial=SIGNER,
        extensions=parts,
    )
    return made.but(**changes)


def delegate(*more, issuer="CA", signer=None, usages=("digitalSignature",), no_check=True, **changes):
    """Return the certificate of an OCSP responder that the CA has authorized (RFC 6960 section 4.2.2.2)."""
    signer = key(signer or issuer)
    parts = (
        *([ext.key_usage(*usages)] if usages else ()),
        ext.purposes(values.OCSP_SIGNING),
        ext.subject_key(key("Responder")),
        ext.authority_key(signer),
        *([ext.no_check()] if no_check else ()),
        *more,
    )
    made = Certificate(
        subject="Responder",
        issuer=issuer,
        key=key("Responder"),
        signer=signer,
        serial=RESPONDER,
        extensions=parts,
    )
    return made.but(**changes)


def crl(issuer, *entries, signer=None, number=7, more=(), **changes):
    """Return a CRL of the issuer; ``number`` None leaves cRLNumber out."""
    signer = key(signer or issuer)
    parts = (ext.authority_key(signer), *([ext.crl_number(number)] if number is not None else ()), *more)
    return Crl(issuer=issuer, signer=signer, entries=entries, extensions=parts).but(**changes)


def revoked(serial=SERVER, *more, reason=None, date=REVOKED_AT):
    """Return a CRL entry."""
    return Entry(serial=serial, date=date, extensions=(*([ext.reason(reason)] if reason else ()), *more))


def single(about=SERVER, *, issuer="CA", issuer_key=None, since=None, **changes):
    """Return a single response: good, or revoked since a time."""
    status = {} if since is None else {"status": revoked_since(since, 1)}
    return Single(serial=about, issuer=issuer, issuer_key=key(issuer_key or issuer), **{**status, **changes})


def response(*singles, responder="CA", signer=None, **changes):
    """Return an OCSP response by a party."""
    signer = key(signer or (responder if isinstance(responder, str) else responder.label))
    return Response(responder=responder, signer=signer, singles=singles, **changes)


def expired(evidence):
    """Return the same evidence from a year ago, signed by its own signer: a genuine object that any one may replay."""
    then = {"this_update": NOW - 370 * DAY, "next_update": NOW - 360 * DAY}
    if isinstance(evidence, Crl):
        return evidence.but(**then)
    singles = tuple(
        Single(**{field: getattr(each, field) for field in each.__dataclass_fields__} | then)
        for each in evidence.singles
    )
    return evidence.but(singles=singles, produced_at=then["this_update"] + HOUR)


def _ca(subject, holder, issuer, signer, *, serial):
    parts = [ext.basic_constraints(), ext.key_usage("keyCertSign", "cRLSign"), ext.subject_key(holder)]
    if holder is not signer:
        parts.append(ext.authority_key(signer))
    return Certificate(
        subject=subject, issuer=issuer, key=holder, signer=signer, serial=serial, extensions=tuple(parts)
    )


def _end_entity(subject, holder, issuer, signer, serial, more):
    parts = (
        ext.key_usage("digitalSignature"),
        ext.purposes(values.SERVER_AUTH),
        ext.subject_key(key(holder)),
        ext.authority_key(signer),
        *more,
    )
    return Certificate(subject=subject, issuer=issuer, key=key(holder), signer=signer, serial=serial, extensions=parts)
