"""Apache httpd, nginx, Tomcat and curl of the other release of Debian, with the configurations on the guides' pages.

tests/docs/test_guides_servers.py does the same with those of this release, and with every command of the pages.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from pkcs12kit.lab import Authority, make_replica, write
from pkcs12kit.sources.loading import load_certificates

from ..docs.guides import filled_in, listing
from . import servers

PASSWORD = "correct horse 42"
SERVER_NAME = "mdm.example.mil"
NOT_VERIFIED = 60  # curl's exit status
MODULES = Path("/usr/lib/apache2/modules")  # as Apache finds it, in the root folder
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(other):
    """What the commands of the guides write, in a folder of the other release."""
    folder = other.folder / "servers"
    lab = write(make_replica(server_name=SERVER_NAME), folder)
    (folder / "password.txt").write_text(PASSWORD)
    for options in (
        ("--to", "pem", "--out", "apache.pem", "--key-out", "apache.key"),
        ("--to", "pem", "--out", "nginx.pem"),
        ("--no-anchor", "--for", "java-17", "--password-file", "password.txt", "--out", "server.p12"),
    ):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pkcs12kit", "build", "--key", lab.key, "--cert", lab.certificate),
                *("--certs", lab.certificates, "--anchor", lab.trust_anchor, "--server-name", SERVER_NAME, *options),
            ],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert lab.trust_anchor == folder / "anchor.pem"
    stranger = Authority.create("Federal Common Policy CA G2").certificate
    (folder / "stranger.pem").write_text(stranger.to_pem())
    return folder


@pytest.fixture(params=["apache", "nginx", "tomcat"])
def port(request, cannot_run, other, built):
    """The loopback port of a server of the other release that has what was built."""
    name = request.param
    program = other.program({"apache": "apache2"}.get(name, name))
    if program is None:
        cannot_run(f"needs {name} in {other.root} (.ci/other-debian puts it there)")
    run = built / f"{name}.run"
    if name == "apache":
        site = "Listen {address}\n" + filled_in(
            listing("apache.md", "apache"),
            {
                "*:443": "{address}",
                "/etc/ssl/certs/mdm.pem": "{pem}",
                "/etc/ssl/private/mdm.key": str(built / "apache.key"),
            },
        )
        server = servers.apache(program, MODULES, [built / "apache.pem"], run, site=site)
    elif name == "nginx":
        replacements = {"listen 443": "listen {address}", "/etc/ssl/private/mdm.pem": "{pem}"}
        site = filled_in(listing("nginx.md", "nginx"), replacements)
        server = servers.nginx(program, [built / "nginx.pem"], run, site=site)
    else:
        connector = filled_in(listing("tomcat.md", "xml"), {'port="8443"': 'port="{port}"'})
        server = servers.tomcat(program, connector, [built / "server.p12", built / "password.txt"], run)
    with server as (number,):
        yield number


def ask(curl, port, anchor, *options):
    """Ask for a page; gives curl's exit status. Whether there is such a page does not matter."""
    return subprocess.run(
        [
            *(curl, "--silent", "--output", os.devnull, "--noproxy", "*", "--cacert", anchor, *options),
            *("--resolve", f"{SERVER_NAME}:{port}:127.0.0.1", f"https://{SERVER_NAME}:{port}/"),
        ],
        check=False,
        timeout=60,
    ).returncode


def test_clients_of_both_releases_accept_servers_of_the_other(other, built, port, require_tool):
    """Curl and OpenSSL, which trust only the anchor, get the whole path in order (RFC 8446 section 4.4.2)."""
    expected = [it.der for it in load_certificates(built / "nginx.pem")]
    assert len(expected) == 5
    anchor = built / "anchor.pem"
    for openssl in (require_tool("openssl"), other.program("openssl")):
        assert [it.public_bytes(Encoding.DER) for it in servers.sent_to(openssl, port, anchor, SERVER_NAME)] == expected
    for curl in (require_tool("curl"), other.program("curl")):
        for version in (("--tls-max", "1.2"), ("--tlsv1.3",)):
            assert ask(curl, port, anchor, *version) == 0
        assert ask(curl, port, built / "stranger.pem") == NOT_VERIFIED
