"""The policies on the way down a path, one row a certificate: the valid_policy_graph of RFC 9618 for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pkcs12kit.certificates.policy_names import by_arcs, policy_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.certificates.certificate import Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """The policies at one certificate of a path, as validation processes it. Policies are dotted object identifiers.

    The numbers are the counters before the certificate is processed, in certificates that are not self-issued: 0 is in
    effect, None never.
    """

    certificate: Certificate
    """The certificate."""
    depth: int
    """1 for the certificate that the trust anchor issued, and so on down to the one that failed."""
    states: tuple[str, ...] | None
    """Its certificatePolicies; None where it has no such extension."""
    expected: tuple[str, ...]
    """The expected_policy_set: policies that count here. anyPolicy: every policy counts. Empty: none does any more."""
    valid: tuple[str, ...]
    """The policies that are valid after it."""
    mappings: tuple[tuple[str, str], ...]
    """Its policy mappings, each from the issuer's policy to the subject's; the last certificate's do not count."""
    mappings_apply: bool
    """True where the mappings are applied; False where an inhibition drops the policies that are mapped."""
    in_anchor_domain: tuple[str, ...]
    """The policies of the trust anchor's domain for which the path down to it is valid, and that it allows."""
    passed_on: tuple[str, ...]
    """The expected_policy_set for the next certificate."""
    explicit_policy: int | None
    """explicit_policy: 0 where a valid policy is required."""
    policy_mapping: int | None
    """policy_mapping: 0 where mappings are inhibited."""
    inhibit_any_policy: int | None
    """inhibit_anyPolicy: 0 where anyPolicy does not count."""

    def to_json(self) -> dict[str, Any]:
        """Return the row as ``--json`` prints it; each policy has ``oid`` and ``name``."""
        return {
            "certificate": self.certificate.to_json(),
            "depth": self.depth,
            "states": None if self.states is None else _to_json(self.states),
            "expected": _to_json(self.expected),
            "valid": _to_json(self.valid),
            "in_anchor_domain": _to_json(self.in_anchor_domain),
            "mappings": [
                {"issuer": policy_to_json(issuer), "subject": policy_to_json(subject)}
                for issuer, subject in self.mappings
            ],
            "mappings_apply": self.mappings_apply,
            "passed_on": _to_json(self.passed_on),
            "explicit_policy": self.explicit_policy,
            "policy_mapping": self.policy_mapping,
            "inhibit_any_policy": self.inhibit_any_policy,
        }


def _to_json(policies: Iterable[str]) -> list[dict[str, str | None]]:
    return [policy_to_json(policy) for policy in by_arcs(policies)]
