"""Gathering from a real HTTP server: the lab, with the server's URLs in its certificates.

The certificates are published in the usual forms: certs-only CMS in DER, BER and PEM, certificates in PEM and DER,
with any ending of the URL and any Content-Type.
"""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import replace
from itertools import cycle

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.gather import gather
from pkcs12kit.retrieval.options import FetchOptions
from pkcs12kit.retrieval.retrieved import Progress, Retrieval, Status

from .encodings import ber

PRIVATE = FetchOptions(cache=False, allow_private=True)
QUICK = replace(DEFAULT_LIMITS, retrieval_tries=1)


def pem_pkcs7(certificates):
    """Bundle certificates as PEM PKCS#7."""
    return pkcs7.serialize_certificates([each.as_cryptography for each in certificates], Encoding.PEM)


def pem(certificates):
    """Encode certificates as PEM, one after the other."""
    return "".join(each.to_pem() for each in certificates).encode()


def der(certificates):
    """Encode certificates as DER, one after the other; a single one is the common ``.cer``."""
    return b"".join(each.der for each in certificates)


class Site:
    """The lab as a server publishes it."""

    def __init__(self, server):
        self.server = server
        self.replica = lab.make_replica(key_type=lab.KeyType.EC_P256, base_url=server.base)
        self.target = self.replica.server.certificate
        self.anchor = pk.TrustAnchor.from_certificate(self.replica.trust_anchor)
        self.parameters = pk.ValidationParameters(time=self.replica.at)
        forms = cycle((None, ber, pem_pkcs7, pem, der))
        self.paths = [path for path, data in self.replica.published().items() if not path.endswith(".crl")]
        for path in self.paths:
            published = self.replica.published()[path]
            certificates = [*pk.load_certificates(published)]
            form = next(forms)
            headers = {"Content-Type": "text/html; charset=iso-8859-1"}
            server.answer(path, published if form is None else form(certificates), headers=headers)

    def gather(self, *, options=PRIVATE, **more):
        """Gather from the server's certificate and the anchor alone."""
        given = {"trust_anchors": [self.anchor], "parameters": self.parameters, "limits": QUICK} | more
        return gather(given.pop("target", self.target), options=options, **given)

    def remove(self, *names):
        """Stop publishing the files whose paths contain one of these."""
        for path in self.paths:
            if any(name in path for name in names):
                self.server.answer(path, status=404)

    @property
    def asked(self):
        """The requested paths, each once."""
        return {exchange.target for exchange in self.server.requests}


@pytest.fixture
def site(server):
    """The lab, published."""
    return Site(server)


def access_to(*urls):
    """AuthorityInfoAccess with URLs of the issuer's certificates."""
    method = AuthorityInformationAccessOID.CA_ISSUERS
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for url in urls]
    )


def issue(site, access):
    """Issue a server certificate of the lab with other URLs in it."""
    of_the_lab = site.replica.issue_server("b.example.mil").certificate.as_cryptography
    kept = [each for each in of_the_lab.extensions if not isinstance(each.value, x509.AuthorityInformationAccess)]
    mark = {True: lab.critical, False: lab.non_critical}
    return site.replica.authorities["issuing-37"].issue(
        of_the_lab.subject,
        of_the_lab.public_key(),
        validity=lab.Validity(of_the_lab.not_valid_before_utc, of_the_lab.not_valid_after_utc),
        extensions=[*(mark[each.critical](each.value) for each in kept), lab.non_critical(access)],
    )


@pytest.fixture
def nobody():
    """The URL of a port without a server."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_from_the_certificate_and_the_anchor_alone(site):
    """The best path is one of the lab's four, and the pool has its certificates."""
    report = site.gather()
    valid = {path.certificates for path in site.replica.valid_paths}
    assert report.path.certificates in valid
    assert report.path.trust_anchor == site.anchor
    assert pk.find_path(
        site.target, pool=report.pool, trust_anchors=[site.anchor], parameters=site.parameters
    ).certificates == (report.path.certificates)
    assert set(report.path.certificates[1:]) <= set(report.new)
    assert (report.incomplete, report.rejects, report.warnings) == (None, (), ())


def test_everything_reachable(site):
    """``everything`` finds all four paths, and every certificate at the URLs of valid ones."""
    early, report = site.gather(), site.gather(everything=True)
    found = pk.find_paths(site.target, pool=report.pool, trust_anchors=[site.anchor], parameters=site.parameters)
    assert {path.certificates for path in found.valid} == {path.certificates for path in site.replica.valid_paths}
    assert set(early.new) < set(report.new)
    assert len(report.new) == 27
    assert not any(url.retrieval.status is Status.SKIPPED for url in report.urls)
    assert all(site.server.count(path) <= 2 for path in site.asked)  # once for each of the two


def test_upwards_only(site):
    """A trust anchor of a name and a key has no repository: only caIssuers lead to it."""
    bare = pk.TrustAnchor(name=site.anchor.name, subject_public_key_info=site.anchor.subject_public_key_info)
    report = site.gather(trust_anchors=[bare])
    assert report.path is not None
    assert {"issuedto" in path.lower() for path in site.asked} == {True}


def test_downwards_only(site):
    """Where no issuer can be fetched, the repositories lead down to the issuing CA."""
    site.remove("IssuedTo", "issuedto")
    report = site.gather()
    assert report.path is not None
    failed = {url.wanted for url in report.urls if url.failed}
    assert ("certificates of DOD ID SW CA-37, which issued mdm.example.mil",) in failed


def test_neither_way(site):
    """Two halves that do not meet are no path, and the report names the missing issuer."""
    site.remove("DODROOTCA3", "caCertsIssuedByfbca", "DODINTEROPERABILITYROOTCA2")
    report = site.gather()
    assert report.path is None
    assert report.report.rejected[0].reason is pk.FailureReason.ISSUER_NOT_FOUND
    assert report.to_json()["path"] is None


def test_without_an_anchor_all_that_leads_up(site):
    """Without trust anchors, all issuers are fetched, and no repository is."""
    report = site.gather(trust_anchors=[])
    assert (report.report, report.path) == (None, None)
    assert {"issuedto" in path.lower() for path in site.asked} == {True}
    assert any(each.certificate == site.replica.trust_anchor for each in report.certificates)


def test_without_a_target_what_leads_down(site):
    """From a trust anchor only, its repositories are fetched down to the issuing CAs; without both, it is an error."""
    report = site.gather(target=None)
    assert site.replica.issuing_ca in report.new
    assert (report.target, report.report) == (None, None)
    with pytest.raises(ValueError, match="neither was given"):
        gather(None)


def test_expired_certificates_explain_and_lead_nowhere(site):
    """Expired cross-certificates are gathered; their own URLs are not fetched."""
    report = site.gather(everything=True)
    old = [each for each in report.new if each.not_after < site.replica.at]
    assert old
    assert not any("fbca.p7c" in path for path in site.asked)


def test_nobody_is_asked_where_the_pool_has_a_path(site):
    """Nothing is fetched where the given certificates make a path."""
    report = site.gather(pool=site.replica.pool)
    assert report.path is not None
    assert (site.asked, report.certificates) == (set(), ())


def test_what_was_given_is_not_new(site):
    """Given certificates that are fetched again are gathered, and not new."""
    given = pk.CertificatePool([site.replica.issuing_ca])
    report = site.gather(pool=given, everything=True)
    assert site.replica.issuing_ca in {each.certificate for each in report.certificates}
    assert site.replica.issuing_ca not in report.new
    assert len(report.pool) == 27


def test_order_is_that_of_the_certificates(site):
    """Two runs give the same certificates, URLs and JSON, whatever arrives first, except for times and durations."""
    first, second = site.gather(everything=True), site.gather(everything=True)
    assert [each.certificate for each in first.certificates] == [each.certificate for each in second.certificates]
    assert [url.url for url in first.urls] == [url.url for url in second.urls]
    assert first.to_json()["certificates"] == second.to_json()["certificates"]


def test_json_has_every_request(site):
    """The report has each URL with its outcome and certificates, and each certificate with its URLs."""
    value = json.loads(json.dumps(site.gather(everything=True).to_json()))
    assert set(value) == {
        *("target", "certificates", "urls", "path", "rejected", "bytes", "incomplete", "rejects", "warnings")
    }
    assert {"url", "purpose", "status", "why", "wanted", "certificates", "bytes", "seconds"} <= set(value["urls"][0])
    assert {certificate["sha256"] for certificate in value["path"]["certificates"][1:]} <= {
        certificate["sha256"] for certificate in value["certificates"]
    }
    assert all(certificate["urls"] for certificate in value["certificates"])
    assert value["bytes"] == sum(url["bytes"] for url in value["urls"]) > 0


def test_a_host_that_is_down_names_itself(site, nobody):
    """A dead host does not stop the others; the report has what it would have given. LDAP is skipped."""
    urls = (f"{nobody}/ca.p7c", f"{site.server.base}/issuedto/DODIDSWCA_37_IT.p7c", "ldap://directory/cn=CA")
    target = issue(site, access_to(*urls))
    report = site.gather(target=target, everything=True)
    assert report.path is not None
    found = {url.url: url for url in report.urls}
    assert found[urls[0]].failed
    assert "cannot connect to its host" in found[urls[0]].why
    assert found[urls[0]].wanted == ("certificates of DOD ID SW CA-37, which issued b.example.mil",)
    assert found[urls[2]].retrieval.status is Status.SKIPPED
    assert "LDAP" in found[urls[2]].why
    assert not found[urls[2]].failed


def test_private_addresses_are_refused_unless_allowed(site):
    """By default, no request goes to a loopback server."""
    report = site.gather(options=FetchOptions(cache=False))
    assert site.asked == set()
    assert {url.retrieval.status for url in report.urls} == {Status.REFUSED}


def test_offline_from_a_filled_cache(site, tmp_path):
    """Offline, a filled cache is enough, and no request is sent."""
    options = replace(PRIVATE, cache=True, cache_folder=tmp_path / "cache")
    online = site.gather(options=options, everything=True)
    before = len(site.server.requests)
    offline = site.gather(options=replace(options, offline=True), everything=True)
    assert len(site.server.requests) == before
    assert offline.path.certificates == online.path.certificates
    assert offline.new == online.new
    assert {url.retrieval.status for url in offline.urls if url.answered} == {Status.CACHED}
    origins = [{each.certificate: each.origins for each in report.certificates} for report in (online, offline)]
    assert origins[0] == origins[1]  # the time is that of the fetching, not of the reading


def test_offline_without_a_cache_is_refused(tmp_path):
    """Offline without a cache is an error."""
    with pytest.raises(ValueError, match="need a cache"):
        FetchOptions(cache=False, offline=True)
    with pytest.raises(ValueError, match="need a cache"):
        FetchOptions(cache=False, cache_folder=tmp_path)


def test_a_damaged_cache_is_reported_and_repaired(site, tmp_path):
    """A cache entry that was changed on disk is not used: there is a warning, and it is fetched again."""
    options = replace(PRIVATE, cache=True, cache_folder=tmp_path / "cache")
    whole = site.gather(options=options, everything=True)
    damaged = max((tmp_path / "cache").glob("*.entry"), key=lambda file: file.stat().st_size)
    damaged.write_bytes(b"\0" * damaged.stat().st_size)
    report = site.gather(options=options, everything=True)
    assert report.new == whole.new
    assert len(report.warnings) >= 1
    assert all("damaged" in sentence for sentence in report.warnings)
    assert site.gather(options=options, everything=True).warnings == ()


@pytest.mark.parametrize(
    ("name", "allowed"), [("retrieval_certificates", 5), ("retrieval_urls", 3), ("retrieval_total_bytes", 8_000)]
)
def test_budgets_bite(site, name, allowed):
    """Each limit on the whole gathering ends it and is in the report; earlier certificates stay."""
    report = site.gather(everything=True, limits=replace(QUICK, **{name: allowed}))
    assert f"limits.{name}" in report.incomplete
    assert len(report.certificates) <= 27 - 1
    if name == "retrieval_certificates":
        assert len(report.certificates) == allowed
    if name == "retrieval_urls":
        assert len(site.asked) <= allowed


def test_the_time_for_all_bites(site):
    """A server that never answers does not delay the gathering beyond the limit."""
    release = []

    async def stall(exchange):
        release.append(exchange)
        await exchange.stall()

    site.server.route("/issuedto/DODIDSWCA_37_IT.p7c", stall)
    site.remove("caCertsIssuedByfcpca")
    report = site.gather(limits=replace(QUICK, retrieval_seconds=0.3))
    assert "limits.retrieval_seconds" in report.incomplete
    assert release
    assert report.path is None


def test_web_pages_and_truncated_files(site):
    """A web page and a truncated file have a reason each; the path comes from other URLs."""
    site.server.answer("/issuedto/DODROOTCA3_IT.p7c", b"<!DOCTYPE html><title>Moved</title>")
    site.server.answer("/bridge/caCertsIssuedTofbca2016.p7c", site.target.der[:200])
    report = site.gather(everything=True)
    reasons = {url.url.rpartition("/")[2]: url.why for url in report.urls if url.failed}
    assert "web page" in reasons["DODROOTCA3_IT.p7c"]
    assert reasons["caCertsIssuedTofbca2016.p7c"]
    assert report.path is not None


def test_redirects_are_origins_by_the_url_that_was_named(site):
    """The origin of a certificate is the URL in the certificate, not the target of a redirect."""
    site.server.route("/moved", site.replica.published()["/issuedto/DODIDSWCA_37_IT.p7c"])
    site.server.answer("/issuedto/DODIDSWCA_37_IT.p7c", status=301, headers={"Location": "/moved"})
    report = site.gather()
    (found,) = (each for each in report.certificates if each.certificate == site.replica.issuing_ca)
    assert site.server.url("/issuedto/DODIDSWCA_37_IT.p7c") in {origin.url for origin in found.origins}
    assert not any(origin.url.endswith("/moved") for origin in found.origins)


def test_what_comes_is_never_trusted(site):
    """A self-signed certificate with the anchor's name is not a trust anchor, though all signatures below it fit."""
    forged = lab.Authority.create(site.replica.authorities["common"].name)
    issuing = lab.Authority.create(site.replica.authorities["issuing-37"].name)
    target = issuing.issue_server(
        "c.example.mil",
        extensions=[lab.non_critical(access_to(site.server.url("/forged")))],
    ).certificate
    site.server.route("/forged", pem([forged.issue_ca(issuing), forged.certificate]))
    report = site.gather(target=target)
    assert {forged.certificate} <= set(report.new)
    assert report.path is None


def test_tells_how_far_it_is(site):
    """``on_event`` is called with progress, and with each outcome once."""
    events = []
    report = site.gather(options=replace(PRIVATE, on_event=events.append), everything=True)
    outcomes = [event.url for event in events if isinstance(event, Retrieval)]
    assert sorted(outcomes) == [url.url for url in sorted(report.urls, key=lambda each: each.url)]
    last = [event for event in events if isinstance(event, Progress)][-1]
    assert last.asked == len(report.urls)


def test_a_fault_of_on_event_comes_through(site):
    """An error of ``on_event`` is raised, not taken for one of a server."""

    def fail(_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        site.gather(options=replace(PRIVATE, on_event=fail))


def test_below_a_running_event_loop(site):
    """Gathering is an ordinary call in a notebook, which has a running event loop."""

    async def cell():
        return site.gather()

    assert asyncio.run(cell()).path is not None


def test_an_empty_bundle_is_no_end(site):
    """An empty CMS of a CA that has issued nothing is reported, and nothing else fails."""
    empty = {"version": "v1", "digest_algorithms": [], "encap_content_info": {"content_type": "data"}}
    data = cms.SignedData({**empty, "certificates": [], "signer_infos": []})
    site.server.route(
        "/fcpca/caCertsIssuedByfcpca.p7c", cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()
    )
    report = site.gather()
    assert report.path is not None
    (found,) = (url for url in report.urls if url.url.endswith("caCertsIssuedByfcpca.p7c"))
    assert found.why == "expected a certificate, found a PKCS#7 bundle without certificates"
