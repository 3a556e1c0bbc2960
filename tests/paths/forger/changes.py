"""One change at a time to a certificate, a CRL or an OCSP response: each field that a forger may alter.

``changes(object, names, serials)`` lists pairs of a label and the object's fields as they would be. Signatures are
another module's affair (:mod:`forgeries`): no change here touches one.
"""

from __future__ import annotations

import dataclasses

from ... import der
from ... import x509_values as values
from . import extensions as ext
from . import parties as p
from .objects import DAY, GOOD, HOUR, NOW, UNKNOWN, Certificate, Crl, Entry, Response, revoked_since

STRANGER = "stranger"
PAST, FUTURE = NOW - 370 * DAY, NOW + DAY
LATER = (NOW - 300 * DAY, None, NOW + 900 * DAY)
NAMES = ("Root", "CA", "CRL Signer", "Responder", "mallory.example", "server.example", "Nobody")
OTHER_ALGORITHM = der.sequence(der.oid("1.2.840.10045.4.3.3"))


def changes(thing, serials):
    """Return the single changes to an object, as (label, fields); ``serials`` are those of the world."""
    match thing:
        case Certificate():
            found = [*_of_certificate(thing, serials), *_of_extensions(thing, _certificate_extensions())]
        case Crl():
            found = [*_of_crl(thing, serials), *_of_extensions(thing, _crl_extensions())]
        case Response():
            found = [*_of_response(thing, serials), *_of_extensions(thing, _response_extensions())]
    found.append(("outer algorithm", {"algorithm": OTHER_ALGORITHM}))
    return [each for each in found if any(getattr(thing, name) != value for name, value in each[1].items())]


def opposite(thing, serials):
    """Return the fields of evidence that says the opposite of each certificate with one of the serial numbers."""
    if isinstance(thing, Response):
        return {"singles": tuple(dataclasses.replace(each, status=_flipped(each.status)) for each in thing.singles)}
    listed = {each.serial for each in thing.entries}
    kept = tuple(each for each in thing.entries if each.serial not in serials)
    return {"entries": (*kept, *(_listed(serial, thing) for serial in serials if serial not in listed))}


def _of_certificate(thing, serials):
    for holder in (STRANGER, "Mallory"):
        yield f"key of {holder}", {"key": p.key(holder)}
    for serial in (*serials, 0, thing.serial + 1):
        yield f"serial {serial}", {"serial": serial}
    for name in NAMES:
        yield f"subject {name}", {"subject": name}
        yield f"issuer {name}", {"issuer": name}
    yield "expired", {"not_after": PAST}
    yield "not yet valid", {"not_before": FUTURE}
    yield "begins later", {"not_before": NOW - HOUR}
    yield "version 1", {"version": 1, "extensions": ()}


def _of_crl(thing, serials):
    for name in NAMES:
        yield f"issuer {name}", {"issuer": name}
    for serial in serials:
        rest = tuple(each for each in thing.entries if each.serial != serial)
        yield f"{serial} left out", {"entries": rest}
        for reason in (None, "keyCompromise", "certificateHold", "removeFromCRL"):
            yield f"{serial} listed for {reason}", {"entries": (*rest, p.revoked(serial, reason=reason))}
        for name in ("CA", "Root", "Nobody"):
            listed = p.revoked(serial, ext.certificate_issuer(name))
            yield f"{serial} of {name} listed", {"entries": (*rest, listed)}
    odd = Entry(serial=76, extensions=(ext.odd(critical=True),))
    yield "critical entry extension", {"entries": (*thing.entries, odd)}
    yield "entries in another order", {"entries": thing.entries[::-1]}
    for moment in (PAST, FUTURE, NOW - 2 * HOUR, NOW - HOUR / 2, NOW):
        yield f"thisUpdate {moment}", {"this_update": moment}
    for moment in LATER:
        yield f"nextUpdate {moment}", {"next_update": moment}
    yield "version 1", {"version": None, "extensions": ()}
    yield "version 1 with extensions", {"version": None}


def _of_response(thing, serials):
    for responder in (*NAMES, *map(p.key, ("CA", "Root", "Responder", "Mallory", STRANGER))):
        yield f"responder {responder}", {"responder": responder}
    for at, single in enumerate(thing.singles):
        for label, fields in _of_single(single, serials):
            changed = dataclasses.replace(single, **fields)
            yield f"{label} in answer {at}", {"singles": (*thing.singles[:at], changed, *thing.singles[at + 1 :])}
            yield f"{label} in one more answer", {"singles": (*thing.singles, changed)}
    yield "answers in another order", {"singles": thing.singles[::-1]}
    yield "no answer", {"singles": ()}
    for moment in (PAST, FUTURE):
        yield f"producedAt {moment}", {"produced_at": moment}
    yield "version 2", {"version": 2}
    yield "version 1 encoded", {"version": 1}
    yield "tryLater", {"response_status": 3}
    yield "no certificates", {"certificates": ()}
    yield "certificates in another order", {"certificates": thing.certificates[::-1]}
    yield "each certificate twice", {"certificates": thing.certificates * 2}
    yield "Mallory's certificate before", {"certificates": (p.mallory(), *thing.certificates)}
    yield "Mallory's certificate after", {"certificates": (*thing.certificates, p.mallory())}


def _of_single(single, serials):
    yield "another status", {"status": _flipped(single.status)}
    yield "unknown", {"status": UNKNOWN}
    yield "removeFromCRL", {"status": revoked_since(p.REVOKED_AT, 8)}
    for serial in serials:
        yield f"serial {serial}", {"serial": serial}
    for issuer in ("Root", "CA", "Nobody"):
        yield f"issuer name {issuer}", {"issuer": issuer}
    for holder in ("Root", "CA", STRANGER):
        yield f"issuer key of {holder}", {"issuer_key": p.key(holder)}
    for moment in (PAST, FUTURE, NOW):
        yield f"thisUpdate {moment}", {"this_update": moment}
    for moment in LATER:
        yield f"nextUpdate {moment}", {"next_update": moment}
    for name in ("sha256", "sha512"):
        yield f"certID by {name}", {"hash_name": name}
    yield "critical extension", {"extensions": (ext.odd(critical=True),)}


def _of_extensions(thing, known):
    for each in thing.extensions:
        rest = thing.without(each.oid)
        yield f"without {each.oid}", {"extensions": rest}
        turned = dataclasses.replace(each, critical=not each.critical)
        yield f"{each.oid} with the other criticality", {"extensions": (*rest, turned)}
        yield f"{each.oid} twice", {"extensions": (*thing.extensions, each)}
    for label, new in known:
        yield label, {"extensions": (*thing.without(new.oid), new)}


def _certificate_extensions():
    yield "a CA", ext.basic_constraints()
    yield "not a CA", ext.basic_constraints(ca=False)
    yield "keyUsage of a CA", ext.key_usage("digitalSignature", "keyCertSign", "cRLSign")
    yield "keyUsage cRLSign", ext.key_usage("cRLSign")
    yield "keyUsage without signing", ext.key_usage("keyEncipherment")
    yield "may answer OCSP", ext.purposes(values.OCSP_SIGNING)
    yield "serverAuth", ext.purposes(values.SERVER_AUTH)
    yield "nocheck", ext.no_check()
    for holder in ("CA", "Root", STRANGER):
        yield f"key identifier of {holder}", ext.subject_key(p.key(holder))
        yield f"authority key identifier of {holder}", ext.authority_key(p.key(holder))
    yield "points to the CRL signer", ext.crl_points(ext.point(p.SERVER_CRL, issuer="CRL Signer"))
    yield "critical extension", ext.odd(critical=True)


def _crl_extensions():
    for number in (0, 5, 6, 99):
        yield f"number {number}", ext.crl_number(number)
    for base in (0, 5, 7):
        yield f"delta of {base}", ext.delta_indicator(base)
    for url in (None, p.SERVER_CRL, p.OTHER_CRL):
        yield f"scope {url}", ext.scope(url)
        yield f"indirect, scope {url}", ext.scope(url, indirect=True)
    yield "for users", ext.scope(only=["users"])
    yield "for authorities", ext.scope(only=["authorities"])
    yield "for keyCompromise", ext.scope(reasons=["keyCompromise"])
    for holder in ("CA", "Root", STRANGER):
        yield f"authority key identifier of {holder}", ext.authority_key(p.key(holder))
    yield "names delta CRLs", ext.freshest(p.DELTA_CRL)
    yield "critical extension", ext.odd(critical=True)


def _response_extensions():
    yield "critical extension", ext.odd(critical=True)
    yield "nonce", dataclasses.replace(ext.odd(critical=False), oid=values.NONCE, value=der.octets(b"nonce" * 4))


def _flipped(status):
    return GOOD if status != GOOD else revoked_since(p.REVOKED_AT, 1)


def _listed(serial, thing):
    indirect = any(each.extensions and each.extensions[-1].oid == values.CERTIFICATE_ISSUER for each in thing.entries)
    return p.revoked(serial, *([ext.certificate_issuer("CA")] if indirect else ()), reason="keyCompromise")
