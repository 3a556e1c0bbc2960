"""The state variables of path validation, and their initial values (RFC 5280 section 6.1.2, RFC 5937 section 3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.certificates.subtrees import NameConstraints
from pkcs12kit.paths.signatures import WorkingKey
from pkcs12kit.paths.validation.name_constraints import ConstrainedSubtrees
from pkcs12kit.paths.validation.policy_graph import PolicyGraph

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.failure import Processed
    from pkcs12kit.paths.validation.parameters import ValidationParameters


@dataclass(slots=True, kw_only=True)
class ValidationState:
    """The state that validation carries from one certificate to the next. Counters count certificates.

    Where the standard starts a counter at n or n + 1, which a path of n certificates cannot use up, it starts at
    infinity here, so that the state does not depend on the length of the path.
    """

    policy_graph: PolicyGraph
    """valid_policy_graph, which replaces valid_policy_tree (RFC 9618). (a)"""
    subtrees: ConstrainedSubtrees
    """permitted_subtrees and excluded_subtrees. (b), (c)"""
    explicit_policy: float
    inhibit_any_policy: float
    policy_mapping: float
    working_key: WorkingKey | None
    """working_public_key with its algorithm and parameters; None below a missing issuer. (g) to (i)"""
    working_issuer_name: Name
    max_path_length: float
    user_initial_policy_set: AbstractSet[str]
    """An input rather than a variable; it is here because an anchor's policies narrow it (RFC 5937 section 3)."""
    anchor: TrustAnchor
    """The trust anchor, and below it the certificates that were processed: only explanations of a failure need them."""
    processed: Processed | None = None

    @classmethod
    def initial(cls, anchor: TrustAnchor, parameters: ValidationParameters, budget: SearchBudget) -> ValidationState:
        """Return the state before the first certificate (6.1.2), within the anchor's constraints (RFC 5937).

        Raises :class:`~pkcs12kit.errors.MalformedCertificateError` where the anchor's key cannot be used.
        """
        state = cls.below(anchor, WorkingKey.of(anchor), parameters, budget)
        if parameters.use_trust_anchor_constraints and anchor.constraints is not None:
            if anchor.constraints.name_constraints is not None:
                imposed_by = "the trust anchor"
                state.subtrees = state.subtrees.constrain(anchor.constraints.name_constraints, imposed_by=imposed_by)
            state.constrain(anchor.constraints)
            state.narrow_user_initial_policy_set(anchor.constraints.certificate_policies)
        return state

    @classmethod
    def below(
        cls, issuer: TrustAnchor, key: WorkingKey | None, parameters: ValidationParameters, budget: SearchBudget
    ) -> ValidationState:
        """Return the state below an issuer that imposes nothing (6.1.2); ``key`` is None where it is not known."""
        subtrees = ConstrainedSubtrees.unconstrained()
        if parameters.initial_permitted_subtrees or parameters.initial_excluded_subtrees:
            subtrees = subtrees.constrain(
                NameConstraints.from_general_names(
                    permitted=parameters.initial_permitted_subtrees, excluded=parameters.initial_excluded_subtrees
                )
            )
        return cls(
            policy_graph=PolicyGraph.initial(budget),
            subtrees=subtrees,
            explicit_policy=0 if parameters.initial_explicit_policy else inf,
            inhibit_any_policy=0 if parameters.initial_any_policy_inhibit else inf,
            policy_mapping=0 if parameters.initial_policy_mapping_inhibit else inf,
            working_key=key,
            working_issuer_name=issuer.name,
            max_path_length=inf if parameters.max_path_length is None else parameters.max_path_length,
            user_initial_policy_set=parameters.user_initial_policy_set,
            anchor=issuer,
        )

    @property
    def known_key(self) -> WorkingKey:
        """The working key. Raises :class:`TypeError` where it is not known: nothing can be verified then."""
        if self.working_key is None:
            raise TypeError("no key is known to verify the certificate with")
        return self.working_key

    def copy(self) -> ValidationState:
        """Return a copy that changes independently."""
        return replace(self, policy_graph=self.policy_graph.copy())

    def constrain(self, extensions: Extensions) -> None:
        """Lower the counters to the values in a CA's extensions (6.1.4 (i), (j), (m))."""
        constraints = extensions.policy_constraints
        if constraints is not None:
            if constraints.require_explicit_policy is not None:
                self.explicit_policy = min(self.explicit_policy, constraints.require_explicit_policy)
            if constraints.inhibit_policy_mapping is not None:
                self.policy_mapping = min(self.policy_mapping, constraints.inhibit_policy_mapping)
        if extensions.inhibit_any_policy is not None:
            self.inhibit_any_policy = min(self.inhibit_any_policy, extensions.inhibit_any_policy)
        basic = extensions.basic_constraints
        if basic is not None and basic.path_length is not None:
            self.max_path_length = min(self.max_path_length, basic.path_length)

    def count_down(self, certificate: Certificate) -> None:
        """Count one intermediate certificate, unless it is self-issued (6.1.4 (h))."""
        if not certificate.is_self_issued:
            self.explicit_policy = max(self.explicit_policy - 1, 0)
            self.policy_mapping = max(self.policy_mapping - 1, 0)
            self.inhibit_any_policy = max(self.inhibit_any_policy - 1, 0)

    def wrap_up(self, target: Certificate) -> None:
        """Lower explicit_policy for the last certificate of the path (6.1.5 (a), (b))."""
        self.explicit_policy = max(self.explicit_policy - 1, 0)
        constraints = target.extensions.policy_constraints
        if constraints is not None and constraints.require_explicit_policy == 0:
            self.explicit_policy = 0

    def narrow_user_initial_policy_set(self, policies: tuple[str, ...] | None) -> None:
        """Keep the policies that the anchor's certificatePolicies allow (RFC 5937 section 3)."""
        if policies is None or ANY_POLICY in policies:
            return
        if ANY_POLICY in self.user_initial_policy_set:
            self.user_initial_policy_set = frozenset(policies)
        else:
            self.user_initial_policy_set = frozenset(policies) & self.user_initial_policy_set
