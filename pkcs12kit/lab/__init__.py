"""A replica of the Federal PKI's shape, and any other topology, with keys of its own: for tests, demos and rehearsals.

::

    from pkcs12kit import lab

    replica = lab.make_replica()                          # server, trust anchor, a heap of CA certificates, CRLs
    replica.write("lab")                                  # the same as files

    topology = lab.Topology.from_edges("EE<B<A<TA", "B<C<A")
    topology.servers["EE"], topology.pool, topology.trust_anchor("TA")

    ca = lab.Authority.create("Some CA")                  # and whatever a certificate can say
    ca.issue_server("www.example.com").certificate

Nothing here is for real use: keys are written unencrypted and nobody protects them.
"""

from __future__ import annotations

from pkcs12kit.lab.authority import Authority, Revocation, Validity
from pkcs12kit.lab.extensions import certificate_policies, critical, key_usage, non_critical, policy_mappings
from pkcs12kit.lab.folder import LabFiles
from pkcs12kit.lab.keys import KeyType
from pkcs12kit.lab.profiles import COMMON_DEVICES, DOD_MEDIUM_NPE
from pkcs12kit.lab.replica import BASE_URL, NamedCrl, Replica, make_replica
from pkcs12kit.lab.topology import Edge, Topology

__all__ = [
    "BASE_URL",
    "COMMON_DEVICES",
    "DOD_MEDIUM_NPE",
    "Authority",
    "Edge",
    "KeyType",
    "LabFiles",
    "NamedCrl",
    "Replica",
    "Revocation",
    "Topology",
    "Validity",
    "certificate_policies",
    "critical",
    "key_usage",
    "make_replica",
    "non_critical",
    "policy_mappings",
]
