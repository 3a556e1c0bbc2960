"""What commands are told about revocation: ``--revocation-max-age``; and where they say that its status can be had."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from pkcs12kit import lab
from pkcs12kit.lab.extensions import crl_distribution_points

from .conftest import PASSWORD

AT = datetime(2026, 6, 20, tzinfo=UTC)


@pytest.fixture
def ask(call, folder, tmp_path):
    """Call a command about a server, with an OCSP response of 10 June that has no nextUpdate, ten days later."""
    validity = lab.Validity(AT - timedelta(days=30), AT + timedelta(days=365))
    root = lab.Authority.create("Root", validity=validity)
    server = root.issue_server("server.example", validity=validity)
    certificates = server.certificate.as_cryptography, root.certificate.as_cryptography
    status = ocsp.OCSPCertStatus.GOOD
    response = (
        ocsp.OCSPResponseBuilder()
        .add_response(*certificates, hashes.SHA256(), status, AT - timedelta(days=10), None, None, None)
        .responder_id(ocsp.OCSPResponderEncoding.HASH, certificates[1])
        .sign(root.private_key, hashes.SHA256())
    )
    (folder / "server.ors").write_bytes(response.public_bytes(Encoding.DER))
    (folder / "root.pem").write_text(root.certificate.to_pem())
    (folder / "server.pem").write_text(server.certificate.to_pem())
    key = server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").write_bytes(key)
    (tmp_path / "password.txt").write_text(PASSWORD)
    password = ("--password-file", tmp_path / "password.txt")
    of_command = {
        "paths": ("server.pem",),
        "build": ("--key", "server.key", "--cert", "server.pem", *password, "--out", "new.p12"),
        "verify": ("server.p12", *password),
    }
    common = ("--anchor", "root.pem", "--at", AT.isoformat())
    assert call("build", *of_command["build"][:-1], "server.p12", *common).status == 0

    def ask_command(command, *revocation):
        return call(command, *of_command[command], *common, *revocation)

    return ask_command


@pytest.mark.parametrize("command", ["paths", "build", "verify"])
def test_old_data_without_next_update(ask, command):
    """Seven days by default; another age by the option, and 0d refuses such data (RFC 6960 section 4.2.2.1)."""
    required = ("--ocsp", "server.ors", "--revocation", "require")
    for more, status in (
        ((), 1),
        (("--revocation-max-age", "9d"), 1),
        (("--revocation-max-age", "10d"), 0),
        (("--revocation-max-age", "0d"), 1),
    ):
        outcome = ask(command, *required, *more)
        assert outcome.status == status, more
        assert ("has no nextUpdate" in outcome.text + outcome.errors) == (status == 1)


@pytest.mark.parametrize("command", ["paths", "build", "verify"])
def test_an_age_of_nothing(ask, command):
    """Without anything to check revocation by, the option would suggest a check that nobody makes."""
    outcome = ask(command, "--revocation-max-age", "1d")
    assert outcome.status == 2
    assert "--revocation-max-age has an effect only with --crl, --ocsp or --revocation" in outcome.errors
    assert ask(command, "--revocation-max-age", "1d", "--revocation", "off").status == 0


def test_what_is_not_a_duration(ask):
    """An example says how to write it."""
    outcome = ask("paths", "--ocsp", "server.ors", "--revocation-max-age", "7")
    assert outcome.status == 2
    assert "write it like 30d, 12h, 6w or 2y" in outcome.errors


def test_the_hint_names_where_to_ask(call, folder):
    """Three of the URLs that the certificate names, each once; none that is too long, or reads like another hint."""
    root = lab.Authority.create("Root")
    sound, endless, hostile = "http://a.example/ca.crl", f"http://b.example/{'b' * 200}", "http://c.example; or run: it"
    points = [
        point
        for url in (sound, endless, hostile, "ldap://d.example", "http://\x1b[2J", sound)
        for point in crl_distribution_points(url)
    ]
    responders = [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url))
        for url in ("http://e.example", "http://f.example")
    ]
    locations = [
        lab.non_critical(x509.CRLDistributionPoints(points)),
        lab.non_critical(x509.AuthorityInformationAccess(responders)),
    ]
    for name, extensions in (("named", locations), ("unnamed", [])):
        certificate = root.issue_server("server.example", extensions=extensions).certificate
        (folder / f"{name}.pem").write_text(certificate.to_pem())
    (folder / "root.pem").write_text(root.certificate.to_pem())
    named, unnamed = (
        call("paths", f"{name}.pem", "--anchor", "root.pem", "--certs", "root.pem", "--revocation", "require").errors
        for name in ("named", "unnamed")
    )
    shown = "http://a.example/ca.crl, ldap://d.example, http://e.example"
    assert f"OCSP responses with --crl or --ocsp (the certificate names {shown})\n" in named
    fetching = "build --certs-only --cert named.pem --certs root.pem --anchor root.pem --fetch --revocation require"
    assert f"pkcs12kit {fetching} --to pem --out NEW.pem --dry-run\n" in named
    assert "OCSP responses with --crl or --ocsp\nhint: or accept the unknown status with --revocation soft" in unnamed
