"""Servers of other makers with an RSA and an ECDSA certificate: ``probe`` sees both, each with the chain of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.lab import KeyType

from .servers import OpenSSLFiles

NAME = "mdm.example.mil"
SITES = {
    "nginx": """\
    server {{
        listen {address} ssl;
        ssl_certificate "{pem}";
        ssl_certificate_key "{pem}";
        ssl_certificate "{pem}.rsa";
        ssl_certificate_key "{pem}.rsa";
        location / {{ return 204; }}
    }}
""",
    "apache": """\
Listen {address}
<VirtualHost {address}>
    SSLEngine on
    SSLCertificateFile "{pem}"
    SSLCertificateFile "{pem}.rsa"
</VirtualHost>
""",
}


@pytest.fixture(scope="module")
def root():
    """The trust anchor."""
    return lab.Authority.create("Root")


def write(identity, path):
    """Write key and chain of an identity as one PEM file, and as OpenSSL's s_server takes them."""
    key = identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    own, *others = [one.to_pem() for one in identity.chain]
    path.write_text(key + own + "".join(others))
    files = OpenSSLFiles(*(path.with_name(f"{path.name}.{part}") for part in ("key", "own", "chain")))
    for file, text in zip(files[:3], (key, own, "".join(others)), strict=True):
        file.write_text(text)
    return files


class Identity:
    """A server's certificate from a CA of its own."""

    def __init__(self, root, key_type, **validity):
        authority = lab.Authority.create(f"CA of {key_type.value}")
        made = authority.issue_server(NAME, key_type=key_type, **validity)
        self.private_key, self.certificate = made.private_key, made.certificate
        self.chain = (made.certificate, root.issue_ca(authority))


@pytest.mark.parametrize("server", ["openssl", "nginx", "apache"])
@pytest.mark.parametrize("expired", [False, True], ids=["sound", "expired"])
def test_probe_judges_both(serve, root, tmp_path, server, expired):
    """The ECDSA certificate is the one that today's clients get; the other one is judged all the same."""
    now = datetime.now(UTC)
    past = {"validity": lab.Validity(now - timedelta(days=90), now - timedelta(days=1))} if expired else {}
    of_ec, of_rsa = Identity(root, KeyType.EC_P256), Identity(root, KeyType.RSA_2048, **past)
    pem = tmp_path / "server.pem"
    first, second = write(of_ec, pem), write(of_rsa, pem.with_name("server.pem.rsa"))
    if server == "openssl":
        running = serve(server)([first._replace(second=second)])
    else:
        running = serve(server)([pem], tmp_path / "run", site=SITES[server])
    with running as (port,):
        report = pk.probe(f"127.0.0.1:{port}", server_name=NAME, trust_anchors=[root.certificate.der])
    sent = {one.report.message.certificates: str(one) for one in report.chains}
    assert sent == {of_ec.chain: "EC P-256 in TLSv1.3 and TLSv1.2", of_rsa.chain: "RSA in TLSv1.3 and TLSv1.2"}
    assert report.ok is not expired
    assert set(report.failed) == ({"key-types", "path", "expiry"} if expired else set())
