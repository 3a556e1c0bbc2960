"""The policies of a path processed again, with a row for each certificate (RFC 5280 section 6.1, RFC 9618).

The steps are those of :mod:`~pkcs12kit.paths.validation.validator` that are about policies; a run may leave out some of
the statements of the certificates.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.certificates.policy_names import by_arcs
from pkcs12kit.paths.policy_table import PolicyRow
from pkcs12kit.paths.validation.state import ValidationState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.failure import Descent

_FOLLOWED: Final = 24  # mappings of one certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change to the statements of a path, to find out whether it would make the path valid for a policy."""

    without_any_policy_inhibition: bool = False
    without_mapping_inhibition: bool = False
    without_mappings: bool = False
    states: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Certificates, by their number from the trust anchor, that state these policies instead."""


class Outcome(NamedTuple):
    """The end of one run over the policies of a path."""

    rows: tuple[PolicyRow, ...]
    authority_set: frozenset[str]
    origins: tuple[dict[str, frozenset[str]], ...]
    """For each certificate the policies of its mappings, each with those of the trust anchor's domain."""
    dropped_at: int | None
    """The number of the certificate whose inhibited mappings left no policy; None where none did."""
    accepted: frozenset[str]
    """user_initial_policy_set, narrowed by the trust anchor."""
    passes: bool


class PolicyReplay:
    """The policies of the certificates of a path, from the trust anchor down to the one that failed."""

    def __init__(self, certificates: Sequence[Certificate], descent: Descent, budget: SearchBudget) -> None:
        self._certificates = certificates
        self._descent = descent
        self._budget = budget
        every = replace(descent.parameters, user_initial_policy_set=frozenset({ANY_POLICY}))
        initial = ValidationState.initial(descent.anchor, every, budget)
        self._allowed_by_anchor = initial.user_initial_policy_set

    def run(self, change: Change) -> Outcome:
        """Process the policies of the path down to the certificate that failed, with a change."""
        self._budget.start_validation()
        state = ValidationState.initial(self._descent.anchor, self._descent.parameters, self._budget)
        rows: list[PolicyRow] = []
        origins, dropped_at = [], None
        for number in range(len(self._certificates)):
            had_policies = not state.policy_graph.is_null
            row, was_valid = self._step(state, number, change)
            if had_policies and was_valid and not row.valid:
                dropped_at = number
            rows.append(row)
            origins.append({subject: state.policy_graph.origins(subject) for _, subject in row.mappings[:_FOLLOWED]})
        graph = state.policy_graph
        user_set = graph.user_constrained_policy_set(state.user_initial_policy_set)
        return Outcome(
            rows=tuple(rows),
            authority_set=graph.authority_constrained_policy_set(),
            origins=tuple(origins),
            dropped_at=dropped_at,
            accepted=frozenset(state.user_initial_policy_set),
            passes=not graph.is_null and (bool(user_set) or not self._descent.is_target),
        )

    def may_state_any_policy(self, number: int) -> bool:
        """Return True for a self-issued certificate that is not the target (section 6.1.3 (d)(2))."""
        is_target = self._descent.is_target and number == len(self._certificates) - 1
        return self._certificates[number].is_self_issued and not is_target

    def _step(self, state: ValidationState, number: int, change: Change) -> tuple[PolicyRow, bool]:
        """Process the policies of one certificate, as sections 6.1.3 (d), (e) and 6.1.4 (b), (h) to (j) do.

        Return its row, and True where a policy was valid before its own mappings.
        """
        certificate = self._certificates[number]
        own, graph = certificate.extensions, state.policy_graph
        row = PolicyRow(
            certificate=certificate,
            depth=number + 1,
            states=change.states.get(number, own.certificate_policies),
            expected=tuple(by_arcs(graph.expected_policies)),
            valid=(),
            in_anchor_domain=(),
            mappings=() if change.without_mappings else own.policy_mappings or (),
            mappings_apply=change.without_mapping_inhibition or state.policy_mapping > 0,
            passed_on=(),
            explicit_policy=_finite(state.explicit_policy),
            policy_mapping=_finite(state.policy_mapping),
            inhibit_any_policy=_finite(state.inhibit_any_policy),
        )
        counts = state.inhibit_any_policy > 0 or change.without_any_policy_inhibition
        graph.process_policies(row.states, any_policy_allowed=counts or self.may_state_any_policy(number))
        was_valid = not graph.is_null
        if number < len(self._certificates) - 1:  # the last one failed before its mappings were processed
            if row.mappings:
                graph.apply_mappings(row.mappings, policy_mapping_allowed=row.mappings_apply)
            state.count_down(certificate)
            state.constrain(own)
        row = replace(
            row,
            valid=tuple(by_arcs(graph.policies)),
            in_anchor_domain=tuple(by_arcs(graph.user_constrained_policy_set(self._allowed_by_anchor))),
            passed_on=tuple(by_arcs(graph.expected_policies)),
        )
        return row, was_valid


def _finite(counter: float) -> int | None:
    return None if counter == inf else int(counter)
