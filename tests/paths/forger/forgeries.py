"""The forgeries of an attacker without a key of any CA or responder.

The attacker has every public object (certificates, CRLs, OCSP responses, also old ones), keys of its own, and the key
of ``parties.mallory``, a server's certificate that the CA issued to it. So a forgery is an object with any contents,
signed with one of those keys, or with the octets of a genuine signature over something else. What a signature does
not cover (the certificates that an OCSP response carries, its status, the outer algorithm) can be altered in a
genuine object: that is not a forgery but the genuine object in another wrapping, see :attr:`Forgery.wraps`.
"""

from __future__ import annotations

import dataclasses

from hypothesis import strategies as st

from . import parties as p
from .changes import STRANGER, changes, opposite
from .objects import Certificate, Crl, Response


@dataclasses.dataclass(frozen=True)
class Forgery:
    """A forged object, how it came about, and the genuine object in it where it only is wrapped differently."""

    made: Certificate | Crl | Response
    how: str
    wraps: Crl | Response | Certificate | None = None

    def __repr__(self):
        return f"<{self.how}: {self.made}>"


def forge(original, signing, label="", *, others=(), **fields):
    """Return the object with other fields and a signature by the attacker's means.

    ``signing`` is ``kept`` (the genuine octets), ``empty``, ``borrowed`` (the octets of the first of ``others``), or
    the label of a key.
    """
    match signing:
        case "kept":
            made = original.forged(**fields)
        case "empty":
            made = original.but(signature=b"", **fields)
        case "borrowed":
            made = original.but(signature=others[0].signature_octets, **fields)
        case _:
            made = original.but(signer=p.key(signing), signature=None, **fields)
    same = made.tbs == original.tbs and made.signature_octets == original.signature_octets
    return Forgery(made, f"{label} ({signing})", wraps=original if same else None)


def look_alike(certificate, signing="kept", **fields):
    """Return a certificate like this one, its name, serial number and all, with a stranger's key."""
    return forge(certificate, signing, f"look-alike of {certificate}", **{"key": p.key(STRANGER), **fields}).made


def serials_of(world):
    """Return the serial numbers that matter in a world."""
    return tuple(each.serial for each in world.path)


def single_forgeries(world):
    """Return forgeries with one change, and re-signed objects, each with its original: of certificates, of evidence."""
    serials = serials_of(world)
    certificates, evidence = [], []
    for original in (*world.certificates, *world.evidence, *world.others):
        found = certificates if isinstance(original, Certificate) else evidence
        found.append((original, forge(original, STRANGER, "as it is")))
        for label, fields in changes(original, serials):
            found += [(original, forge(original, signing, label, **fields)) for signing in ("kept", STRANGER)]
        if not isinstance(original, Certificate):
            turned = opposite(original, serials)
            found += [(original, forge(original, signing, "the opposite", **turned)) for signing in ("kept", STRANGER)]
    return certificates, evidence


SIGNINGS = st.sampled_from(("kept", "kept", STRANGER, STRANGER, STRANGER, "Mallory", "borrowed", "empty"))


@st.composite
def forged_certificates(draw, world):
    """Forge a certificate: usually a look-alike with the attacker's key."""
    original = draw(st.sampled_from((*world.certificates, p.mallory())))
    fields, label = {}, "look-alike"
    if draw(st.integers(0, 4)):
        fields["key"] = p.key(draw(st.sampled_from((STRANGER, STRANGER, "Mallory"))))
    for _ in range(draw(st.integers(0, 2))):
        name, more = draw(st.sampled_from(changes(original.but(**fields), serials_of(world))))
        fields, label = {**fields, **more}, f"{label}, {name}"
    others = [draw(st.sampled_from((*world.evidence, *world.others, *world.certificates)))]
    return forge(original, draw(SIGNINGS), label, others=others, **fields)


@st.composite
def forged_evidence(draw, world, certificates):
    """Forge a CRL or a response with up to two changes, maybe with the opposite statement and look-alikes in it."""
    original = draw(st.sampled_from((*world.evidence, *world.others)))
    serials = serials_of(world)
    fields, label = {}, "evidence"
    if draw(st.booleans()):
        fields, label = opposite(original, serials), "the opposite"
    for _ in range(draw(st.integers(0, 2))):
        name, more = draw(st.sampled_from(changes(original.but(**fields), serials)))
        fields, label = {**fields, **more}, f"{label}, {name}"
    if isinstance(original, Response) and certificates and draw(st.integers(0, 3)):
        carried = (*certificates, *fields.get("certificates", original.certificates))
        fields["certificates"] = tuple(draw(st.permutations(carried)))
    others = [draw(st.sampled_from((*world.evidence, *world.others, *world.certificates)))]
    return forge(original, draw(SIGNINGS), label, others=others, **fields)
