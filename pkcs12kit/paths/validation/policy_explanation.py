"""Explanations of paths that are valid for no acceptable policy (RFC 5280 section 6.1, with the graph of RFC 9618).

The policies are processed again, to record them at each certificate. Further runs without one kind of statement show
which statements matter: those without which the path would be valid for a policy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.certificates.policy_names import by_arcs, policy_label, policy_list
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.failure import Cause
from pkcs12kit.paths.validation.policy_replay import Change, PolicyReplay
from pkcs12kit.paths.validation.state import ValidationState
from pkcs12kit.paths.validation.statements import statements_above

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.failure import Descent
    from pkcs12kit.paths.policy_table import PolicyRow
    from pkcs12kit.paths.validation.statements import Statement

INITIAL_EXPLICIT_POLICY: Final = "initial-explicit-policy"
"""The input of RFC 5280 section 6.1.1 (f), as the extension of a cause."""
USER_INITIAL_POLICY_SET: Final = "user-initial-policy-set"
UNASKED: Final = "no policy asked for"
"""The end of what would pass, where that is all that it needs."""
_TRIED: Final = 24
_SHOWN: Final = 4
_OTHER_POLICY: Final = "0.0"
"""Stands for a policy that no certificate of the path names."""


class PolicyExplanation:
    """The explanation of one failure: the causes, a clause about what would pass, and the table of policies.

    ``below`` are the certificates below the one that failed, the target first, where they are known.
    """

    def __init__(
        self, failed: Certificate, descent: Descent, budget: SearchBudget, *, below: Sequence[Certificate] = ()
    ) -> None:
        self._descent = descent
        self._below = below
        self._budget = budget
        self._certificates = (*descent.certificates, failed)
        self._failed = failed
        self._statements = list(statements_above(descent, failed))
        self._replay = PolicyReplay(self._certificates, descent, budget)
        self._found = self._replay.run(Change())
        self.rows = self._found.rows
        """The table of policies."""
        self._null_at = next((number for number, row in enumerate(self.rows) if not row.valid), None)
        """The number of the first certificate after which no policy is valid."""

    @property
    def causes(self) -> tuple[Cause, ...]:
        """The statements that require a policy, then those that leave no acceptable one."""
        return (*self._requirements(), *self._losses())

    @property
    def would_pass(self) -> str | None:
        """A clause about the policies that would pass, and where; None where nothing on this path would."""
        passes_unasked = self._passes_unasked()
        unasked = f", or {UNASKED}" if passes_unasked else ""
        offered, end = self.rows[-1].in_anchor_domain, len(self._certificates)
        if offered:
            return f"one of the policies that the path is valid for: {policy_list(offered)}{unasked}"
        if self._null_at is None:  # the trust anchor allows none of its policies
            tried = [range(number, end) for number in reversed(range(end))]
        else:
            tried = [range(self._null_at, self._null_at + 1), range(self._null_at, end)]
        for numbers in tried:
            passing = self._passing(numbers)
            if passing:
                return f"{self._where(numbers)} with {passing}{unasked}"
        return UNASKED if passes_unasked else None

    def _passes_unasked(self) -> bool:
        """Return True where the path has a policy of the anchor's domain, or where no certificate of it requires any.

        A requirement counts also where it is in effect only further down: no policy comes back below the one that
        failed.
        """
        if self.rows[-1].in_anchor_domain:
            return True
        parameters = replace(self._descent.parameters, initial_explicit_policy=False)
        state = ValidationState.initial(self._descent.anchor, parameters, self._budget)
        *issuers, last = *self._certificates, *reversed(self._below)
        try:
            for certificate in issuers:
                state.count_down(certificate)
                state.constrain(certificate.extensions)
            if self._descent.is_target or self._below:
                state.wrap_up(last)
        except MalformedCertificateError:  # a certificate below: nothing passes with it
            return False
        return state.explicit_policy > 0

    def _where(self, numbers: range) -> str:
        first = self._certificates[numbers[0]].label
        if len(numbers) == 1:
            return f"a certificate for {first}"
        return f"certificates from {first} down to {self._certificates[numbers[-1]].label}, each"

    def _passing(self, numbers: range) -> str | None:
        """Return the policies with which the certificates of these numbers pass the failed check; None for none."""
        expected = set(self.rows[numbers[0]].expected)
        candidates = by_arcs(expected - {ANY_POLICY})[:_TRIED]
        if ANY_POLICY in expected:
            if self._passes_with(_OTHER_POLICY, numbers):
                maps = any(self.rows[number].mappings for number in numbers)
                return "any policy that it does not map" if maps else "any policy"
            candidates += [each for each in by_arcs(self._found.accepted) if each not in {ANY_POLICY, *candidates}]
        passing = [policy for policy in candidates[:_TRIED] if self._passes_with(policy, numbers)]
        if not passing:
            return None
        return f"the policy {policy_label(passing[0])}" if len(passing) == 1 else f"one of {policy_list(passing)}"

    def _passes_with(self, policy: str, numbers: range) -> bool:
        return self._replay.run(Change(states=dict.fromkeys(numbers, (policy,)))).passes

    def _requirements(self) -> Iterator[Cause]:
        """Yield each statement because of which the failed check requires a policy: any one of them is enough."""
        parameters = self._descent.parameters
        if parameters.initial_explicit_policy:
            asked = policy_list(parameters.user_initial_policy_set)
            yield Cause(
                certificate=None,
                extension=INITIAL_EXPLICIT_POLICY,
                value="TRUE",
                detail=f"the caller requires that the path is valid for one of: {asked}",
            )
        for one in self._statements:
            skip = _require_explicit_policy(one.extensions)
            lowered = sum(not certificate.is_self_issued for certificate in one.below[:-1]) + self._descent.is_target
            if skip is not None and lowered >= skip:
                yield Cause(
                    certificate=one.certificate,
                    extension="policyConstraints",
                    value=f"requireExplicitPolicy {skip}",
                    detail=f"requires a valid policy {_from(skip)}",
                )
        # The last certificate lowers the counters in any case, and its own statement counts (section 6.1.5 (a), (b)).
        if self._descent.is_target and _require_explicit_policy(self._failed.extensions) == 0:
            yield Cause(
                certificate=self._failed,
                extension="policyConstraints",
                value="requireExplicitPolicy 0",
                detail="requires a valid policy for this certificate itself",
            )

    def _losses(self) -> Iterator[Cause]:
        """Yield the statements that leave no acceptable policy."""
        if self._null_at is None:
            yield from self._unacceptable()
            return
        certificate, row = self._certificates[self._null_at], self.rows[self._null_at]
        if row.states is None:
            value, detail = "absent", "states no policy"
        else:
            value, detail = policy_list(row.states), "states no policy that counts here"
            if self._null_at == self._found.dropped_at:
                detail = "maps its policies, and they are dropped because mapping is inhibited"
        expected = policy_list(row.expected) or "none"
        expected = "any policy" if set(row.expected) == {ANY_POLICY} else expected
        yield Cause(
            certificate=certificate,
            extension="certificatePolicies",
            value=value,
            detail=f"{detail}; expected here: {expected}",
        )
        if row.states is not None:
            yield from self._inhibitions()
            yield from self._mappings()

    def _unacceptable(self) -> Iterator[Cause]:
        """Yield the causes where the path is valid for policies, but for none that the user accepts."""
        asked = self._descent.parameters.user_initial_policy_set
        valid = policy_list(self._found.authority_set)
        if ANY_POLICY not in asked:
            yield Cause(
                certificate=None,
                extension=USER_INITIAL_POLICY_SET,
                value=policy_list(asked),
                detail=f"the caller accepts these policies only; the path is valid for: {valid}",
            )
            yield from self._of_another_domain(asked)
        if self._found.accepted != frozenset(asked):
            anchor = self._descent.anchor
            yield Cause(
                certificate=anchor.certificate,
                extension="certificatePolicies",
                value=policy_list((anchor.constraints and anchor.constraints.certificate_policies) or ()),
                detail=f"the trust anchor allows these policies only; the path is valid for: {valid}",
            )

    def _of_another_domain(self, asked: AbstractSet[str]) -> Iterator[Cause]:
        """Yield a cause for each accepted policy of another domain: the mapping by which it has another name above."""
        for policy in by_arcs(asked):
            number = next((n for n, row in enumerate(self.rows) if _maps_to(row, policy)), None)
            origins = () if number is None else self._found.origins[number].get(policy, frozenset())
            if number is not None and origins and policy not in origins:
                yield Cause(
                    certificate=self._certificates[number],
                    extension="policyMappings",
                    value=f"to {policy_label(policy)}",
                    detail=f"in the trust anchor's domain that policy is called {policy_list(origins)}",
                )

    def _inhibitions(self) -> Iterator[Cause]:
        """Yield the statements that inhibit anyPolicy or mappings, where without them a policy would be valid."""
        of_any = self._replay.run(Change(without_any_policy_inhibition=True)).passes
        of_mapping = self._replay.run(Change(without_mapping_inhibition=True)).passes
        if not of_any and not of_mapping:
            both = Change(without_any_policy_inhibition=True, without_mapping_inhibition=True)
            of_any = of_mapping = self._replay.run(both).passes
        if of_any:
            yield from self._inhibiting_any_policy()
        if of_mapping:
            yield from self._inhibiting_mapping()

    def _inhibiting_any_policy(self) -> Iterator[Cause]:
        if self._descent.parameters.initial_any_policy_inhibit:
            yield Cause(
                certificate=None,
                extension="initial-any-policy-inhibit",
                value="TRUE",
                detail="the caller does not let anyPolicy count",
            )
        for one in self._statements:
            skip = one.extensions.inhibit_any_policy
            affected = None if skip is None else self._first_affected(one, skip, self._loses_any_policy)
            if affected is not None:
                yield Cause(
                    certificate=one.certificate,
                    extension="inhibitAnyPolicy",
                    value=str(skip),
                    detail=f"anyPolicy does not count in {affected}",
                )

    def _inhibiting_mapping(self) -> Iterator[Cause]:
        if self._descent.parameters.initial_policy_mapping_inhibit:
            yield Cause(
                certificate=None,
                extension="initial-policy-mapping-inhibit",
                value="TRUE",
                detail="the caller does not let policies be mapped",
            )
        for one in self._statements:
            constraints = one.extensions.policy_constraints
            skip = None if constraints is None else constraints.inhibit_policy_mapping
            affected = None if skip is None else self._first_affected(one, skip, self._loses_mappings)
            if affected is not None:
                yield Cause(
                    certificate=one.certificate,
                    extension="policyConstraints",
                    value=f"inhibitPolicyMapping {skip}",
                    detail=f"the policies that {affected} maps are dropped",
                )

    def _mappings(self) -> Iterator[Cause]:
        """Yield the mappings that were applied, where without any mapping a policy would be valid."""
        if not self._replay.run(Change(without_mappings=True)).passes:
            return
        for number, row in enumerate(self.rows[: self._null_at]):
            if row.mappings and row.mappings_apply:
                pairs = [f"{policy_label(one)} to {policy_label(other)}" for one, other in row.mappings[:_SHOWN]]
                more = f" and {len(row.mappings) - _SHOWN} more" if len(row.mappings) > _SHOWN else ""
                yield Cause(
                    certificate=self._certificates[number],
                    extension="policyMappings",
                    value=", ".join(pairs) + more,
                    detail="below it the policies to which it maps are expected, not its own",
                )

    def _first_affected(self, one: Statement, skip: int, loses: Callable[[int], bool]) -> str | None:
        """Return the first certificate below a statement that loses something because of it; None without any."""
        lowered = 0
        for number in range(len(self._certificates) - len(one.below), len(self._certificates)):
            certificate = self._certificates[number]
            if lowered >= skip and loses(number):
                return certificate.label
            lowered += not certificate.is_self_issued
        return None

    def _loses_any_policy(self, number: int) -> bool:
        return ANY_POLICY in (self.rows[number].states or ()) and not self._replay.may_state_any_policy(number)

    def _loses_mappings(self, number: int) -> bool:
        return bool(self.rows[number].mappings) and number < len(self._certificates) - 1


def _require_explicit_policy(extensions: Extensions) -> int | None:
    constraints = extensions.policy_constraints
    return None if constraints is None else constraints.require_explicit_policy


def _from(skip: int) -> str:
    """Return the place from which a requirement is in effect."""
    if skip == 0:
        return "for every certificate below it"
    return f"from {skip} certificates below it on" if skip > 1 else "from one certificate below it on"


def _maps_to(row: PolicyRow, policy: str) -> bool:
    return row.mappings_apply and any(subject == policy for _, subject in row.mappings)
