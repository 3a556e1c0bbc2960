"""Any trust topology, written down as it is drawn: ``EE<B<A<TA``."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.lab.authority import Authority, Validity
from pkcs12kit.lab.keys import KeyType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.identity import Identity
    from pkcs12kit.lab.extensions import Extension


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One certificate: whom it is for and who issued it, by label, and what is special about it."""

    subject: str
    issuer: str
    path_length: int | None = None
    validity: Validity | None = None
    serial_number: int | None = None
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Authorities and servers that certify one another. Make one by :meth:`from_edges`.

    ``certificates`` has the certificate of each edge, in their order, those of the servers among them. ``pool`` has
    them without those of the servers. The self-signed certificates of authorities are in neither, unless an edge says
    so: ``TA<TA``.
    """

    authorities: Mapping[str, Authority] = field(repr=False)
    servers: Mapping[str, Identity] = field(repr=False)
    edges: tuple[Edge, ...]
    certificates: tuple[Certificate, ...] = field(repr=False)

    @classmethod
    def from_edges(
        cls, *edges: str | Edge, key_type: KeyType = KeyType.EC_P256, validity: Validity | None = None
    ) -> Topology:
        """Make all that the edges name. Serial numbers count from 1 in the order of the edges.

        ``"EE<B<A<TA"`` stands for three edges: A's certificate issued by TA, and so on. An edge that occurs again in a
        text is the same certificate; an :class:`Edge` always is one more, for parallel cross-certificates. A label that
        issues nothing is a server, its label its commonName and dNSName. Labels that differ in apostrophes at the end
        alone (``B``, ``B'``) have one name and different keys: a CA that was rekeyed. It is one where either issues.

        ``validity`` is for each edge that does not say otherwise, a year to both sides of now by default.
        """
        expanded = tuple(_expand(edges))
        if not expanded:
            raise ValueError("a topology has at least one edge")
        span = validity or Validity.around()
        issuers = {edge.issuer.rstrip("'") for edge in expanded}
        authorities = {
            label: Authority.create(label.rstrip("'"), key_type=key_type, validity=span, serial_number=1)
            for label in dict.fromkeys(label for edge in expanded for label in (edge.issuer, edge.subject))
            if label.rstrip("'") in issuers
        }
        servers: dict[str, Identity] = {}
        certificates: list[Certificate] = []
        for number, edge in enumerate(expanded, start=1):
            issuer, serial_number = authorities[edge.issuer], edge.serial_number or number
            if edge.subject in authorities:
                certificate = issuer.issue_ca(
                    authorities[edge.subject],
                    path_length=edge.path_length,
                    validity=edge.validity or span,
                    serial_number=serial_number,
                    extensions=edge.extensions,
                )
            else:
                server = issuer.issue_server(
                    edge.subject.rstrip("'"),
                    private_key=servers[edge.subject].private_key if edge.subject in servers else None,
                    key_type=key_type,
                    validity=edge.validity or span,
                    serial_number=serial_number,
                    extensions=edge.extensions,
                )
                servers.setdefault(edge.subject, server)
                certificate = server.certificate
            certificates.append(certificate)
        return cls(authorities=authorities, servers=servers, edges=expanded, certificates=tuple(certificates))

    @property
    def pool(self) -> CertificatePool:
        """The certificates whose subjects are authorities."""
        return CertificatePool(
            certificate
            for edge, certificate in zip(self.edges, self.certificates, strict=True)
            if edge.subject in self.authorities
        )

    def trust_anchor(self, label: str) -> TrustAnchor:
        """Make a trust anchor of an authority's self-signed certificate. Raises :class:`KeyError`."""
        return TrustAnchor.from_certificate(self.authorities[label].certificate)

    def certificate(self, subject: str, issuer: str) -> Certificate:
        """Find the first certificate that ``issuer`` issued to ``subject``, by label. Raises :class:`KeyError`."""
        for edge, certificate in zip(self.edges, self.certificates, strict=True):
            if (edge.subject, edge.issuer) == (subject, issuer):
                return certificate
        raise KeyError(f"{subject}<{issuer}")

    def draw(self, path: CertificationPath | Iterable[Certificate]) -> str:
        """Write a path as the edges were: ``EE<B<A<TA``. Certificates of no topology are ``?``.

        Parallel certificates look the same; where it matters, compare certificates.
        """
        if isinstance(path, CertificationPath):
            return "<".join((*map(self._label, path.certificates), self._label_of_node(path.trust_anchor.node)))
        return "<".join(map(self._label, path))

    def _label(self, certificate: Certificate) -> str:
        return self._label_of_node(certificate.node)

    def _label_of_node(self, node: tuple[object, bytes]) -> str:
        holders = {label: authority.certificate for label, authority in self.authorities.items()}
        holders.update((label, server.certificate) for label, server in self.servers.items())
        return next((label for label, certificate in holders.items() if certificate.node == node), "?")


def _expand(edges: Iterable[str | Edge]) -> Iterable[Edge]:
    written: set[tuple[str, str]] = set()
    for edge in edges:
        if isinstance(edge, Edge):
            yield edge
            continue
        labels = [label.strip() for label in edge.split("<")]
        if len(labels) == 1 or not all(label.rstrip("'") for label in labels):
            raise ValueError(f"not a chain of labels such as EE<B<A<TA: {edge!r}")
        for pair in pairwise(labels):
            if pair not in written:
                written.add(pair)
                yield Edge(subject=pair[0], issuer=pair[1])
