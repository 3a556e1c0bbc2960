"""The rules of RFC 6960 for responses that a CA or its delegate did sign: which count, and which do not.

Each case is one response about the server, in a world where the CA itself is good; ``sound`` ones are the controls.
"""

from __future__ import annotations

import dataclasses

import pytest

from ... import der
from ... import x509_values as values
from . import extensions as ext
from . import parties as p
from .objects import DAY, HOUR, NOW, Certificate, revoked_since
from .objects import UNKNOWN as SAYS_UNKNOWN
from .worlds import GOOD, REVOKED, UNKNOWN, world

PAST, FUTURE, SECOND = NOW - DAY, NOW + HOUR, HOUR / 3600
NONCE = ext.Extension(values.NONCE, der.octets(b"nonce" * 4))
ARCHIVE_CUTOFF = ext.Extension(values.ARCHIVE_CUTOFF, der.generalized_time(NOW - 900 * DAY))
BAD = p.single(since=p.REVOKED_AT)


def by_ca(*singles, **changes):
    """Return a world with a response by the CA."""
    return world(p.response(*(singles or [p.single()]), **changes))


def by_delegate(helper=None, *evidence, server=None, pool=(), **changes):
    """Return a world with a response by a delegate, and more evidence."""
    helper = helper or p.delegate()
    answer = p.response(p.single(), responder="Responder", certificates=(helper,), **changes)
    return world(answer, *evidence, server=server, pool=pool)


def checked(status_of_delegate):
    """Return a world whose delegate has no nocheck; a CRL of another distribution point tells its status."""
    helper = p.delegate(ext.crl_points(ext.point(p.OTHER_CRL)), no_check=False)
    listed = [p.revoked(p.RESPONDER)] if status_of_delegate is REVOKED else []
    more = [p.crl("CA", *listed, more=(ext.scope(p.OTHER_CRL),))] if status_of_delegate is not UNKNOWN else []
    return by_delegate(helper, *more, server=p.server(ext.crl_points(ext.point(p.SERVER_CRL))))


def self_vouching():
    """Return a world whose delegate answers about itself and has no other voucher."""
    helper = p.delegate(ext.crl_points(ext.point(p.OTHER_CRL)), no_check=False)
    answer = p.response(p.single(), p.single(p.RESPONDER), responder="Responder", certificates=(helper,))
    return world(answer, server=p.server(ext.crl_points(ext.point(p.SERVER_CRL))))


def renewed_ca():
    """Return the certificate of the CA's new key."""
    return p.ca("CA, new key", serial=4801)


def by_sibling(*, delegated=False):
    """Return a world with a response by another CA of the root, or by a delegate of it."""
    other = p.ca("Other CA", subject="Other CA", serial=4803)
    helper = p.delegate(issuer="Other CA")
    if delegated:
        answer = p.response(p.single(), responder="Responder", certificates=(helper, other))
    else:
        answer = p.response(p.single(), responder="Other CA", certificates=(other,))
    return world(answer, p.crl("Other CA"), pool=(other, helper))


def without(oid, helper=None):
    """Return a delegate's certificate without an extension."""
    helper = helper or p.delegate()
    return helper.but(extensions=helper.without(oid))


COUNTING = {
    "by the CA, SHA-1": by_ca,
    "certID by SHA-256": lambda: by_ca(p.single(hash_name="sha256")),
    "certID by SHA-384": lambda: by_ca(p.single(hash_name="sha384")),
    "certID by SHA-512": lambda: by_ca(p.single(hash_name="sha512")),
    "among others' statuses": lambda: by_ca(p.single(1), p.single(), p.single(2)),
    "beside another's revocation": lambda: by_ca(p.single(), p.single(78, since=p.REVOKED_AT)),
    "responderID by key": lambda: by_ca(responder=p.key("CA")),
    "CA's certificate carried": lambda: by_ca(certificates=(p.ca(),)),
    "CA's other certificate with the same key carried": lambda: by_ca(certificates=(p.ca(serial=4805),)),
    "strangers carried": lambda: by_ca(certificates=(p.mallory(), p.delegate(signer="stranger"))),
    "nonce": lambda: by_ca(extensions=(NONCE,)),
    "archive cutoff": lambda: by_ca(p.single(extensions=(ARCHIVE_CUTOFF,))),
    "extension that is not critical": lambda: by_ca(extensions=(ext.odd(critical=False),)),
    "extension of the answer that is not critical": lambda: by_ca(p.single(extensions=(ext.odd(critical=False),))),
    "thisUpdate now": lambda: by_ca(p.single(this_update=NOW), produced_at=NOW),
    "nextUpdate now": lambda: by_ca(p.single(next_update=NOW)),
    "no nextUpdate, 6 days old": lambda: by_ca(p.single(next_update=None, this_update=NOW - 6 * DAY)),
    "by a delegate": by_delegate,
    "by a delegate, carried among others": lambda: world(
        p.response(p.single(), responder="Responder", certificates=(p.mallory(), p.delegate(), p.ca()))
    ),
    "delegate without keyUsage": lambda: by_delegate(p.delegate(usages=())),
    "delegate with a critical extKeyUsage": lambda: by_delegate(_critical_purposes()),
    "delegate that a CRL shows to be good": lambda: checked(GOOD),
}
NOT_COUNTING = {
    "unknown": lambda: by_ca(p.single(status=SAYS_UNKNOWN)),
    "no answers": lambda: world(p.response()),
    "signed by the root": lambda: by_ca(signer="Root"),
    "by the root in its own name": lambda: by_ca(responder="Root"),
    "by the server's own key": lambda: by_ca(responder="server.example", signer="server", certificates=(p.server(),)),
    "by another server of the CA": lambda: by_ca(
        responder="mallory.example", signer="Mallory", certificates=(p.mallory(),)
    ),
    "by the CA in a delegate's name": lambda: by_ca(responder="Responder", signer="CA", certificates=(p.delegate(),)),
    "by the CA in nobody's name": lambda: by_ca(responder="Nobody", signer="CA"),
    "responderID of another key": lambda: by_ca(responder=p.key("Root"), signer="CA"),
    "other serial": lambda: by_ca(p.single(p.SERVER + 1)),
    "serial zero": lambda: by_ca(p.single(0)),
    "negative serial": lambda: by_ca(p.single(-p.SERVER)),
    "serial congruent in 16 bits": lambda: by_ca(p.single(p.SERVER - 2**16)),
    "other issuer's key": lambda: by_ca(p.single(issuer_key="Root")),
    "other issuer's name": lambda: by_ca(p.single(issuer="Root", issuer_key="CA")),
    "same serial of another issuer": lambda: by_ca(p.single(issuer="Root")),
    "CA's other key": lambda: world(p.response(p.single(issuer_key="CA, new key")), pool=(renewed_ca(),)),
    "by the CA's other key": lambda: world(
        p.response(p.single(), responder="CA", signer="CA, new key", certificates=(renewed_ca(),)), pool=(renewed_ca(),)
    ),
    "thisUpdate to come": lambda: by_ca(p.single(this_update=FUTURE)),
    "thisUpdate in a second": lambda: by_ca(p.single(this_update=NOW + SECOND)),
    "nextUpdate a second ago": lambda: by_ca(p.single(next_update=NOW - SECOND)),
    "no nextUpdate, 8 days old": lambda: by_ca(p.single(next_update=None, this_update=NOW - 8 * DAY)),
    "critical extension": lambda: by_ca(extensions=(ext.odd(critical=True),)),
    "critical extension of the answer": lambda: by_ca(p.single(extensions=(ext.odd(critical=True),))),
    "critical extension beside a nonce": lambda: by_ca(extensions=(NONCE, ext.odd(critical=True))),
    "version 2": lambda: by_ca(version=2),
    "version 3": lambda: by_ca(version=3),
    "good and unknown": lambda: by_ca(p.single(), p.single(status=SAYS_UNKNOWN)),
    "unknown and good": lambda: by_ca(p.single(status=SAYS_UNKNOWN), p.single()),
    "delegate in another name": lambda: by_delegate(p.delegate(subject="Nobody")),
    "delegate, responderID of another key": lambda: world(
        p.response(p.single(), responder=p.key("CA"), signer="Responder", certificates=(p.delegate(),))
    ),
    "delegate not carried": lambda: world(p.response(p.single(), responder="Responder")),
    "delegate without extKeyUsage": lambda: by_delegate(without(values.PURPOSES)),
    "delegate for serverAuth": lambda: by_delegate(_with_purpose(values.SERVER_AUTH)),
    "delegate for any purpose": lambda: by_delegate(_with_purpose("2.5.29.37.0")),
    "delegate for keyEncipherment": lambda: by_delegate(p.delegate(usages=("keyEncipherment",))),
    "delegate for certificates and CRLs": lambda: by_delegate(p.delegate(usages=("keyCertSign", "cRLSign"))),
    "delegate with a critical extension": lambda: by_delegate(p.delegate(ext.odd(critical=True))),
    "delegate of the root": lambda: by_delegate(p.delegate(issuer="Root")),
    "delegate of the root in the CA's name": lambda: by_delegate(p.delegate(signer="Root")),
    "delegate of the CA's other key": lambda: by_delegate(
        p.delegate(signer="CA, new key"),
        p.crl("CA", signer="CA, new key", more=(ext.scope(p.OTHER_CRL),)),
        server=p.server(ext.crl_points(ext.point(p.SERVER_CRL))),
        pool=(renewed_ca(),),
    ),
    "by another CA of the root": by_sibling,
    "delegate of another CA of the root": lambda: by_sibling(delegated=True),
    "delegate of a stranger": lambda: by_delegate(p.delegate(signer="stranger")),
    "delegate of another server": lambda: world(
        p.response(
            p.single(),
            responder="Responder",
            certificates=(p.delegate(issuer="mallory.example", signer="Mallory"), p.mallory()),
        )
    ),
    "delegate signed by itself": lambda: by_delegate(p.delegate(issuer="Responder")),
    "delegate expired": lambda: by_delegate(p.delegate(not_after=PAST)),
    "delegate expired a second ago": lambda: by_delegate(p.delegate(not_after=NOW - SECOND)),
    "delegate not yet valid": lambda: by_delegate(p.delegate(not_before=FUTURE)),
    "delegate revoked": lambda: checked(REVOKED),
    "delegate of unknown status": lambda: checked(UNKNOWN),
    "delegate vouched for by itself": self_vouching,
    "delegate of version 1": lambda: by_delegate(p.delegate(version=1)),
}
REVOKING = {
    "by the CA": lambda: by_ca(BAD),
    "good, then revoked": lambda: by_ca(p.single(), BAD),
    "revoked, then good": lambda: by_ca(BAD, p.single()),
    "revoked by SHA-256, good by SHA-1": lambda: by_ca(p.single(), dataclasses.replace(BAD, hash_name="sha256")),
    "revoked now": lambda: by_ca(p.single(since=NOW)),
    "revoked for no reason": lambda: by_ca(p.single(status=revoked_since(PAST))),
    "one response good, one revoked": lambda: world(p.response(p.single()), p.response(BAD)),
    "one response revoked, one good": lambda: world(p.response(BAD), p.response(p.single())),
    "CRL good, response revoked": lambda: world(p.crl("CA"), p.response(BAD)),
    "response good, CRL revoked": lambda: world(p.crl("CA", p.revoked()), p.response(p.single())),
}
EXPECTED = (
    *((f"good: {label}", made, GOOD) for label, made in COUNTING.items()),
    *((f"unknown: {label}", made, UNKNOWN) for label, made in NOT_COUNTING.items()),
    *((f"revoked: {label}", made, REVOKED) for label, made in REVOKING.items()),
)


def _with_purpose(purpose):
    helper = p.delegate()
    return helper.but(extensions=(*helper.without(values.PURPOSES), ext.purposes(purpose)))


def _critical_purposes():
    helper = p.delegate()
    purpose = dataclasses.replace(helper.extension(values.PURPOSES), critical=True)
    return helper.but(extensions=(*helper.without(values.PURPOSES), purpose))


@pytest.mark.parametrize(("made", "expected"), [pytest.param(*each, id=label) for label, *each in EXPECTED])
def test_response(made, expected):
    """RFC 6960 sections 3.2 and 4.2.2: who may sign, for which certificate, at which time, with which extensions."""
    found = made().report()
    assert [each.status for each in found.statuses] == [expected, GOOD], found


@pytest.mark.parametrize(
    "label", [each for each in NOT_COUNTING if each not in ("good and unknown", "unknown and good")]
)
def test_response_that_does_not_count_revokes_nothing(label):
    """A response that cannot make a certificate good cannot revoke it: each of these leaves it good by the CRL."""
    found = NOT_COUNTING[label]()
    turned = tuple(each if not hasattr(each, "singles") else _turned(each) for each in found.evidence)
    report = found.report(evidence=(*turned, p.crl("CA")), pool=found.pool)
    if any(each.oid == values.CRL_POINTS for each in found.path[0].extensions):
        report = found.report(evidence=(*turned, p.crl("CA", more=(ext.scope(p.SERVER_CRL),))), pool=found.pool)
    assert report.statuses[0].status is GOOD, report


def _turned(answer):
    status = revoked_since(p.REVOKED_AT, 1)
    singles = (dataclasses.replace(each, status=status) for each in answer.singles if each.status != SAYS_UNKNOWN)
    return answer.but(singles=tuple(each for each in singles))


@pytest.mark.parametrize(
    ("age", "max_age", "expected"),
    [(8 * DAY, 9 * DAY, GOOD), (2 * HOUR, HOUR, UNKNOWN), (HOUR, HOUR, GOOD), (HOUR + SECOND, HOUR, UNKNOWN)],
)
def test_age_of_a_response_without_next_update(age, max_age, expected):
    """``max_age`` is counted from thisUpdate only where there is no nextUpdate (RFC 6960 section 4.2.2.1)."""
    old = by_ca(p.single(next_update=None, this_update=NOW - age), produced_at=NOW - age)
    assert old.statuses(max_age=max_age) == (expected, GOOD if max_age >= HOUR else UNKNOWN)
    assert by_ca(p.single(this_update=NOW - 8 * DAY)).statuses(max_age=max_age)[0] is GOOD


def test_critical_extensions_that_change_no_status_are_accepted():
    """Nonce, extended revoke, CRL references, archive cutoff, reasonCode, invalidityDate (RFC 6960 section 4.4)."""
    nothing = der.octets(b"")
    of_response, of_answer = ("48.1.2", "48.1.9"), ("48.1.3", "48.1.6")
    processed = [ext.Extension(f"1.3.6.1.5.5.7.{oid}", nothing, critical=True) for oid in of_response]
    assert by_ca(extensions=processed).statuses() == (GOOD, GOOD)
    processed = [ext.Extension(f"1.3.6.1.5.5.7.{oid}", nothing, critical=True) for oid in of_answer]
    processed += [ext.Extension(oid, nothing, critical=True) for oid in ("2.5.29.21", "2.5.29.24")]
    assert by_ca(p.single(extensions=processed)).statuses() == (GOOD, GOOD)
    for others in ([ext.Extension("2.5.29.29", nothing, critical=True)], [*processed, processed[0]]):
        assert by_ca(p.single(extensions=others)).statuses() == (UNKNOWN, GOOD)


@pytest.mark.parametrize("hash_name", ["shake_128", "shake_256"])
def test_hash_without_a_length_is_not_known(hash_name):
    """A certID by SHAKE names nothing, and ends in no error: anybody can make such a response."""
    answer = p.response(p.single(hash_name=hash_name), signer="stranger")
    assert world(p.crl("CA"), answer).statuses() == (GOOD, GOOD)


def test_status_of_the_ca_is_not_its_own_to_tell():
    """A CA does not vouch for itself: of the root's certificates the root's key tells (RFC 6960 section 4.2.2.2)."""
    answer = p.response(p.single(), p.single(p.CA, issuer="Root"), p.single(p.CA))
    assert by_ca().but(evidence=(answer,)).statuses() == (GOOD, UNKNOWN)


def test_delegate_of_the_root_does_not_answer_for_the_ca():
    """A delegate answers for the CA that issued its certificate, and for no CA below (RFC 6960 section 4.2.2.2)."""
    helper = p.delegate(issuer="Root")
    of_ca = p.response(p.single(p.CA, issuer="Root"), p.single(), responder="Responder", certificates=(helper,))
    assert by_ca().but(evidence=(of_ca,)).statuses() == (UNKNOWN, GOOD)


def test_two_certificates_of_one_delegate_key_are_told_apart():
    """Only the certificate that authorizes counts, wherever it stands among others of the same name and key."""
    weak, expired = p.delegate(usages=("keyEncipherment",)), p.delegate(not_after=PAST)
    for carried in ((weak, expired, p.delegate()), (p.delegate(), weak), (expired, p.delegate())):
        answer = p.response(p.single(), responder="Responder", certificates=carried)
        assert world(answer).statuses() == (GOOD, GOOD)
    answer = p.response(p.single(), responder="Responder", certificates=(weak, expired))
    assert world(answer).statuses() == (UNKNOWN, GOOD)


def test_delegate_that_only_its_own_answer_vouches_for_is_not_helped_by_a_second():
    """Two delegates that depend on each other's responses do not count (RFC 6960 section 4.2.2.2.1)."""
    first = p.delegate(no_check=False)
    second = Certificate(
        subject="Responder 2",
        issuer="CA",
        key=p.key("Responder 2"),
        signer=p.key("CA"),
        serial=4899,
        extensions=first.without(values.SUBJECT_KEY),
    )
    answers = (
        p.response(p.single(), p.single(4899), responder="Responder", certificates=(first,)),
        p.response(p.single(p.RESPONDER), responder="Responder 2", certificates=(second,)),
    )
    assert world(*answers).statuses() == (UNKNOWN, GOOD)
