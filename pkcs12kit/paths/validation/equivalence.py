"""Equivalence of validation states: equivalent states lead to the same verdicts on all certificates of a search.

Equivalent states may differ in name constraints that affect none of the names, in policies where nothing requires one,
or in policies that the user did not ask for. In a mesh such differences multiply with each CA on the way.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.validation.name_constraints import ConstrainedSubtrees

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.validation.name_constraints import ImposedConstraints
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.state import ValidationState


class Equivalence:
    """The keys of the validation states of one search: equal for states with the same verdicts below them.

    ``certificates`` are all those that can be on a path below one of the trust anchors, except the target.
    """

    def __init__(
        self,
        certificates: Iterable[Certificate],
        *,
        target: Certificate,
        trust_anchors: Iterable[TrustAnchor],
        parameters: ValidationParameters,
        budget: SearchBudget,
    ) -> None:
        self._budget = budget
        self._policies_matter = parameters.initial_explicit_policy or any(
            anchor.constraints is not None and _requires_policy(anchor.constraints) for anchor in trust_anchors
        )
        self._named: dict[Hashable, Certificate] = {}
        """Certificates that name constraints apply to, one for each set of names."""
        self._forbidden: dict[ImposedConstraints, int] = {}
        for certificate in (target, *certificates):
            try:
                own = certificate.extensions
            except MalformedCertificateError:
                continue  # rejected in every state
            self._policies_matter |= _requires_policy(own)
            if certificate == target or not certificate.is_self_issued:
                # By their octets: names that match may contain mailboxes that do not (section 4.2.1.10).
                subject = certificate.subject.relative_distinguished_names
                self._named.setdefault((subject, own.subject_alternative_name), certificate)

    def key(self, state: ValidationState) -> Hashable:
        """Return the key of a state; comparable for states at one node (subject and key).

        Raises :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`.
        """
        forbidden = reduce(or_, (self._forbidden_by(imposed) for imposed in state.subtrees.imposed), 0)
        counters = (state.max_path_length, state.known_key.info, forbidden)
        if not self._policies_matter:
            return counters
        return (
            *counters,
            state.explicit_policy,
            state.inhibit_any_policy,
            state.policy_mapping,
            state.user_initial_policy_set,
            state.policy_graph.key(state.user_initial_policy_set),
        )

    def _forbidden_by(self, imposed: ImposedConstraints) -> int:
        """Return the sets of names that constraints do not allow, one bit for each."""
        if imposed not in self._forbidden:
            subtrees = ConstrainedSubtrees.unconstrained().constrain(imposed.constraints)
            self._forbidden[imposed] = sum(
                1 << number
                for number, certificate in enumerate(self._named.values())
                if subtrees.violation_by(certificate, budget=self._budget) is not None
            )
        return self._forbidden[imposed]


def _requires_policy(own: Extensions) -> bool:
    constraints = own.policy_constraints
    return constraints is not None and constraints.require_explicit_policy is not None
