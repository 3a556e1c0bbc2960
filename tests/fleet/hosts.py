"""The keys and certificates of many hosts under one small PKI, and a manifest for all of them."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk

PASSWORD = "correct horse 42"
MANIFEST = """\
version = 1

[defaults]
trust_anchors = "root.pem"
certificates = "cas"
password = {{ file = "password.txt" }}
profile = "{profile}"
{defaults}

[[bundle]]
each = "hosts/*.pem"
name = "{{name}}"
key = "hosts/{{name}}.key"
certificate = "hosts/{{name}}.pem"
output = "out/{{name}}.p12"
{options}
"""


class Hosts:
    """A folder with ``count`` hosts, those of ``bad`` with certificates of a CA that no one knows."""

    def __init__(self, folder, count, *, bad=()):
        self.folder = folder
        self.path = folder / "fleet.toml"
        root, middle, issuer, unknown = map(pk.lab.Authority.create, ("Root", "Middle CA", "Issuing CA", "Unknown CA"))
        self._issuers = {False: issuer, True: unknown}
        for name in ("cas", "hosts", "out"):
            (folder / name).mkdir()
        (folder / "root.pem").write_text(root.certificate.to_pem(), "ascii")
        (folder / "cas" / "middle.pem").write_text(root.issue_ca(middle).to_pem(), "ascii")
        (folder / "cas" / "issuing.pem").write_text(middle.issue_ca(issuer).to_pem(), "ascii")
        (folder / "password.txt").write_text(f"{PASSWORD}\n", "ascii")
        (folder / "password.txt").chmod(0o600)
        self.names = [f"host{number:03}" for number in range(count)]
        for number, name in enumerate(self.names):
            self.issue(name, bad=number in bad)
        self.write_manifest()

    def issue(self, name, *, bad=False):
        """Write a new key and certificate for a host."""
        server = self._issuers[bad].issue_server(f"{name}.example")
        key = server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "hosts" / f"{name}.key").write_bytes(key)
        (self.folder / "hosts" / f"{name}.pem").write_text(server.certificate.to_pem(), "ascii")

    def write_manifest(self, *, profile="modern-2023", defaults="", options=""):
        """Write the manifest with further lines."""
        self.path.write_text(MANIFEST.format(profile=profile, defaults=defaults, options=options), "utf-8")

    def contents(self):
        """Return the certificates in each file that is there, by the host's name; each has to open."""
        return {
            file.stem: [one.sha256 for one in pk.decode_pfx(file.read_bytes(), password=PASSWORD).certificates]
            for file in sorted((self.folder / "out").glob("*.p12"))
        }

    def is_right(self, name):
        """Return True if the file of a host has the key, and the certificate that the host has now."""
        decoded = pk.decode_pfx((self.folder / "out" / f"{name}.p12").read_bytes(), password=PASSWORD)
        served = pk.load_certificate(self.folder / "hosts" / f"{name}.pem")
        return decoded.certificates[0] == served and decoded.private_key.public_key() == served.public_key
