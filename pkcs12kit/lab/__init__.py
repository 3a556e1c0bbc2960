"""PKIs with keys of their own, for tests, demos and rehearsals: a replica of the Federal PKI, or any topology.

::

    from pkcs12kit import lab

    replica = lab.make_replica()                          # server, trust anchor, CA certificates, CRLs
    lab.write(replica, "lab")                             # the same as files

    topology = lab.Topology.from_edges("EE<B<A<TA", "B<C<A")
    topology.servers["EE"], topology.pool, topology.trust_anchor("TA")

    ca = lab.Authority.create("Some CA")                  # with any extensions that you need
    ca.issue_server("www.example.com").certificate

Nothing here is for real use: keys are written unencrypted.
"""

from __future__ import annotations

from pkcs12kit.lab.authority import Authority, CrlEntry, Validity
from pkcs12kit.lab.extensions import certificate_policies, critical, key_usage, non_critical, policy_mappings
from pkcs12kit.lab.folder import LabFiles, write
from pkcs12kit.lab.keys import KeyType
from pkcs12kit.lab.profiles import COMMON_DEVICES, DOD_MEDIUM_NPE
from pkcs12kit.lab.replica import BASE_URL, NamedCrl, Replica, make_replica
from pkcs12kit.lab.topology import Edge, Topology

__all__ = [
    "BASE_URL",
    "COMMON_DEVICES",
    "DOD_MEDIUM_NPE",
    "Authority",
    "CrlEntry",
    "Edge",
    "KeyType",
    "LabFiles",
    "NamedCrl",
    "Replica",
    "Topology",
    "Validity",
    "certificate_policies",
    "critical",
    "key_usage",
    "make_replica",
    "non_critical",
    "policy_mappings",
    "write",
]
