"""The guides' configurations are what they say: each program starts with the block on the page, and serves the path.

Nothing but paths and ports is filled in. The commands of the page make the files that are served, and run again for a
renewal.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.sources.loading import load_certificates
from pkcs12kit.verifier.probe import probe

from ..waiting import wait_until
from .guides import GUIDES, filled_in, listing

TRUST_STORE_CLIENT = Path(__file__).with_name("TrustStoreClient.java")
SERVER_NAME = "mdm.example.mil"
pytestmark = pytest.mark.slow  # each runs a whole page, some twice; test_pages.py leaves these pages out


@pytest.fixture
def follow(run_page, tmp_path):
    """Do what a page says; gives the folder with what came of it."""

    def done(page):
        run_page(GUIDES / page)
        return tmp_path / "page"

    return done


@pytest.fixture
def serves_the_path(tmp_path):
    """Make sure that a port serves the path of the page's file, and nothing else, in TLS 1.2 and TLS 1.3.

    A client that trusts the anchor alone has to accept it. What was there before may be sent for a while yet.
    """

    def check(port):
        page = tmp_path / "page"
        path = tuple(load_certificates(page / "mdm.pem")) if (page / "mdm.pem").exists() else in_pkcs12(page)
        assert len(path) == 5  # the anchor's own is not there
        report = None

        def sends_the_path():
            nonlocal report
            report = probe(f"127.0.0.1:{port}", trust_anchors=[page / "anchor.pem"], server_name=SERVER_NAME)
            chain = report.served_chain
            if chain is None or report.served_chain_in_tls_1_2 is not None or report.other_chains:
                return False  # not the same in each handshake: an old worker may have answered one
            return chain.message.certificates == path

        assert wait_until(sends_the_path), report.answer.why
        assert {one.protocol for one in report.answer.answers} == {"TLSv1.2", "TLSv1.3"}
        assert report.ok, report.problems

    return check


def in_pkcs12(page):
    """Give the certificates of the page's PKCS#12 file."""
    password = (page / "password.txt").read_text().strip()
    return decode_pfx((page / "server.p12").read_bytes(), password=password).certificates


def read_again(pid_file, signal_number):
    """Have a server read its files again, as the reload of its service does."""
    os.kill(int(pid_file.read_text()), signal_number)


def test_apache(follow, serve, serves_the_path, tmp_path):
    """Apache httpd serves just the path from the page's two files, and after a graceful restart from renewed ones."""
    page = follow("apache.md")
    assert (page / "mdm.key").stat().st_mode & 0o777 == 0o600
    site = "Listen {address}\n" + filled_in(
        listing("apache.md", "apache"),
        {
            "*:443": "{address}",
            "/etc/ssl/certs/mdm.pem": "{pem}",
            "/etc/ssl/private/mdm.key": str(page / "mdm.key"),
        },
    )
    with serve("apache")([page / "mdm.pem"], tmp_path / "server", site=site) as (port,):
        serves_the_path(port)
        follow("apache.md")  # with another key, and another CA
        read_again(tmp_path / "server" / "apache.pid", signal.SIGUSR1)
        serves_the_path(port)


def test_nginx(follow, serve, serves_the_path, tmp_path):
    """Just the path is served by nginx from the page's one file, and after a reload from a renewed one."""
    page = follow("nginx.md")
    assert (page / "mdm.pem").stat().st_mode & 0o777 == 0o600
    site = filled_in(
        listing("nginx.md", "nginx"), {"listen 443": "listen {address}", "/etc/ssl/private/mdm.pem": "{pem}"}
    )
    with serve("nginx")([page / "mdm.pem"], tmp_path / "server", site=site) as (port,):
        serves_the_path(port)
        follow("nginx.md")
        read_again(tmp_path / "server" / "nginx.pid", signal.SIGHUP)
        serves_the_path(port)


def test_haproxy(follow, serve, serves_the_path, tmp_path):
    """HAProxy serves just the path from the page's one file."""
    page = follow("haproxy.md")
    frontend = filled_in(
        listing("haproxy.md", "text"),
        {"bind :443": "bind {address}", "/etc/haproxy/mdm.pem": str(page / "mdm.pem")},
    )
    with serve("haproxy")(frontend, tmp_path / "server") as (port,):
        serves_the_path(port)


def test_tomcat(follow, serve, serves_the_path, tmp_path):
    """Tomcat serves just the path from the PKCS#12 file itself, with its password from a file."""
    page = follow("tomcat.md")
    connector = filled_in(listing("tomcat.md", "xml"), {'port="8443"': 'port="{port}"'})
    files = [page / "server.p12", page / "password.txt"]
    with serve("tomcat")(connector, files, tmp_path / "server") as (port,):
        serves_the_path(port)


def test_java_truststores(follow, serve, require_tool, tmp_path):
    """A Java program trusts servers by the page's files: the anchor's one those that send their path, and no others.

    The other file trusts each CA of the path, so that a server's certificate alone is enough for it, as the page warns.
    """
    page = follow("java-truststores.md")
    java = require_tool("java")
    require_tool("javac")  # java runs a source file by it

    def asked(options, ports):
        done = subprocess.run(
            [java, "-XX:TieredStopAtLevel=1", *options, str(TRUST_STORE_CLIENT), *map(str, ports)],
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=60,
        )
        return done.stdout.splitlines()

    convert = "pkcs12kit convert server.p12 whole.pem --to pem --password-file password.txt"
    subprocess.run(["bash", "-c", convert], check=True, capture_output=True)
    whole, alone = page / "whole.pem", page / "alone.pem"
    alone.write_text((page / "server.key").read_text() + (page / "server.pem").read_text())
    with serve("nginx")([whole, alone], tmp_path / "server") as ports:
        for options in ("@truststore.options", "-Djavax.net.ssl.trustStore=readable.p12"):
            answers = asked([options], ports)
            assert answers[0] == "accepted"
            assert "unable to find valid certification path" in answers[1]
        options = (page / "truststore.options").read_text().replace("truststore.p12", "path-truststore.p12").split()
        assert asked(options, ports) == ["accepted", "accepted"]
        without_password = asked(["-Djavax.net.ssl.trustStore=truststore.p12"], ports)
        assert all("the trustAnchors parameter must be non-empty" in why for why in without_password)
