"""The guides' configurations are what they say: each program starts with the block on the page, and serves the path.

Nothing but paths and ports is filled in. The commands of the page make the files that are served.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.verifier.probe import probe

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
SERVER_NAME = "mdm.example.mil"


def listing(page, language):
    """Take the only block of a language from a page."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", (GUIDES / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return block


def filled_in(text, replacements):
    """Turn a block into a template: what is to be filled in has to be there, and braces stay what they are."""
    text = text.replace("{", "{{").replace("}", "}}")
    for old, new in replacements.items():
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture
def follow(run_page, tmp_path):
    """Do what a page says; gives the folder with what came of it."""

    def done(page):
        run_page(GUIDES / page)
        return tmp_path / "page"

    return done


@pytest.fixture
def sent(tmp_path):
    """Probe a port as a client that trusts the anchor alone, which has to accept; gives what is sent, target first."""

    def ask(port):
        anchor = tmp_path / "page" / "anchor.pem"
        report = probe(f"127.0.0.1:{port}", trust_anchors=[anchor], server_name=SERVER_NAME)
        assert report.ok, report.problems
        assert report.sent_in_tls_1_2 is None  # the same as in TLS 1.3
        return report.sent.message.certificates

    return ask


def path_of(pfx):
    """Read the path out of a PKCS#12 file that a page made; the anchor's own certificate is not in it."""
    decoded = decode_pfx(pfx.read_bytes(), password=(pfx.parent / "password.txt").read_text().strip())
    assert len(decoded.certificates) == 5
    return decoded.certificates


def test_apache(follow, serve, sent, tmp_path):
    """Apache httpd serves just the path from the page's two files."""
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
        assert sent(port) == path_of(page / "server.p12")


def test_nginx(follow, serve, sent, tmp_path):
    """Just the path is served by nginx, from the page's one file."""
    page = follow("nginx.md")
    assert (page / "mdm.pem").stat().st_mode & 0o777 == 0o600
    site = filled_in(
        listing("nginx.md", "nginx"), {"listen 443": "listen {address}", "/etc/ssl/private/mdm.pem": "{pem}"}
    )
    with serve("nginx")([page / "mdm.pem"], tmp_path / "server", site=site) as (port,):
        assert sent(port) == path_of(page / "server.p12")


def test_tomcat(follow, serve, sent, tmp_path):
    """Tomcat serves just the path from the PKCS#12 file itself, with its password from a file."""
    page = follow("tomcat.md")
    connector = filled_in(listing("tomcat.md", "xml"), {'port="8443"': 'port="{port}"'})
    files = [page / "server.p12", page / "password.txt"]
    with serve("tomcat")(connector, files, tmp_path / "server") as (port,):
        assert sent(port) == path_of(page / "server.p12")
