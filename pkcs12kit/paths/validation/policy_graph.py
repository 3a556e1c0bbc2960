"""The valid_policy_graph of RFC 9618, which replaces the policy tree of RFC 5280 section 6.1.

A tree doubles with each certificate that maps two policies onto two; the graph has one node for a policy at a depth.
Its parent links come from the pairs that a certificate lists, so they grow with the input, not with its square.

Policy qualifiers are not kept: RFC 9618 section 5.5 (step (g)(4)(ii)) does not recommend to return them, and nothing
else uses them.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from pkcs12kit.certificates.extensions import ANY_POLICY

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from pkcs12kit.paths.budget import SearchBudget


class _Node(NamedTuple):
    """A policy at the last depth."""

    expected_policy_set: tuple[str, ...]
    descends_from: int
    """The policies, one bit each, with which it or its ancestors are children of anyPolicy."""
    parents: int
    """The number of parents."""


class PolicyGraph:
    """The state variable valid_policy_graph during one validation. Policies are dotted object identifiers.

    A directed acyclic graph by depth: depth 0 holds only anyPolicy, depth i the policies after certificate i, and a
    policy occurs once at a depth. Certificates are processed in the order of the path. That changes the graph, and not
    its copies.

    Only the last depth is kept, and for each of its nodes the policies of the trust anchor's domain that it descends
    from: the result needs nothing else. Nodes without children, which the standard deletes, have no descendants there.
    """

    def __init__(self, budget: SearchBudget) -> None:
        self._budget = budget
        self._bits: dict[str, int] = {}
        self._level: dict[str, _Node] = {}

    @classmethod
    def initial(cls, budget: SearchBudget) -> PolicyGraph:
        """Return the graph before the first certificate (RFC 9618 section 5.2, step 6.1.2 (a)).

        Each later node counts against ``policy_nodes`` and each link to a parent against ``policy_edges``.
        """
        graph = cls(budget)
        graph._level[ANY_POLICY] = _Node((ANY_POLICY,), 0, 0)
        return graph

    def copy(self) -> PolicyGraph:
        """Return a copy that changes independently."""
        graph = PolicyGraph(self._budget)
        graph._bits = self._bits  # never removed from
        graph._level = self._level.copy()
        return graph

    def key(self, user_initial_policy_set: Iterable[str]) -> Hashable:
        """Return a key that is equal for copies of one graph in which later steps lead to the same accepted policies.

        A node that descends from no accepted policy leads to none. It only prevents anyPolicy from creating a node for
        the same policy: without anyPolicy, graphs that differ in such nodes have the same key.
        """
        accepted = set(user_initial_policy_set)
        every = ANY_POLICY in accepted
        bits = reduce(or_, (bit for policy, bit in self._bits.items() if policy in accepted), 0)
        return frozenset(
            (policy, frozenset(node.expected_policy_set), every or bool(node.descends_from & bits))
            for policy, node in self._level.items()
            if ANY_POLICY in self._level or every or node.descends_from & bits
        )

    @property
    def policies(self) -> frozenset[str]:
        """The valid_policy of each node at the last depth."""
        return frozenset(self._level)

    @property
    def expected_policies(self) -> frozenset[str]:
        """The expected_policy_set of all nodes at the last depth, together; anyPolicy where every policy counts."""
        return frozenset(policy for node in self._level.values() for policy in node.expected_policy_set)

    def origins(self, policy: str) -> frozenset[str]:
        """Return the policies of the trust anchor's domain that a policy of the last depth descends from.

        For an expected policy, these are the origins of the nodes that expect it.
        """
        nodes = [node for node in self._level.values() if policy in node.expected_policy_set]
        bits = reduce(or_, (node.descends_from for node in nodes), 0)
        return frozenset(one for one, bit in self._bits.items() if bit & bits)

    @property
    def is_null(self) -> bool:
        """True where the graph is NULL: no policy is valid for the whole path so far."""
        return not self._level

    def process_policies(self, policies: Iterable[str] | None, *, any_policy_allowed: bool) -> None:
        """Process the certificate policies of the next certificate (steps 6.1.3 (d) and (e)).

        ``policies`` is None where it has no such extension. ``any_policy_allowed`` is the condition of (d)(2):
        inhibit_anyPolicy is greater than 0, or the certificate is self-issued and not the last. Raises
        :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`.
        """
        if policies is None:  # (e)
            self._level = {}
        elif not self.is_null:
            self._grow(dict.fromkeys(policies), any_policy_allowed=any_policy_allowed)

    def apply_mappings(self, mappings: Iterable[tuple[str, str]], *, policy_mapping_allowed: bool) -> None:
        """Process the policy mappings of that certificate (step 6.1.4 (b)).

        ``mappings`` are pairs of issuerDomainPolicy and subjectDomainPolicy; ``policy_mapping_allowed`` is True where
        policy_mapping is greater than 0. Raises
        :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`, and :class:`ValueError` for a mapping that
        :func:`mapping_violation` rejects.
        """
        equivalent: dict[str, dict[str, None]] = {}
        for issuer_domain_policy, subject_domain_policy in mappings:
            equivalent.setdefault(issuer_domain_policy, {})[subject_domain_policy] = None
            if ANY_POLICY in {issuer_domain_policy, subject_domain_policy}:
                raise ValueError("anyPolicy is never mapped; call mapping_violation() first")
        level = self._level
        for policy, subject_domain_policies in equivalent.items():
            if not policy_mapping_allowed:  # (b)(2)
                level.pop(policy, None)
                continue
            node = level.get(policy)
            if node is None and ANY_POLICY in level:  # (b)(1), second paragraph
                siblings = level[ANY_POLICY].parents
                self._budget.spend("policy_nodes")
                self._budget.spend("policy_edges", siblings)
                node = _Node((), self._bit(policy), siblings)
            if node is not None:
                level[policy] = node._replace(expected_policy_set=tuple(subject_domain_policies))

    def authority_constrained_policy_set(self) -> frozenset[str]:
        """Return the policies that the path asserts, in the trust anchor's domain (step 6.1.5 (g)(1) to (4)).

        anyPolicy is among them where the path allows every policy. Empty where the graph is NULL.
        """
        descended = reduce(or_, (node.descends_from for node in self._level.values()), 0)
        asserted = {policy for policy, bit in self._bits.items() if bit & descended}
        if ANY_POLICY in self._level:
            asserted.add(ANY_POLICY)
        return frozenset(asserted)

    def user_constrained_policy_set(self, user_initial_policy_set: Iterable[str]) -> frozenset[str]:
        """Return the asserted policies that the user accepts (step 6.1.5 (g)(5) and (6)); anyPolicy accepts all.

        A path that needs an explicit policy fails where this is empty (RFC 9618 section 5.5, last paragraph).
        """
        asserted = self.authority_constrained_policy_set()
        accepted = frozenset(user_initial_policy_set)
        if ANY_POLICY in accepted:
            return asserted
        return accepted if ANY_POLICY in asserted else asserted & accepted

    def _grow(self, policies: Mapping[str, object], *, any_policy_allowed: bool) -> None:
        """Replace the nodes of the last depth by those of the next (step 6.1.3 (d)(1) to (3))."""
        above = self._level
        expecting: dict[str, list[_Node]] = {}
        for node in above.values():
            for policy in node.expected_policy_set:
                expecting.setdefault(policy, []).append(node)
        unmatched = [above[ANY_POLICY]] if ANY_POLICY in above else []
        grown = {
            policy: parents
            for policy in policies
            if policy != ANY_POLICY and (parents := expecting.get(policy, unmatched))  # (d)(1)(i), (ii)
        }
        if ANY_POLICY in policies and any_policy_allowed:  # (d)(2)
            grown = {**expecting, **grown}
        self._budget.spend("policy_nodes", len(grown))
        self._budget.spend("policy_edges", sum(map(len, grown.values())))
        self._level = {
            policy: _Node(
                (policy,),
                self._bit(policy)
                if parents is unmatched and policy != ANY_POLICY
                else reduce(or_, (parent.descends_from for parent in parents), 0),
                len(parents),
            )
            for policy, parents in grown.items()
        }

    def _bit(self, policy: str) -> int:
        return self._bits.setdefault(policy, 1 << len(self._bits))


def mapping_violation(mappings: Iterable[tuple[str, str]]) -> str | None:
    """Return what is wrong with policy mappings (RFC 5280 section 6.1.4 (a)); None where nothing is."""
    for issuer_domain_policy, subject_domain_policy in mappings:
        if issuer_domain_policy == ANY_POLICY:
            return f"its policy mappings map anyPolicy to {subject_domain_policy}"
        if subject_domain_policy == ANY_POLICY:
            return f"its policy mappings map {issuer_domain_policy} to anyPolicy"
    return None
