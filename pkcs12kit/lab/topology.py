"""Trust topologies, written as they are drawn: ``EE<B<A<TA``."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import ArgumentError
from pkcs12kit.lab.authority import Authority, Validity
from pkcs12kit.lab.keys import KeyType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.identity import Identity
    from pkcs12kit.lab.extensions import Extension


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One certificate: the labels of its subject and issuer, and its special properties."""

    subject: str
    issuer: str
    path_length: int | None = None
    validity: Validity | None = None
    serial_number: int | None = None
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Authorities and servers that certify one another. Make one by :meth:`from_edges`.

    ``certificates`` are the certificates of the edges, in their order, with those of the servers. ``pool`` holds them
    without those of the servers. The self-signed certificate of an authority is in neither, unless there is an edge for
    it: ``TA<TA``.
    """

    authorities: Mapping[str, Authority] = field(repr=False)
    servers: Mapping[str, Identity] = field(repr=False)
    edges: tuple[Edge, ...]
    certificates: tuple[Certificate, ...] = field(repr=False)

    @classmethod
    def from_edges(
        cls, *edges: str | Edge, key_type: KeyType = KeyType.EC_P256, validity: Validity | None = None
    ) -> Topology:
        """Return a topology with these edges. Serial numbers count from 1 in the order of the edges.

        ``"EE<B<A<TA"`` stands for three edges: A's certificate issued by TA, and so on. An edge that occurs again in a
        string is the same certificate; each :class:`Edge` is a further one, for parallel cross-certificates. A label
        that issues nothing is a server, with the label as commonName and dNSName. Labels that differ only in
        apostrophes at the end (``B``, ``B'``) have one name and different keys: a CA that was rekeyed. They are
        authorities if one of them issues.

        ``validity`` is for each edge without one of its own, by default from a year ago to a year from now. Raises
        :class:`~pkcs12kit.ArgumentError` if there is no edge, or a string that is not a chain of labels.
        """
        expanded = tuple(_expand(edges))
        if not expanded:
            raise ArgumentError("a topology needs at least one edge")
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
        """Return the self-signed certificate of an authority as a trust anchor. Raises :class:`KeyError`."""
        return TrustAnchor.from_certificate(self.authorities[label].certificate)

    def certificate(self, subject: str, issuer: str) -> Certificate:
        """Return the first certificate that ``issuer`` issued to ``subject``, by label. Raises :class:`KeyError`."""
        for edge, certificate in zip(self.edges, self.certificates, strict=True):
            if (edge.subject, edge.issuer) == (subject, issuer):
                return certificate
        raise KeyError(f"{subject}<{issuer}")

    def draw(self, path: CertificationPath | Iterable[Certificate]) -> str:
        """Return a path as edges are written: ``EE<B<A<TA``. A certificate of another topology is ``?``.

        Parallel certificates look the same; compare the certificates to distinguish them.
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
            raise ArgumentError(f"expected a chain of labels such as EE<B<A<TA, not {edge!r}")
        for pair in pairwise(labels):
            if pair not in written:
                written.add(pair)
                yield Edge(subject=pair[0], issuer=pair[1])
