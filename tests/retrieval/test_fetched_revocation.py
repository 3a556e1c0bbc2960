"""CRLs and OCSP responses fetched for a path (RFC 5280 sections 4.2.1.13, 4.2.2.1, 6.3; RFC 6960)."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import socket
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from pkcs12kit import lab
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import FailureReason
from pkcs12kit.lab.extensions import authority_information_access, crl_distribution_points
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.ranking import longest_lasting
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.revocation import Revocation, RevocationMode, RevocationStatus
from pkcs12kit.paths.search import PathRequest
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.retrieval.find_path import fetch_path
from pkcs12kit.retrieval.http import client as fetcher
from pkcs12kit.retrieval.options import FetchOptions
from pkcs12kit.retrieval.retrieved import Purpose, Status
from pkcs12kit.retrieval.revocation_fetch import as_url, ocsp_request

from .revoking import A_WEEK, NOW, RevokingPki, crl_at, ocsp_at, slug

REQUIRE, SOFT = RevocationMode.REQUIRE, RevocationMode.SOFT
GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN
BY_A, BY_B = ["server", "Issuing", "Bridge A"], ["server", "Issuing", "Bridge B"]
LIMITS = dataclasses.replace(DEFAULT_LIMITS, retrieval_backoff_seconds=0)


def request(pki, mode, *, given=None, limits=LIMITS, time=None):
    """Return the search for the path of a PKI."""
    return PathRequest(
        target=pki.target,
        pool=pki.pool,
        trust_anchors=(pki.anchor,),
        parameters=ValidationParameters(time=time or datetime.now(UTC)),
        ranking=longest_lasting,
        revocation=Revocation(mode=mode, **(given or {})),
        limits=limits,
    )


def search(pki, mode=REQUIRE, *, given=None, limits=LIMITS, time=None, **options):
    """Find the path, and fetch what is missing; the time is now, and nothing is cached unless asked for."""
    options = {"allow_private": True, "cache": False, **options}
    return fetch_path(request(pki, mode, given=given, limits=limits, time=time), FetchOptions(**options))


def names(found):
    """Name the certificates of the path."""
    return [certificate.subject.common_name.removesuffix(".example") for certificate in found.path.certificates]


def statuses(found):
    """Return the statuses, target first."""
    return [status.status for status in found.path.revocation.statuses]


@pytest.fixture
def by_crl(server):
    """Each certificate names its issuer's CRL."""
    return RevokingPki(server, [lambda issuer: crl_at(server.url(f"/{slug(issuer)}.crl"))])


@pytest.fixture
def by_both(server):
    """Each certificate names an OCSP responder and its issuer's CRL."""
    pki = RevokingPki(
        server,
        [lambda issuer: crl_at(server.url(f"/{slug(issuer)}.crl")), lambda _: ocsp_at(server.url("/ocsp"))],
    )
    server.otherwise(pki.responder())
    return pki


def issuers_at(*urls):
    """Return the extension that names the issuer's certificates."""
    access = [description for url in urls for description in authority_information_access(url)]
    return lab.non_critical(x509.AuthorityInformationAccess(access))


def crls_asked(server):
    """Return the paths of the requested CRLs, sorted."""
    return sorted(exchange.target for exchange in server.requests if exchange.target.endswith(".crl"))


# CRLs


def test_crls_of_each_certificate_are_fetched(server, by_crl):
    """Mode require fetches the CRLs that the certificates of the path name, and no others."""
    found = search(by_crl)
    assert names(found) == BY_A
    assert statuses(found) == [GOOD, GOOD, GOOD]
    assert found.warnings == ()
    assert crls_asked(server) == ["/bridge-a.crl", "/issuing.crl", "/root.crl"]
    assert [(one.purpose, one.status, one.content) for one in found.retrievals] == [
        (Purpose.CRL, Status.FETCHED, None)
    ] * 3


def test_crls_may_be_pem(server, by_crl):
    """RFC 5280 section 4.2.1.13 demands DER; PEM is read as well, whatever the Content-Type."""
    der = by_crl.crl("Issuing")
    text = b"-----BEGIN X509 CRL-----\n" + base64.encodebytes(der) + b"-----END X509 CRL-----\n"
    server.answer("/issuing.crl", text, headers={"Content-Type": "text/html"})
    assert statuses(search(by_crl)) == [GOOD, GOOD, GOOD]


@pytest.mark.parametrize("mode", [REQUIRE, SOFT])
def test_a_revoked_cross_certificate_makes_it_take_the_next_path(server, by_crl, mode):
    """In both modes the next path is tried; its URLs are fetched, each once."""
    by_crl.revoke("Bridge A", "Issuing")
    found = search(by_crl, mode)
    assert names(found) == BY_B
    assert statuses(found) == [GOOD, GOOD, GOOD]
    assert crls_asked(server) == ["/bridge-a.crl", "/bridge-b.crl", "/issuing.crl", "/root.crl"]


def test_an_unknown_one_makes_it_take_the_next_path_where_required(server, by_crl):
    """Where a status is unknown, require tries the next path; soft accepts the first one, with a warning."""
    server.answer("/bridge-a.crl", status=404)
    found = search(by_crl)
    assert names(found) == BY_B
    (warning,) = found.warnings
    assert warning == (f"{server.url('/bridge-a.crl')}: the server answers 404; it would have given a CRL for Issuing")
    soft = search(by_crl, SOFT)
    assert names(soft) == BY_A
    assert statuses(soft) == [GOOD, UNKNOWN, GOOD]


def test_a_revoked_target_is_no_reason_to_ask_more(server):
    """No other path can help a revoked target: neither certificates nor the other bridge's CRL are fetched."""
    pki = RevokingPki(
        server,
        [
            lambda issuer: crl_at(server.url(f"/{slug(issuer)}.crl")),
            lambda issuer: lab.non_critical(authority_information_access(server.url(f"/{slug(issuer)}.p7c"))),
        ],
    )
    pki.revoke("Issuing", "server")
    with pytest.raises(NoValidPathError) as caught:
        search(pki)
    assert caught.value.attempts[0].reason is FailureReason.REVOKED
    assert sorted(exchange.target for exchange in server.requests) == ["/bridge-a.crl", "/issuing.crl", "/root.crl"]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"validity": lab.Validity(NOW - 2 * A_WEEK, NOW - A_WEEK)}, id="expired"),
        pytest.param({"validity": lab.Validity(NOW + A_WEEK, NOW + 2 * A_WEEK)}, id="not-yet"),
        pytest.param({"signer": "Bridge B"}, id="wrong-signer"),
    ],
)
def test_a_crl_that_does_not_count(server, by_crl, answer):
    """A CRL after its nextUpdate, before its thisUpdate or by another key does not count (RFC 5280 section 6.3.3)."""
    signer = answer.pop("signer", None)
    authority = by_crl.authorities["Issuing"]
    if signer is not None:
        authority = dataclasses.replace(authority, private_key=by_crl.authorities[signer].private_key)
    server.route("/issuing.crl", authority.make_crl(**answer))
    with pytest.raises(NoValidPathError) as caught:
        search(by_crl)
    failure = caught.value.attempts[0].failures[0]
    assert (failure.reason, failure.certificate) == (FailureReason.REVOCATION_UNKNOWN, by_crl.target)


def broken_extension(crl):
    """Break the value of an extension of a CRL: authorityKeyIdentifier then names its issuer by NULLs."""
    at = crl.index(bytes.fromhex("0603551d23")) + 9  # SEQUENCE { [0] key identifier } begins 2 before
    length = crl[at + 1]
    return crl[:at] + b"\xa1" + bytes([length]) + b"\x05\x00" * (length // 2) + crl[at + 2 + length :]


@pytest.mark.parametrize("wrong", ["another's", "broken", "text", "ocsp"])
def test_a_wrong_answer_does_not_harm_a_right_one(server, wrong):
    """Where one of two distribution points has a CRL for other certificates, or no CRL, the other one counts."""
    pki = RevokingPki(server, [lambda issuer: crl_at(server.url("/wrong"), server.url(f"/{slug(issuer)}.crl"))])
    request = ocsp.load_der_ocsp_request(ocsp_request(pki.target, pki.issued["Bridge A", "Issuing"]))
    answers = {
        "another's": lab.Authority.create("Issuing").make_crl(),
        "broken": broken_extension(pki.crl("Issuing")),
        "text": b"there is nothing here",
        "ocsp": pki.respond(request),
    }
    server.route("/wrong", answers[wrong])
    found = search(pki)
    assert statuses(found) == [GOOD, GOOD, GOOD]
    assert len(found.warnings) == (0 if wrong == "another's" else 1)


def freshest(url):
    """Return the extension that names the delta CRL."""
    return lab.non_critical(x509.FreshestCRL(list(crl_distribution_points(url))))


@pytest.mark.parametrize("named_by", ["certificate", "CRL"])
def test_a_delta_crl_revokes(server, named_by):
    """The URL may be in the certificate or in the full CRL (RFC 5280 sections 4.2.1.15, 5.2.6)."""
    here = freshest(server.url("/delta.crl"))
    in_crl = [here] if named_by == "CRL" else []
    in_certificates = [lambda _: here] if named_by == "certificate" else []
    pki = RevokingPki(server, [lambda issuer: crl_at(server.url(f"/{slug(issuer)}.crl")), *in_certificates])
    issuing = pki.authorities["Issuing"]
    base = issuing.make_crl(extensions=in_crl)
    entry = lab.CrlEntry(serial_number=pki.target.serial_number, date=NOW - A_WEEK)
    delta = issuing.make_crl(revoked=[entry], number=2, extensions=[lab.critical(x509.DeltaCRLIndicator(1))])
    server.route("/issuing.crl", base)
    server.route("/delta.crl", delta)
    with pytest.raises(NoValidPathError) as caught:
        search(pki)
    assert caught.value.attempts[0].reason is FailureReason.REVOKED


def test_the_certificate_of_who_signed_a_crl_is_fetched(server):
    """A CA may sign CRLs by another key: the CRL names its certificate (RFC 5280 section 5.2.7)."""
    pki = RevokingPki(server, [lambda issuer: crl_at(server.url(f"/{slug(issuer)}.crl"))])
    signer = lab.Authority.create("Issuing")
    by_bridge = pki.authorities["Bridge A"].issue(
        "Issuing",
        signer.private_key.public_key(),
        extensions=[
            lab.critical(lab.key_usage("crl_sign")),
            lab.non_critical(x509.SubjectKeyIdentifier.from_public_key(signer.private_key.public_key())),
            crl_at(server.url("/bridge-a.crl")),
        ],
    )
    where = lab.non_critical(authority_information_access(server.url("/signer.cer")))
    server.route("/issuing.crl", signer.make_crl(extensions=[where]))
    server.route("/signer.cer", by_bridge.der)
    found = search(pki)
    assert statuses(found) == [GOOD, GOOD, GOOD]
    assert (server.count("/signer.cer"), by_bridge in found.pool) == (1, False)


# OCSP


def test_ocsp_comes_first(server, by_both):
    """Where OCSP settles the status, the CRL is not fetched."""
    found = search(by_both)
    assert statuses(found) == [GOOD, GOOD, GOOD]
    assert crls_asked(server) == []
    assert {one.purpose for one in found.retrievals} == {Purpose.OCSP}


TRY_LATER = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER)


@pytest.mark.parametrize("how", [{"delegated": True}, {"to_get": 405}, {"to_get": TRY_LATER}])
def test_responders_of_all_kinds(server, by_both, how):
    """A responder whose certificate is in the response (RFC 6960 section 4.2.2.2), and responders that need POST."""
    server.otherwise(by_both.responder(**how))
    found = search(by_both)
    assert statuses(found) == [GOOD, GOOD, GOOD]
    assert (crls_asked(server), found.warnings) == ([], ())
    posts = [exchange for exchange in server.requests if exchange.method == "POST"]
    assert {exchange.headers["content-type"] for exchange in posts} == (
        {"application/ocsp-request"} if "to_get" in how else set()
    )


def test_an_answer_that_is_signed_after_the_first_check_counts(server, by_both):
    """RFC 6960 section 2.4: a responder's time is when it was asked, after the search began. No CRL is needed."""
    answer = by_both.responder()

    async def in_the_next_second(exchange):
        await asyncio.sleep(1 - datetime.now(UTC).microsecond / 1e6)
        await answer(exchange)

    server.otherwise(in_the_next_second)
    assert statuses(search(by_both)) == [GOOD, GOOD, GOOD]
    assert crls_asked(server) == []


def test_revoked_by_ocsp(server, by_both):
    """A certificate that OCSP reports as revoked is revoked; no CRL is fetched for it."""
    by_both.revoke("Root", "Bridge A")
    found = search(by_both)
    assert names(found) == BY_B
    assert crls_asked(server) == []


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"signer": "Bridge B"}, id="wrong-signer"),
        pytest.param({"age": timedelta(days=30)}, id="expired"),
        pytest.param({"this_update": NOW + A_WEEK}, id="not-yet"),
        pytest.param("unknown", id="unknown"),
        pytest.param("error", id="error"),
        pytest.param("404", id="404"),
        pytest.param("unreachable", id="unreachable"),
    ],
)
def test_a_crl_where_ocsp_settles_nothing(server, by_both, how):
    """Whatever is wrong with the OCSP response, the CRL is fetched, and counts."""
    if how == "unknown":
        by_both.statuses.update({one.serial_number: ocsp.OCSPCertStatus.UNKNOWN for one in by_both.issued.values()})
    elif how == "error":

        async def try_later(exchange):
            await exchange.answer(TRY_LATER)

        server.otherwise(try_later)
    elif how == "404":
        server.otherwise(None)
    elif how == "unreachable":

        async def reset(exchange):
            exchange.reset()

        server.otherwise(reset)
    else:
        server.otherwise(by_both.responder(**how))
        if "signer" in how:  # a stranger cannot revoke
            lies = {one.serial_number: ocsp.OCSPCertStatus.REVOKED for one in by_both.issued.values()}
            by_both.statuses.update(lies)
    found = search(by_both)
    assert statuses(found) == [GOOD, GOOD, GOOD]
    assert crls_asked(server) == ["/bridge-a.crl", "/issuing.crl", "/root.crl"]


def test_an_answer_signed_after_the_search_began_counts(by_both):
    """A responder signs when it is asked (RFC 6960 section 2.4): a search at the current time validates after that."""
    began = datetime.now(UTC) - timedelta(seconds=20)
    found = search(by_both, time=began)
    assert statuses(found) == [GOOD, GOOD, GOOD]


@pytest.mark.parametrize(("max_age", "expected"), [(timedelta(days=7), GOOD), (timedelta(hours=1), UNKNOWN)])
def test_the_age_that_the_user_allows_holds_for_what_is_fetched(server, by_both, max_age, expected):
    """A response of two hours ago without nextUpdate counts (RFC 6960 section 4.2.2.1)."""
    server.otherwise(by_both.responder(age=timedelta(hours=2), lasts=None))
    for name in ("root", "bridge-a", "bridge-b", "issuing"):
        server.answer(f"/{name}.crl", status=404)
    found = search(by_both, SOFT, given={"max_age": max_age})
    assert set(statuses(found)) == {expected}


def test_the_past_has_no_status(by_both):
    """Servers have only current data: for a time in the past, the status is unknown."""
    with pytest.raises(NoValidPathError) as caught:
        search(by_both, time=NOW - timedelta(days=60))
    assert caught.value.attempts[0].reason is FailureReason.REVOCATION_UNKNOWN


def test_the_request(by_both):
    """The CertID uses the issuer's name and key as encoded in the certificates; there is no nonce."""
    issuer = by_both.issued["Bridge A", "Issuing"]
    asked = ocsp.load_der_ocsp_request(ocsp_request(by_both.target, issuer))
    same = ocsp.OCSPRequestBuilder().add_certificate(
        by_both.target.as_cryptography, issuer.as_cryptography, asked.hash_algorithm
    )
    theirs = same.build()
    assert asked.issuer_name_hash == theirs.issuer_name_hash
    assert asked.issuer_key_hash == theirs.issuer_key_hash
    assert asked.serial_number == by_both.target.serial_number
    assert list(asked.extensions) == []


def test_a_request_in_a_url():
    """GET has base64 after one slash; long requests and URLs with a query need POST (RFC 6960 appendix A.1)."""
    assert as_url("http://ocsp.example/a/", b"\xff\xff\xff\x00") == "http://ocsp.example/a/%2F%2F%2F%2FAA%3D%3D"
    assert as_url("http://ocsp.example/a", b"x") == "http://ocsp.example/a/eA%3D%3D"
    assert as_url("http://ocsp.example/a?b", b"x") is None
    assert as_url("http://ocsp.example/a", bytes(200)) is None


# Nothing more than needed


def test_nothing_is_asked_for_what_was_given(server, by_crl):
    """Where the user's CRLs settle all statuses, no socket is opened; where one is missing, one is fetched."""
    crls = [by_crl.crl(name) for name in ("Root", "Bridge A", "Issuing")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", None)
        patch.setattr(fetcher, "Fetcher", None)
        assert statuses(search(by_crl, given={"crls": crls})) == [GOOD, GOOD, GOOD]
    assert statuses(search(by_crl, given={"crls": crls[:2]})) == [GOOD, GOOD, GOOD]
    assert crls_asked(server) == ["/issuing.crl"]


def test_directories_are_named_and_skipped(server):
    """LDAP is not supported: a warning names the URL, and the CRL over HTTP is fetched."""
    pki = RevokingPki(server, [lambda issuer: crl_at("ldap://x.example/CRL", server.url(f"/{slug(issuer)}.crl"))])
    found = search(pki)
    assert statuses(found) == [GOOD, GOOD, GOOD]
    assert found.warnings == ("LDAP is not supported: skipped 1 URL, such as ldap://x.example/CRL",)


def test_private_addresses_are_refused(server, by_crl):
    """Without ``allow_private``, no request goes to a loopback address, and each outcome says so."""
    found = search(by_crl, SOFT, allow_private=False)
    assert server.requests == []
    assert statuses(found) == [UNKNOWN, UNKNOWN, UNKNOWN]
    assert {one.status for one in found.retrievals} == {Status.REFUSED}
    assert len(found.warnings) == 3


def test_offline_takes_what_was_kept(server, by_both, tmp_path):
    """OCSP responses by GET are cached like CRLs, and requested again when online."""
    online = {"cache": True, "cache_folder": tmp_path}
    search(by_both, **online)
    asked = len(server.requests)
    assert statuses(search(by_both, **online, offline=True)) == [GOOD, GOOD, GOOD]
    assert len(server.requests) == asked
    by_both.revoke("Root", "Bridge A")
    assert names(search(by_both, **online)) == BY_B


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"retrieval_paths": 1}, "for 1 path only (limits.retrieval_paths)"),
        ({"retrieval_crl_bytes": 100}, "(limits.retrieval_crl_bytes)"),
        ({"revocation_objects": 1}, "(limits.revocation_objects)"),
        ({"revocation_bytes": 400}, "(limits.revocation_bytes)"),
        ({"revocation_header_bytes": 400}, "(limits.revocation_header_bytes)"),
        ({"retrieval_urls": 1}, "(limits.retrieval_urls)"),
    ],
)
def test_limits(by_crl, limit, says):
    """Each limit gives a warning that names it, and no path where the status is required."""
    by_crl.revoke("Root", "Bridge A")
    warnings = []
    with pytest.raises(NoValidPathError):
        fetch_path(
            request(by_crl, REQUIRE, limits=dataclasses.replace(LIMITS, **limit)),
            FetchOptions(allow_private=True, cache=False),
            warnings.append,
        )
    assert any(says in warning for warning in warnings), warnings


def test_urls_of_one_certificate_are_bounded(server):
    """Only the first ``limits.retrieval_certificate_urls`` URLs are fetched."""
    pki = RevokingPki(
        server, [lambda issuer: crl_at(server.url(f"/{slug(issuer)}.crl"), *map(server.url, ("/1", "/2", "/3")))]
    )
    limits = dataclasses.replace(LIMITS, retrieval_certificate_urls=2)
    assert statuses(search(pki, limits=limits)) == [GOOD, GOOD, GOOD]
    assert (server.count("/1"), server.count("/2"), server.count("/3")) == (1, 0, 0)


# Certificates, too


def test_certificates_are_gathered_until_a_path_is_not_revoked(server):
    """Where the first path is revoked, the fetches that were cancelled for it are started again."""
    pki = RevokingPki(
        server,
        [
            lambda issuer: crl_at(server.url(f"/{slug(issuer)}.crl")),
            lambda issuer: issuers_at(server.url(f"/{slug(issuer)}.cer"), server.url(f"/{slug(issuer)}-2.cer")),
        ],
    )

    async def later(exchange):
        await server.until(lambda: server.count("/root.crl"))
        await exchange.answer(pki.issued["Bridge B", "Issuing"].der)

    server.route("/issuing.cer", pki.issued["Bridge A", "Issuing"].der)
    server.route("/issuing-2.cer", later)
    server.route("/bridge-a.cer", pki.issued["Root", "Bridge A"].der)
    server.route("/bridge-b.cer", pki.issued["Root", "Bridge B"].der)
    pki.pool = CertificatePool()
    pki.revoke("Root", "Bridge A")
    found = search(pki)
    assert names(found) == BY_B
    assert {one.subject.common_name for one in found.pool} == {"Issuing", "Bridge A", "Bridge B"}
    urls = [one.url for one in found.retrievals]
    assert len(set(urls)) == len(urls)


def test_an_expired_target_is_no_reason_to_ask(server, by_both):
    """Nothing is fetched where the target itself is at fault."""
    with pytest.raises(NoValidPathError) as caught:
        search(by_both, time=NOW + timedelta(days=10_000))
    assert caught.value.attempts[0].reason is FailureReason.EXPIRED
    assert server.requests == []
