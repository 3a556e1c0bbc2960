"""Try fleet.toml: make a small PKI with five servers in a new folder, and run pkcs12kit batch there.

python try_it.py FOLDER [OPTION OF batch...]
"""

import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit import Certificate, lab

HERE = Path(__file__).parent
HOSTS = ("hosts/web-1", "hosts/web-2", "hosts/web-3", "hosts/web-4", "mail")


def main() -> None:
    """Make the files, then show a plan, a run, a run with nothing to do, and a run after a certificate was renewed."""
    try:
        name, *options = sys.argv[1:]
        folder = Path(name)
        folder.mkdir()
    except ValueError:
        sys.exit(__doc__)
    except OSError as error:
        sys.exit(f"a new folder is needed: {error}")
    shutil.copy(HERE / "fleet.toml", folder)
    root, issuer = lab.Authority.create("Example Root CA"), lab.Authority.create("Example Issuing CA")
    make_authorities(folder, root, issuer)
    for host in HOSTS:
        make_server(folder, host, issuer)
    (folder / "out").mkdir()

    batch(folder, "--plan", *options)
    batch(folder, *options)
    batch(folder, *options)  # nothing has changed: no file is opened
    make_server(folder, "hosts/web-3", issuer)
    batch(folder, *options)
    reloads = (folder / "reloads.txt").read_text().splitlines()
    print(f"\nThe command after a change ran {len(reloads)} times: once for each run that wrote files.")


def make_authorities(folder: Path, root: lab.Authority, issuer: lab.Authority) -> None:
    """Write the trust anchor, and the certificate of the issuing CA."""
    (folder / "ca").mkdir()
    write_certificate(folder / "root.pem", root.certificate)
    write_certificate(folder / "ca" / "issuing-ca.pem", root.issue_ca(issuer))


def make_server(folder: Path, host: str, issuer: lab.Authority) -> None:
    """Write a new key, its certificate, and at the first time a password."""
    name = Path(host).name
    server = issuer.issue_server(f"{name}.example.mil")
    for made in (folder / host, folder / "passwords"):
        made.mkdir(parents=True, exist_ok=True)
    key = server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_secret(folder / host / "server.key", key)
    write_certificate(folder / host / "server.pem", server.certificate)
    password = folder / "passwords" / f"{name}.txt"
    if not password.exists():
        write_secret(password, secrets.token_urlsafe().encode())


def write_secret(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read."""
    path.touch(mode=0o600)
    path.write_bytes(data)


def write_certificate(path: Path, certificate: Certificate) -> None:
    """Write a certificate in PEM."""
    path.write_text(certificate.to_pem())


def batch(folder: Path, *options: str) -> None:
    """Run the command, and show it with what it prints."""
    print(f"\n$ pkcs12kit batch fleet.toml {' '.join(options)}".rstrip(), flush=True)
    command = [sys.executable, "-m", "pkcs12kit", "batch", "fleet.toml", *options]
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603  # the words above


if __name__ == "__main__":
    main()
