"""The time that a revocation check takes, beside certvalidator's check of the same CRLs, in one run.

python benchmarks/revocation.py [--check]

Two jobs: a path of four certificates with a CRL of 10 KB for each, as the reference path has, and a server's
certificate with a CRL of 5 MB. The columns take turns; each figure is the fastest run, with nothing remembered.
Wanted: no slower than certvalidator with the small CRLs, and at most a fifth of its time with the large one. With
``--check`` the exit status is 1 where one of them is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from asn1crypto import crl as asn1_crl
from asn1crypto import parser, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.validate import async_validate_path

from pkcs12kit import lab
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.paths.revocation import Revocation, RevocationMode, RevocationStatus, check_revocation
from pkcs12kit.paths.signatures import REMEMBERED

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime.now(UTC).replace(microsecond=0)
SMALL_ENTRIES = 400
LARGE_ENTRIES = 200_000


class Job(NamedTuple):
    """A path, its CRLs, and the most that the check may take, as a part of certvalidator's time."""

    name: str
    path: CertificationPath
    crls: tuple[bytes, ...]
    wanted: float
    rounds: int


def main() -> int:
    """Measure both jobs and print one line each."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true", help="exit with 1 where a figure misses what is wanted")
    check = arguments.parse_args().check
    missed = False
    for job in jobs():
        ours, theirs = measure(job)
        ratio = ours / theirs
        missed |= ratio > job.wanted
        size = sum(map(len, job.crls))
        print(
            f"{job.name:24}{size / 1000:8,.0f} KB   pkcs12kit {ours * 1000:8.1f} ms   certvalidator"
            f" {theirs * 1000:8.1f} ms   ratio {ratio:.3f}, wanted at most {job.wanted}"
        )
    return int(check and missed)


def jobs() -> tuple[Job, ...]:
    """Make the two paths and their CRLs."""
    names = ["Root", "First", "Second", "Issuing"]
    authorities = [lab.Authority.create(name) for name in names]
    root, issuing = authorities[0], authorities[-1]
    server = issuing.issue_server("server.example").certificate
    above = [issuer.issue_ca(subject) for issuer, subject in pairwise(authorities)]
    anchor = TrustAnchor.from_certificate(root.certificate)
    path = CertificationPath(certificates=(server, *reversed(above)), trust_anchor=anchor)
    small = tuple(make_crl(authority, SMALL_ENTRIES) for authority in authorities)
    of_root = root.issue_server("server.example").certificate
    short = CertificationPath(certificates=(of_root,), trust_anchor=anchor)
    return (
        Job("four certificates", path, small, wanted=1.0, rounds=20),
        Job("200,000 entries", short, (make_crl(root, LARGE_ENTRIES),), wanted=0.2, rounds=3),
    )


def make_crl(authority: lab.Authority, entries: int) -> bytes:
    """Sign a CRL that lists so many serial numbers of 64 bits, none of which is in use."""
    revoked_at = x509.Time({"utc_time": NOW - timedelta(days=1)}).dump()
    listed = b"".join(
        parser.emit(0, 1, 16, parser.emit(0, 0, 2, ((1 << 62) + number).to_bytes(8, "big")) + revoked_at)
        for number in range(entries)
    )
    algorithm = {"algorithm": "sha256_ecdsa"}
    content = asn1_crl.TbsCertList(
        {
            "version": "v2",
            "signature": algorithm,
            "issuer": x509.Certificate.load(authority.certificate.der).subject,
            "this_update": x509.Time({"utc_time": NOW - timedelta(days=1)}),
            "next_update": x509.Time({"utc_time": NOW + timedelta(days=6)}),
            "revoked_certificates": asn1_crl.RevokedCertificates.load(parser.emit(0, 1, 16, listed)),
            "crl_extensions": [{"extn_id": "crl_number", "critical": False, "extn_value": 1}],
        }
    )
    key = authority.private_key
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authorities of the lab have EC keys unless told otherwise")
    signature = key.sign(content.dump(), ec.ECDSA(hashes.SHA256()))
    certificate_list = {"tbs_cert_list": content, "signature_algorithm": algorithm, "signature": signature}
    encoded: bytes = asn1_crl.CertificateList(certificate_list).dump()
    return encoded


def measure(job: Job) -> tuple[float, float]:
    """Time both in turn; seconds of processor time."""
    loop = asyncio.new_event_loop()
    columns = (lambda: ours(job), lambda: certvalidators(job, loop))
    fastest = [float("inf"), float("inf")]
    for _ in range(job.rounds):
        for column, run in enumerate(columns):
            fastest[column] = min(fastest[column], seconds(run))
    loop.close()
    return fastest[0], fastest[1]


def seconds(run: Callable[[], object]) -> float:
    """Run once and return the seconds of processor time."""
    start = time.process_time()
    run()
    return time.process_time() - start


def ours(job: Job) -> None:
    """Check by pkcs12kit."""
    REMEMBERED.forget()
    revocation = Revocation(mode=RevocationMode.REQUIRE, crls=job.crls)
    report = check_revocation(job.path, time=NOW, revocation=revocation)
    if any(status.status is not RevocationStatus.GOOD for status in report.statuses):
        raise RuntimeError("a certificate that no CRL lists is not good")


def certvalidators(job: Job, loop: asyncio.AbstractEventLoop) -> None:
    """Validate the path with the same CRLs by certvalidator; the signatures of certificates take it under 2 ms."""
    target, *issuers = (x509.Certificate.load(certificate.der) for certificate in job.path.certificates)
    anchor_certificate = job.path.trust_anchor.certificate
    if anchor_certificate is None:
        raise TypeError("the trust anchor has a certificate")
    anchor = CertTrustAnchor(x509.Certificate.load(anchor_certificate.der))
    context = ValidationContext(
        trust_roots=[anchor],
        other_certs=issuers,
        moment=NOW,
        allow_fetching=False,
        crls=list(job.crls),
        revocation_mode="require",
    )
    chain = ValidationPath(anchor, interm=issuers[::-1], leaf=target)
    loop.run_until_complete(async_validate_path(context, chain))


if __name__ == "__main__":
    sys.exit(main())
