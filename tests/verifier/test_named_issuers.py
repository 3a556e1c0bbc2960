"""AuthorityKeyIdentifiers that name another certificate (RFC 5280 section 4.2.1.1): who refuses, and what is reported.

TA certifies I, and I the server. I has several certificates with one key.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest
from cryptography import x509

import pkcs12kit as pk
from pkcs12kit import Check, Outcome, lab
from pkcs12kit.pkcs12.encoder import encode_contents
from pkcs12kit.tls.certificate_message import TLS_1_3, CertificateMessage
from pkcs12kit.tls.handshake import Verdict
from pkcs12kit.tls.rehearsal.run import installed_clients
from pkcs12kit.tls.rehearsal.server import LoopbackServer

from ..calling import NO, call
from .test_verify import PASSWORD, QUICK, key_of, pfx

NUMBER, OTHER = 2008, 2010
OPENSSL = "OpenSSL and programs that use it, such as curl"
KEY = "key identifier"


class Chain:
    """A server's certificate and the certificates of I; the identifiers are given as (key, issuer, serial number).

    True as the key is the right one. ``of_ca`` is the identifier of I, ``of_server`` that of the server.
    """

    def __init__(self, *, of_server=(True, None, None), of_ca=(True, None, None), numbers=(NUMBER,), gone=()):
        self.root, self.ca = lab.Authority.create("TA", serial_number=77), lab.Authority.create("I")
        past = lab.Validity.around(days_before=300, days_after=-10)
        self.issued = [
            self.root.issue_ca(
                self.ca,
                serial_number=number,
                extensions=[_identifier(self.root, *of_ca)],
                validity=past if number in gone else lab.Validity.around(days_after=100 + number),
            )
            for number in numbers
        ]
        self.server = self.ca.issue_server("EE", extensions=[_identifier(self.ca, *of_server)])

    @property
    def sent(self):
        """The chain as a server sends it."""
        return [self.server.certificate, *self.issued]

    def verify(self):
        """Verify a file with the chain."""
        return pk.verify(
            pfx(self.sent, key_of(self.server)), trust_anchors=self.root.certificate.der, password=PASSWORD
        )

    def check(self, *pool):
        """Check the chain as it is served."""
        message = CertificateMessage(certificates=tuple(self.sent), protocol=TLS_1_3)
        return pk.check_served_chain(message, trust_anchors=self.root.certificate.der, certificates=list(pool))

    def rehearse(self, *clients):
        """Serve the chain to clients."""
        data = encode_contents(
            [pk.pkcs12.bags.certificate_bag(one.der, local_key_id=None) for one in self.sent],
            [key_of(self.server, local_key_id=None)],
            password=PASSWORD,
            profile=QUICK,
        )
        return pk.rehearse(data, trust_anchors=self.root.certificate.der, password=PASSWORD, clients=clients)


def _identifier(authority, key, issuer, serial_number):
    """Return an authorityKeyIdentifier; with one of issuer and serial number only, in octets of its own."""
    own = x509.SubjectKeyIdentifier.from_public_key(authority.private_key.public_key()).digest
    names = None if issuer is None else [x509.DirectoryName(lab.authority.as_name(issuer))]
    return lab.non_critical(x509.AuthorityKeyIdentifier(own if key is True else key, names, serial_number))


def finding(report):
    """Find the finding of the check."""
    (found,) = [one for one in report.findings if one.check is Check.AUTHORITY_KEY_IDENTIFIER]
    return found


def refusing(why):
    """Take the clients that refuse out of a sentence."""
    return why.partition("refused by ")[2].partition("; not compared by")[0].removeprefix(OPENSSL).split(", ")[1:]


CASES = {
    "serial number": ({"of_server": (True, "TA", OTHER)}, "serial number #2010 instead of #2008", []),
    "serial number without key": ({"of_server": (None, "TA", OTHER)}, "serial number #2010 instead of #2008", []),
    "issuer": ({"of_server": (True, "Other", NUMBER)}, "issuer Other instead of TA", []),
    "key": ({"of_server": (b"\1" * 20, None, None)}, f"key identifier {'01' * 20} instead of ", ["GnuTLS", "NSS"]),
    "serial number of the anchor": ({"of_ca": (True, "TA", 99)}, "serial number #99 instead of #77", ["Java"]),
    "issuer of the anchor": ({"of_ca": (True, "Other", 77)}, "issuer Other instead of TA", []),
    "key of the anchor": (
        {"of_ca": (b"\1" * 20, None, None)},
        f"key identifier {'01' * 20} instead of ",
        ["GnuTLS", "NSS", "Java"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_mismatch_fails_and_names_the_clients(case):
    """The path is valid; what differs is quoted, and who refuses it."""
    options, differs, others = CASES[case]
    chain = Chain(**options)
    report, served = chain.verify(), chain.check()
    assert report.failed == served.failed == ("authority-key-identifier",)
    found = finding(report)
    assert found.why == finding(served).why
    assert differs in found.why
    assert refusing(found.why) == others
    upper = "the trust anchor TA #77" if "of_ca" in options else "I #2008"
    lower = "I" if "of_ca" in options else "EE"
    assert found.why.startswith(f"the authorityKeyIdentifier of {lower} names another certificate than {upper}: ")
    assert found.why.endswith("Go [RFC 5280 section 4.2.1.1]")
    replaced = f"replace I (issued by TA, serial number {NUMBER}) by the certificate of I that the"
    assert [change.startswith(replaced) for change in served.changes] == [True] * ("of_server" in options)


def test_openssl_refuses_what_is_said_to_be_refused():
    """The client in this process, in TLS 1.2 and 1.3: 'unable to get local issuer certificate'."""
    report = Chain(of_server=(True, "TA", OTHER)).rehearse("openssl")
    assert "authority-key-identifier" in report.failed
    assert {one.verdict for one in report.handshakes} == {Verdict.REFUSED}
    assert all("unable to get local issuer" in one.why for one in report.handshakes)
    assert Chain(of_server=(True, "TA", NUMBER)).rehearse("openssl").ok


def test_the_probe_finds_it_at_a_server(tmp_path):
    """A server that sends the chain: the library and the command say no, with the certificate and the clients."""
    chain = Chain(of_server=(True, "TA", OTHER))
    (tmp_path / "anchor.der").write_bytes(chain.root.certificate.der)
    with LoopbackServer(chain.server.private_key, chain.sent) as server:
        report = pk.probe("127.0.0.1", port=server.port, trust_anchors=chain.root.certificate.der, server_name="EE")
        words = ("probe", f"127.0.0.1:{server.port}", "--server-name", "EE", "--anchor", tmp_path / "anchor.der")
        printed, encoded = call(*words), call(*words, "--json")
    assert "authority-key-identifier" in report.failed
    why = finding(report.served_chain).why
    assert "of EE names another certificate than I #2008: serial number #2010 instead of #2008" in why
    assert printed.status == encoded.status == NO
    assert why in printed.output
    (found,) = (
        one
        for one in json.loads(encoded.output)["servers"][0]["sent"]["findings"]
        if one["check"] == "authority-key-identifier"
    )
    assert (found["outcome"], found["why"]) == ("not-ok", why)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_each_client_does_what_is_said_of_it(case):
    """The table of clients, tried with those that are installed here."""
    options, _, others = CASES[case]
    chain = Chain(**options)
    expected = {"openssl", "curl", *(name.lower() for name in others)}
    handshakes = chain.rehearse("all").handshakes
    refused = {one.client for one in handshakes if one.verdict is Verdict.REFUSED}
    assert refused == expected & installed_clients()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"of_server": (True, "TA", NUMBER)},
        {"of_server": (None, "ta ", NUMBER)},
        {"of_ca": (True, "TA", 77)},
        {"of_server": (None, None, None), "of_ca": (None, None, None)},
    ],
)
def test_what_fits_passes(options):
    """The key identifier only, or issuer and serial number, or nothing."""
    chain = Chain(**options)
    assert finding(chain.verify()).outcome is finding(chain.check()).outcome is Outcome.OK
    assert chain.verify().ok


def test_the_one_that_is_named_is_found_behind_the_other():
    """OpenSSL takes it from any place. A file with both has another fault, and the path in order is the named one."""
    chain = Chain(of_server=(True, "TA", OTHER), numbers=(NUMBER, OTHER))
    report = chain.verify()
    assert finding(report).outcome is Outcome.OK
    assert report.path.certificates[1].serial_number == OTHER
    assert report.failed == ("duplicates", "order")
    served = chain.check()
    assert finding(served).outcome is Outcome.OK
    assert [one.serial_number for one in served.should_send[1:]] == [OTHER]
    assert served.changes == (f"remove certificate 2, I (issued by TA, serial number {NUMBER}), which is on no path",)


@pytest.mark.parametrize("numbers", [(NUMBER, OTHER), (OTHER, NUMBER)])
def test_one_that_has_expired_hides_no_valid_one(numbers):
    """The valid certificate makes the path. OpenSSL follows the expired one, and the finding says where that is."""
    report = Chain(of_server=(True, "TA", OTHER), numbers=numbers, gone=(OTHER,)).verify()
    assert report.path.certificates[1].serial_number == NUMBER
    assert finding(report).outcome is Outcome.NOT_OK
    assert finding(report).why.endswith("; the one that it names, I #2010, is in the file, but on no valid path")


def test_the_pool_has_the_one_that_is_named():
    """What to send is the path that every client follows."""
    chain = Chain(of_server=(True, "TA", OTHER), numbers=(NUMBER, OTHER))
    named = chain.issued.pop()
    report = chain.check(named)
    assert report.path_with_pool.certificates == report.should_send == (chain.server.certificate, named)
    old, new = (f"I (issued by TA, serial number {number})" for number in (NUMBER, OTHER))
    assert report.changes == (f"replace certificate 2, {old}, by {new}, which is in the pool",)
    pool = next(one for one in report.findings if one.check is Check.POOL)
    assert pool.why == "the pool has certificates that fit the authorityKeyIdentifiers: EE <- I <- TA"
    useless = chain.check(chain.root.issue_ca(chain.ca, serial_number=3))
    assert (useless.path_with_pool, useless.should_send) == (None, tuple(chain.sent))
    assert "even the pool" in next(one.why for one in useless.findings if one.check is Check.POOL)


def test_of_two_trust_anchors_the_one_that_is_named():
    """A renewed root beside the old one: the path may end at either, and is in order with both."""
    chain = Chain(of_ca=(True, "TA", 78))
    renewed = lab.Authority.create("TA", private_key=chain.root.private_key, serial_number=78)
    file = pfx(chain.sent, key_of(chain.server))
    report = pk.verify(file, trust_anchors=[chain.root.certificate, renewed.certificate], password=PASSWORD)
    assert report.ok
    assert report.path.trust_anchor.certificate == renewed.certificate


def test_build_warns_where_no_path_fits():
    """The file is written, as the path is valid; the warning says who refuses it."""
    chain = Chain(of_server=(True, "TA", OTHER), numbers=(NUMBER, OTHER))
    given = {"identity": chain.server, "trust_anchors": [chain.root.certificate], "password": PASSWORD}
    right = pk.build(certificates=chain.issued, profile=QUICK, **given)
    assert (right.certificates[1].serial_number, right.warnings) == (OTHER, ())
    (warning,) = pk.build(certificates=chain.issued[:1], profile=QUICK, **given).warnings
    assert "names another certificate than I #2008" in warning


def test_an_anchor_whose_validity_is_ignored_does_not_expire_the_path():
    """``--ignore-anchor-validity``: neither ``expires`` nor the check of expiry is about the anchor's end."""
    gone = lab.Validity.around(days_before=300, days_after=-10)
    root = lab.Authority.create("TA", validity=gone)
    server = root.issue_server("EE", validity=lab.Validity.around(days_after=85))
    file = pfx([server.certificate], key_of(server))
    parameters = pk.ValidationParameters(
        time=server.certificate.not_before + timedelta(days=1), check_trust_anchor_validity=False
    )
    at = dataclasses.replace(parameters, time=server.certificate.not_after - timedelta(days=40))
    report = pk.verify(
        file, trust_anchors=root.certificate.der, password=PASSWORD, parameters=at, expires_within=timedelta(days=39)
    )
    assert report.ok
    assert report.path.expires == server.certificate.not_after
    assert report.to_json()["expires"] == f"{server.certificate.not_after:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("checked", [True, False])
def test_an_anchor_whose_validity_is_ignored_does_not_expire_a_chain_without_path(checked):
    """The path is not valid for any policy, and the anchor's own certificate, which is in the file, has expired."""
    chain = Chain()
    gone = lab.Validity.around(days_before=300, days_after=-10)
    root = lab.Authority.create("TA", private_key=chain.root.private_key, validity=gone)
    parameters = pk.ValidationParameters(
        time=gone.not_after + timedelta(days=10),
        check_trust_anchor_validity=checked,
        initial_explicit_policy=True,
    )
    file = pfx([*chain.sent, root.certificate], key_of(chain.server))
    report = pk.verify(file, trust_anchors=root.certificate.der, password=PASSWORD, parameters=parameters)
    assert report.path is None
    assert ("expiry" in report.failed) is checked


def test_one_that_cannot_be_read_fails():
    """Validation does not need it; OpenSSL takes the certificate for one of no issuer."""
    chain = Chain()
    broken = x509.UnrecognizedExtension(x509.ExtensionOID.AUTHORITY_KEY_IDENTIFIER, b"\xff\xff")
    chain.server = chain.ca.issue_server("EE", extensions=[lab.non_critical(broken)])
    report = chain.verify()
    assert report.failed == ("authority-key-identifier",)
    assert finding(report).why.startswith("that of EE cannot be read, so that OpenSSL")
    assert {one.verdict for one in chain.rehearse("openssl").handshakes} == {Verdict.REFUSED}
