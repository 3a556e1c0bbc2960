"""The jobs that pkcs12kit and other makers' programs are compared by: PKIs in small, and the real reference jobs."""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final

from asn1crypto import core, x509
from cryptography import x509 as pyca
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7

from pkcs12kit import Certificate, load_certificate, load_certificates
from pkcs12kit.lab import Authority, Edge, KeyType, Topology, Validity, make_replica
from pkcs12kit.lab import extensions as ext
from pkcs12kit.lab.authority import CrlEntry

from ..retrieval.conftest import Server
from ..retrieval.encodings import ber

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pkcs12kit import Identity

SERVER: Final = "www.example.mil"
POLICY: Final = "2.16.840.1.101.3.2.1.48.1"  # NIST's test policies, which PKITS uses
OTHER_POLICY: Final = "2.16.840.1.101.3.2.1.48.2"


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is asked: whether there is a path from this certificate to this anchor, and which.

    ``right`` are the right answers, each target first, without the anchor; none where there is no path. ``heap`` is
    the file or folder of CA certificates as it is handed over. ``identity`` is missing where the key is not ours.
    With ``fetch``, a certificate that is wanted is not in the heap.
    """

    target: Certificate
    pool: tuple[Certificate, ...]
    anchor: Certificate
    right: tuple[tuple[Certificate, ...], ...] = ()
    identity: Identity | None = None
    at: datetime | None = None
    policy: str | None = None
    crls: tuple[bytes, ...] = ()
    fetch: bool = False
    heap: Path = field(repr=False)

    @property
    def is_plain(self) -> bool:
        """Whether it asks for nothing but a path that is valid now, and the key is there."""
        return self.identity is not None and self.at is None and self.policy is None and not self.crls

    def answers(self, path: Iterable[Certificate]) -> bool:
        """Tell whether a path, with its anchor or without, is a right one."""
        found = tuple(certificate.der for certificate in path if certificate.der != self.anchor.der)
        return found in {tuple(certificate.der for certificate in one) for one in self.right}


def pem(certificates: Iterable[Certificate]) -> str:
    """Write certificates one after the other."""
    return "".join(certificate.to_pem() for certificate in certificates)


class Jobs:
    """Makes each job as files in a folder."""

    def __init__(self, folder: Path, fpki: Callable[[], Path]) -> None:
        self._folder, self._fpki = folder, fpki

    def _make(self, name: str, **more: object) -> Job:
        folder = Path(mkdtemp(prefix=f"{name}-", dir=self._folder))
        heap = folder / "heap.pem"
        heap.write_text(pem(more["pool"]), "ascii")
        return Job(heap=heap, **more)

    def both_orders(self, name: str, **more: object) -> tuple[Job, Job]:
        """Make a job twice: with what is wanted first in the heap, and with it last."""
        wanted = {certificate for path in more["right"] for certificate in path}
        # By serial number, which keys made anew do not change: some programs take what comes first.
        pool = sorted(more.pop("pool"), key=lambda certificate: (certificate not in wanted, certificate.serial_number))
        return (
            self._make(f"{name}-wanted-first", pool=tuple(pool), **more),
            self._make(f"{name}-wanted-last", pool=tuple(reversed(pool)), **more),
        )

    def of_edges(self, name: str, right: str, *edges: str | Edge, **more: object) -> tuple[Job, Job]:
        """Make a job of a topology; of parallel certificates, the first edge's is the wanted one."""
        topology = Topology.from_edges(*edges)
        labels = right.split("<")
        wanted = tuple(topology.certificate(*pair) for pair in pairwise(labels))
        return self.both_orders(
            name,
            target=wanted[0],
            identity=topology.servers[labels[0]],
            pool=tuple(topology.pool),
            anchor=topology.authorities["TA"].certificate,
            right=(wanted,),
            **more,
        )

    # ------------------------------------------------------------------------------------------- which path

    def replica(self) -> tuple[Job, ...]:
        """The replica of the Federal PKI, with its loops, traps and expired certificates; a wanted path first."""
        replica = make_replica(key_type=KeyType.EC_P256)
        return self.both_orders(
            "replica",
            target=replica.server.certificate,
            identity=replica.server,
            pool=tuple(replica.pool),
            anchor=replica.trust_anchor,
            right=tuple(path.certificates for path in replica.valid_paths),
        )

    def real_2018(self) -> tuple[Job, ...]:
        """The real certificates of 2018."""
        return self._real("2018")

    def real_2024(self) -> tuple[Job, ...]:
        """The real certificates of 2024."""
        return self._real("2024")

    def _real(self, name: str) -> tuple[Job, ...]:
        """Real certificates, as they are published and in reverse, with those that are self-signed and without."""
        fpki = self._fpki()
        target, pool, anchor, at, paths = _REAL[name]
        certificates = tuple(load_certificates(*(fpki / file for file in pool)))
        leaf = load_certificate(fpki / target)
        more = {
            "target": leaf,
            "anchor": load_certificate(fpki / anchor),
            "at": at,
            "right": tuple((leaf, *(_by_serial(certificates, digits) for digits in path)) for path in paths),
        }
        cross = tuple(it for it in certificates if it.subject != it.issuer)
        pools = {"published": certificates, "cross": cross, "reversed": certificates[::-1], "cross-back": cross[::-1]}
        return tuple(self._make(f"{name}-{which}", pool=pool, **more) for which, pool in pools.items())

    def loops(self) -> tuple[Job, ...]:
        """Cross-certificates both ways."""
        return self.of_edges("loops", f"{SERVER}<A<B<TA", f"{SERVER}<A<B<TA", "TA<B", "B<A")

    def expired(self) -> tuple[Job, ...]:
        """A parallel certificate that is expired."""
        span = Validity.around(days_before=800, days_after=-400)
        return self.of_edges(
            "expired", f"{SERVER}<A<B<TA", f"{SERVER}<A<B<TA", Edge(subject="A", issuer="B", validity=span)
        )

    def decoy(self) -> tuple[Job, ...]:
        """A self-signed certificate of a CA that is cross-certified, as DoD Root CA 3 is."""
        return self.of_edges("decoy", f"{SERVER}<A<B<TA", f"{SERVER}<A<B<TA", "B<B")

    def dead_end(self) -> tuple[Job, ...]:
        """A second issuer, above whom nothing is there."""
        return self.of_edges("dead-end", f"{SERVER}<A<B<TA", f"{SERVER}<A<B<TA", "A<Z")

    def around_name_constraints(self) -> tuple[Job, ...]:
        """Two issuers; below one of them the name is excluded."""
        return self.of_edges(
            "around-names", f"{SERVER}<A<B<TA", f"{SERVER}<A<B<TA", "C<TA", Edge(subject="A", issuer="C", **_EXCLUDED)
        )

    def against_name_constraints(self) -> tuple[Job, ...]:
        """One issuer, below whom the name is excluded."""
        allowed, _ = self.of_edges("names-allowed", f"{SERVER}<A<TA", f"{SERVER}<A<TA")
        first, _ = self.of_edges(
            "names-excluded", f"{SERVER}<A<TA", f"{SERVER}<A", Edge(subject="A", issuer="TA", **_EXCLUDED)
        )
        return allowed, replace(first, right=())

    def around_policies(self) -> tuple[Job, ...]:
        """Two issuers; only the path through one of them has the policy that is asked for."""
        good = (ext.non_critical(ext.certificate_policies(POLICY)),)
        bad = (ext.non_critical(ext.certificate_policies(OTHER_POLICY)),)
        return self.of_edges(
            "around-policies",
            f"{SERVER}<A<B<TA",
            Edge(subject=SERVER, issuer="A", extensions=good),
            Edge(subject="A", issuer="B", extensions=good),
            Edge(subject="B", issuer="TA", extensions=good),
            Edge(subject="A", issuer="C", extensions=bad),
            Edge(subject="C", issuer="TA", extensions=bad),
            policy=POLICY,
        )

    def against_policies(self) -> tuple[Job, ...]:
        """The policy that is asked for, and another."""
        good = (ext.non_critical(ext.certificate_policies(POLICY)),)
        edges = [Edge(subject=SERVER, issuer="A", extensions=good), Edge(subject="A", issuer="TA", extensions=good)]
        job, _ = self.of_edges("policies", f"{SERVER}<A<TA", *edges, policy=POLICY)
        return job, replace(job, policy=OTHER_POLICY, right=())

    def earlier(self) -> tuple[Job, ...]:
        """A path that was valid two years ago, asked for as of then."""
        return (self._earlier("earlier"),)

    def earlier_now(self) -> tuple[Job, ...]:
        """The same, asked for as of now."""
        return (replace(self._earlier("earlier-now"), at=None, right=()),)

    def _earlier(self, name: str) -> Job:
        then = datetime.now(UTC) - timedelta(days=730)
        span = Validity.around(then, days_before=100, days_after=100)
        edges = [
            Edge(subject=subject, issuer=issuer, validity=span) for subject, issuer in ((SERVER, "A"), ("A", "TA"))
        ]
        topology = Topology.from_edges(*edges, validity=Validity.around(then, days_before=300, days_after=3000))
        return self._make(
            name,
            target=topology.servers[SERVER].certificate,
            identity=topology.servers[SERVER],
            pool=tuple(topology.pool),
            anchor=topology.authorities["TA"].certificate,
            at=then,
            right=(tuple(topology.certificates),),
        )

    def revoked(self) -> tuple[Job, ...]:
        """CRLs on which nothing is, and on which the certificate of the issuing CA is."""
        topology = Topology.from_edges(f"{SERVER}<A<TA")
        authorities, issuing = topology.authorities, topology.certificate("A", "TA")
        revoked = CrlEntry(serial_number=issuing.serial_number, date=datetime.now(UTC) - timedelta(hours=2))
        more = {
            "target": topology.servers[SERVER].certificate,
            "identity": topology.servers[SERVER],
            "pool": tuple(topology.pool),
            "anchor": authorities["TA"].certificate,
        }
        of_a = authorities["A"].make_crl()
        clean, bad = (authorities["TA"].make_crl(revoked=listed) for listed in ((), (revoked,)))
        return (
            self._make("not-revoked", crls=(of_a, clean), right=(tuple(topology.certificates),), **more),
            self._make("revoked", crls=(of_a, bad), **more),
        )

    # ------------------------------------------------------------------------------------------- why not

    def says_expired(self) -> tuple[Job, ...]:
        """The one cross-certificate is expired."""
        span = Validity.around(days_before=800, days_after=-400)
        job, _ = self.of_edges(
            "says-expired",
            f"{SERVER}<Issuing<Bridge<TA",
            f"{SERVER}<Issuing",
            Edge(subject="Issuing", issuer="Bridge", validity=span),
            "Bridge<TA",
        )
        return (replace(job, right=()),)

    def says_missing(self) -> tuple[Job, ...]:
        """The certificate of the bridge is missing."""
        job, _ = self.of_edges("says-missing", f"{SERVER}<Issuing<Bridge<TA", f"{SERVER}<Issuing<Bridge<TA")
        pool = tuple(it for it in job.pool if "Bridge" not in str(it.subject))
        job.heap.write_text(pem(pool), "ascii")
        return (replace(job, pool=pool, right=()),)

    @contextmanager
    def published(self) -> Iterator[Job]:
        """The certificate of the issuing CA is not in the heap, but where the server's certificate says."""
        with Server() as server:
            locations = ext.non_critical(ext.authority_information_access(server.url("/a.cer")))
            edge = Edge(subject=SERVER, issuer="A", extensions=(locations,))
            job, _ = self.of_edges("published", f"{SERVER}<A<B<TA", edge, "A<B<TA")
            server.answer("/a.cer", job.right[0][1].der, headers={"Content-Type": "application/pkix-cert"})
            pool = tuple(it for it in job.pool if it != job.right[0][1])
            job.heap.write_text(pem(pool), "ascii")
            yield replace(job, pool=pool, fetch=True)

    # ------------------------------------------------------------------------------------------- what comes in

    def chain(self, name: str = "chain") -> tuple[Job, ...]:
        """A chain with nothing beside it: what everyone can find."""
        return self.of_edges(name, f"{SERVER}<A<B<TA", f"{SERVER}<A<B<TA")[:1]

    def folders(self) -> tuple[Job, ...]:
        """A folder of files, PEM and DER."""
        return self._as(self._folder_of_pem), self._as(self._folder_of_der)

    def zipped(self) -> tuple[Job, ...]:
        """A zip of DER files."""
        return (self._as(self._zipped),)

    def pkcs7(self) -> tuple[Job, ...]:
        """PKCS#7, PEM and DER."""
        return self._as(self._pkcs7_pem), self._as(self._pkcs7_der)

    def pkcs7_ber(self) -> tuple[Job, ...]:
        """PKCS#7 of indefinite lengths."""
        return (self._as(self._pkcs7_ber),)

    def _as(self, form: Callable[[Job], Path]) -> Job:
        job = self.chain(form.__name__)[0]
        return replace(job, heap=form(job))

    def _folder_of_pem(self, job: Job) -> Path:
        return self._one_by_one(job, ".pem", lambda certificate: certificate.to_pem().encode())

    def _folder_of_der(self, job: Job) -> Path:
        return self._one_by_one(job, ".crt", lambda certificate: certificate.der)

    def _one_by_one(self, job: Job, suffix: str, encode: Callable[[Certificate], bytes]) -> Path:
        folder = job.heap.with_name("certs")
        folder.mkdir()
        for number, certificate in enumerate(job.pool):
            (folder / f"{number}{suffix}").write_bytes(encode(certificate))
        return folder

    def _zipped(self, job: Job) -> Path:
        file = job.heap.with_name("certs.zip")
        with zipfile.ZipFile(file, "w") as archive:
            for number, certificate in enumerate(job.pool):
                archive.writestr(f"{number}.cer", certificate.der)
        return file

    def _pkcs7_pem(self, job: Job) -> Path:
        return self._pkcs7(job, "certs.p7b", Encoding.PEM)

    def _pkcs7_der(self, job: Job) -> Path:
        return self._pkcs7(job, "certs.p7c", Encoding.DER)

    def _pkcs7(self, job: Job, name: str, encoding: Encoding) -> Path:
        # With the server's own, which makes of it the reply of a CA that keytool takes.
        file = job.heap.with_name(name)
        certificates = [it.as_cryptography for it in (job.target, *job.pool, job.anchor)]
        file.write_bytes(pkcs7.serialize_certificates(certificates, encoding))
        return file

    def _pkcs7_ber(self, job: Job) -> Path:
        file = job.heap.with_name("certs.p7b")
        file.write_bytes(ber((job.target, *job.pool, job.anchor)))
        return file

    def slip(self) -> tuple[Job, ...]:
        """A CA certificate whose ECDSA signature algorithm has a NULL parameter, as DoD's have (RFC 5758 3.2)."""
        root, issuing = Authority.create("TA"), Authority.create("A")
        server = issuing.issue_server(SERVER)
        slipped = Certificate.from_der(_with_null(root, root.issue_ca(issuing)))
        return (
            self._make(
                "slip",
                target=server.certificate,
                identity=server,
                pool=(slipped,),
                anchor=root.certificate,
                right=((server.certificate, slipped),),
            ),
        )


_EXCLUDED: Final = {
    "extensions": (ext.critical(pyca.NameConstraints(None, [pyca.DNSName("example.mil")])),),
}
_REAL: Final = {
    "2018": (
        "dod-id-sw-ca-37.pem",
        ("fpki-historic.pem", "dod-2019.pem"),
        "fcpca.pem",
        datetime(2018, 6, 1, tzinfo=UTC),
        tuple(
            (root, interoperability, bridge)
            for bridge, interoperability in (("16194", "47633"), ("11424", "9644"))
            for root in ("748", "655")
        ),
    ),
    "2024": (
        "dod-sw-ca-67.pem",
        ("fpki-2024-10.p7b",),
        "fcpcag2.pem",
        datetime(2024, 10, 15, tzinfo=UTC),
        (("2171", "13579", "61474"),),
    ),
}


def _by_serial(certificates: Iterable[Certificate], digits: str) -> Certificate:
    """Find the one certificate whose serial number ends so."""
    (found,) = (it for it in certificates if str(it.serial_number)[-5:] == digits)
    return found


def _with_null(authority: Authority, certificate: Certificate) -> bytes:
    """Sign a certificate anew, with a NULL after the algorithm."""
    structure = x509.Certificate.load(certificate.der)
    tbs = structure["tbs_certificate"]
    tbs["signature"]["parameters"] = core.Null()
    structure["signature_algorithm"]["parameters"] = core.Null()
    data = tbs.dump(force=True)
    structure["signature_value"] = authority.private_key.sign(data, ec.ECDSA(hashes.SHA256()))
    return structure.dump(force=True)


def write_key(job: Job, file: Path) -> Path:
    """Write the private key of the job's server, unencrypted."""
    encoded = job.identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.touch(mode=0o600)
    file.write_bytes(encoded)
    return file
