"""``build --fetch``: from the server's certificate and the anchor alone, the rest from a web server on loopback.

The lab is published there under the URLs in its certificates; OCSP is the lab's dead URL unless a test answers it.
"""

from __future__ import annotations

import socket

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.retrieval.http import request as requesting

from ..retrieval.conftest import Server
from .conftest import BEST_PATH, PASSWORD

AT_HOME = ("--fetch", "--allow-private", "--no-cache")
ISSUING = "/issuedto/DODIDSWCA_37_IT.p7c"


class Site:
    """The lab, published on a server of its own."""

    def __init__(self, server):
        self.server = server
        self.replica = lab.make_replica(key_type=lab.KeyType.EC_P256, base_url=server.base)
        self.publish(self.replica)

    def publish(self, replica):
        """Answer the URLs in the certificates."""
        for path, content in replica.published().items():
            self.server.route(path, content)

    def break_all(self, handler):
        """Answer every URL by one handler."""
        for path in self.replica.published():
            self.server.route(path, handler)
        self.server.otherwise(handler)

    @property
    def asked(self):
        """The paths that were asked for."""
        return [exchange.target for exchange in self.server.requests]


@pytest.fixture
def site(_no_proxies):
    """The lab on loopback."""
    with Server() as server:
        yield Site(server)
    assert server.errors == []


@pytest.fixture
def build(site, call, tmp_path, password_file):
    """Call ``build`` with what a user has: key, certificate, anchor."""
    key = site.replica.server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "server.key").write_bytes(key)
    (tmp_path / "server.pem").write_text(site.replica.server.certificate.to_pem())
    (tmp_path / "anchor.pem").write_text(site.replica.trust_anchor.to_pem())

    def call_build(*more, **changed):
        options = {
            "key": tmp_path / "server.key",
            "cert": tmp_path / "server.pem",
            "anchor": tmp_path / "anchor.pem",
            "out": "server.p12",
            "password-file": password_file,
        } | changed
        given = [(f"--{name}", value) for name, value in options.items() if value is not None]
        return call("build", *(part for pair in given for part in pair), *more)

    return call_build


@pytest.fixture
def pool(site, tmp_path):
    """All CA certificates of the lab, as a file."""
    (tmp_path / "ca.pem").write_text("".join(one.to_pem() for one in site.replica.pool))
    return tmp_path / "ca.pem"


@pytest.fixture
def no_pause(monkeypatch):
    """Try again at once."""
    monkeypatch.setattr(requesting, "seconds_before", lambda *_, **__: 0)


def names(folder):
    """Name the certificates of the file that was built, in its order."""
    decoded = pk.decode_pfx((folder / "server.p12").read_bytes(), password=PASSWORD)
    return [certificate.subject.common_name for certificate in decoded.certificates]


def test_from_the_certificate_and_the_anchor_alone(site, build, folder):
    """All CA certificates are fetched, and the file holds the path; no CRL is asked for."""
    outcome = build("--json", *AT_HOME)
    assert outcome.status == 0
    assert names(folder) == BEST_PATH
    retrievals = outcome.json["retrievals"]
    assert {one["purpose"] for one in retrievals} == {"caIssuers", "caRepository"}
    assert {one["url"] for one in retrievals} >= {site.server.url(ISSUING)}
    assert not any(path.endswith(".crl") for path in site.asked)


def test_with_revocation_required(build, folder):
    """The CRLs of each CA on the path, too; OCSP is asked first, and its dead URL is a warning and no more."""
    outcome = build("--json", *AT_HOME, "--revocation", "require")
    assert outcome.status == 0
    assert names(folder) == BEST_PATH
    fetched = [one["url"] for one in outcome.json["retrievals"] if one["purpose"] == "crl"]
    assert len(fetched) == len(set(fetched)) == 5
    assert "/ocsp: the server answers 404; it would have given the status of mdm.example.mil" in outcome.errors
    assert len(outcome.json["warnings"]) == outcome.errors.count("warning: ")


def test_a_revoked_cross_certificate(site, build, folder):
    """The path by way of the other bridge is taken, once more is gathered for it."""
    revoked = site.replica.certificate(47633)
    site.publish(site.replica.revoke(revoked))
    outcome = build(*AT_HOME, "--revocation", "require")
    assert outcome.status == 0
    assert "Federal Bridge CA 2013" in names(folder)


def test_a_revoked_server(site, build):
    """No other path mends that: exit status 1, with who revoked it."""
    site.publish(site.replica.revoke(site.replica.server.certificate))
    outcome = build(*AT_HOME, "--revocation", "soft")
    assert outcome.status == 1
    assert "revoked on" in outcome.errors


def test_private_addresses_are_refused(site, build):
    """Without --allow-private nothing on loopback is asked, and the sentences say why and what would help."""
    outcome = build("--fetch", "--no-cache")
    assert (outcome.status, site.asked) == (1, [])
    assert f"{site.server.url(ISSUING)}: 127.0.0.1 is not a public address" in outcome.errors
    assert "error: no valid path from mdm.example.mil to a trust anchor; nothing was written" in outcome.errors
    assert "\nhint: if the network is your own, --allow-private" in outcome.errors


def test_what_could_not_be_fetched_in_json(site, build):
    """One object on standard output has the error and every request."""
    site.break_all(is_missing)
    outcome = build("--json", *AT_HOME)
    assert outcome.status == 1
    assert set(outcome.json) == {"error", "rejected", "retrievals", "successions", "hints", "warnings"}
    issuing = next(one for one in outcome.json["retrievals"] if one["url"].endswith(ISSUING))
    assert (issuing["status"], issuing["http_status"]) == ("failed", 404)
    assert (
        f"{site.server.url(ISSUING)}: the server answers 404; it would have given certificates of DOD ID SW CA-37"
        in outcome.errors
    )


async def never_ends(exchange):
    """Send without an end."""
    await exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    while True:
        await exchange.send(piece)


async def truncates(exchange):
    """Announce more than is sent, and close."""
    await exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0\x82")
    exchange.close()


async def circles(exchange):
    """Send round in a circle."""
    await exchange.answer(status=302, headers={"Location": exchange.target})


async def is_a_page(exchange):
    """Answer with a web page."""
    await exchange.answer(b"<!DOCTYPE html><html>Sign in</html>", headers={"Content-Type": "text/html"})


async def is_missing(exchange):
    """Answer 404."""
    await exchange.answer(status=404)


async def resets(exchange):
    """Break the connection."""
    exchange.reset()


async def stalls(exchange):
    """Never answer."""
    await exchange.stall()


HOSTILE = [
    pytest.param(never_ends, "(limits.retrieval_response_bytes)", id="endless"),
    pytest.param(truncates, "", id="truncating"),
    pytest.param(circles, "redirects in a circle", id="circle"),
    pytest.param(is_a_page, "a web page", id="html"),
    pytest.param(is_missing, "the server answers 404", id="404"),
    pytest.param(resets, "", id="reset"),
    pytest.param(stalls, "(limits.retrieval_seconds)", id="slow"),
]


@pytest.mark.parametrize(("handler", "says"), HOSTILE)
@pytest.mark.usefixtures("no_pause")
def test_a_hostile_server_of_certificates(site, build, handler, says):
    """A refusal that names the URL and the reason; nothing is written (``call`` checks that)."""
    site.break_all(handler)
    outcome = build(*AT_HOME, "--timeout", "60" if handler is not stalls else "0.5")
    assert outcome.status == 1
    assert f"warning: {site.server.url(ISSUING)}: " in outcome.errors
    assert says in outcome.errors
    assert "nothing was written" in outcome.errors


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        HOSTILE[1],
        *(pytest.param(*case.values, id=case.id, marks=pytest.mark.slow) for case in HOSTILE[:1] + HOSTILE[2:]),
    ],
)
@pytest.mark.usefixtures("no_pause")
def test_a_hostile_server_of_crls(site, build, folder, pool, handler, says):
    """In require a refusal, in soft a warning."""
    if handler is never_ends:
        says = "(limits.retrieval_"  # a CRL may be 100 MiB: the time ends it, or the bytes
    site.server.route("/crl/DODIDSWCA_37.crl", handler)
    options = (*AT_HOME, "--timeout", "60" if handler not in {stalls, never_ends} else "1")
    outcome = build(*options, "--revocation", "require", certs=pool)
    assert outcome.status == 1
    assert f"warning: {site.server.url('/crl/DODIDSWCA_37.crl')}: " in outcome.errors
    assert says in outcome.errors
    outcome = build(*options, "--revocation", "soft", certs=pool)
    assert outcome.status == 0
    assert names(folder) == BEST_PATH
    assert outcome.errors.count("revocation status unknown") == 1


def test_offline_from_the_filled_cache(site, build, folder, tmp_path):
    """What was fetched once makes the same bundle without the network, CRLs included."""
    cached = ("--fetch", "--cache", tmp_path / "cache", "--revocation", "require")
    assert build(*cached, "--allow-private").status == 0
    asked = len(site.asked)
    site.server.stop()
    (folder / "server.p12").unlink()
    assert build(*cached, "--offline", "--allow-private").status == 0
    assert names(folder) == BEST_PATH
    assert len(site.asked) == asked


def test_offline_from_an_empty_cache(site, build, tmp_path):
    """There is nothing to be had, and each URL says so."""
    outcome = build("--fetch", "--offline", "--cache", tmp_path / "cache")
    assert (outcome.status, site.asked) == (1, [])
    assert "nothing was written" in outcome.errors


@pytest.mark.parametrize(
    "options", [("--offline",), ("--allow-private",), ("--no-cache",), ("--cache", "x"), ("--timeout", "5")]
)
def test_options_for_fetching_take_fetch(build, options):
    """They would do nothing without it, and say so."""
    outcome = build(*options)
    assert outcome.status == 2
    assert f"{options[0]} has an effect only with --fetch" in outcome.errors


def test_nothing_is_asked_where_nothing_is_missing(site, build, folder, pool):
    """With the certificates given, --fetch asks nobody."""
    outcome = build("--json", *AT_HOME, certs=pool)
    assert (outcome.status, names(folder), site.asked, outcome.json["retrievals"]) == (0, BEST_PATH, [], [])


@pytest.fixture
def no_network(site, monkeypatch):
    """Make every connection, datagram and name lookup fail, once the site is up."""

    def refuse(*_arguments, **_named):
        raise AssertionError("the network was asked")

    for method in ("connect", "connect_ex", "sendto", "sendmsg", "bind"):
        monkeypatch.setattr(socket.socket, method, refuse)
    for function in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
        monkeypatch.setattr(socket, function, refuse)
    return site


def test_without_fetch_nothing_is_asked(no_network, build, call, tmp_path, pool, password_file):
    """Not by build, paths, verify or inspect, whatever is missing, and whatever revocation wants."""
    anchor, target = tmp_path / "anchor.pem", tmp_path / "server.pem"
    assert build().status == 1
    assert build("--revocation", "require", certs=pool).status == 1
    assert build("--revocation", "soft", certs=pool).status == 0
    assert call("paths", target, "--anchor", anchor).status == 1
    assert call("paths", target, "--anchor", anchor, "--certs", pool, "--revocation", "soft").status == 0
    judging = ("--anchor", anchor, "--password-file", password_file, "--revocation", "soft")
    assert call("verify", "server.p12", *judging).status == 0
    assert call("inspect", "server.p12", "--password-file", password_file).status == 0
    assert no_network.asked == []


@pytest.mark.usefixtures("no_network")
def test_with_fetch_the_network_is_asked(build):
    """The proof above can fail: with --fetch somebody is asked."""
    outcome = build(*AT_HOME)
    assert outcome.status == 70
    assert "(AssertionError)" in outcome.errors
