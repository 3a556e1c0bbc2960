"""The valid_policy_graph of RFC 9618, which replaces the policy tree of RFC 5280 section 6.1.

A tree doubles with each certificate that maps two policies onto two; the graph has one node for a policy at a depth.
Its parent links come from the pairs that a certificate lists, so they grow with the input, not with its square.

Policy qualifiers are not kept: RFC 9618 section 5.5 (step (g)(4)(ii)) does not recommend to return them, and without
that nothing else reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.certificates.extensions import ANY_POLICY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pkcs12kit.paths.budget import Budget


class _Node:
    """A policy at one depth. ``children`` counts them: a node goes when its last child has gone."""

    __slots__ = ("children", "depth", "expected_policy_set", "parents", "valid_policy")

    def __init__(self, depth: int, valid_policy: str, parents: tuple[_Node, ...]) -> None:
        self.depth = depth
        self.valid_policy = valid_policy
        self.parents = parents
        self.expected_policy_set: tuple[str, ...] = (valid_policy,)
        self.children = 0
        for parent in parents:
            parent.children += 1


class PolicyGraph:
    """The state variable valid_policy_graph during one validation. Policies are dotted object identifiers.

    A directed acyclic graph by depth: depth 0 holds anyPolicy alone, depth i what certificate i made of it, and a
    policy occurs once at a depth. Steps come in the order of the path, each depth once; they change the graph.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._levels: list[dict[str, _Node]] = []
        self._depth = 0

    @classmethod
    def initial(cls, budget: Budget) -> PolicyGraph:
        """Make the graph as it is before the first certificate (RFC 9618 section 5.2, step 6.1.2 (a)).

        Each later node counts against ``policy_nodes`` and each link to a parent against ``policy_edges``.
        """
        graph = cls(budget)
        graph._levels.append({ANY_POLICY: _Node(0, ANY_POLICY, ())})
        return graph

    @property
    def is_null(self) -> bool:
        """Whether the graph is NULL: no policy is valid for the whole path so far."""
        return not self._levels

    def process_policies(self, depth: int, policies: Iterable[str] | None, *, any_policy_allowed: bool) -> None:
        """Let certificate ``depth``, counted from 1, state its certificate policies (steps 6.1.3 (d) and (e)).

        ``policies`` is None where it has no such extension. ``any_policy_allowed`` is the condition of (d)(2):
        inhibit_anyPolicy is greater than 0, or the certificate is self-issued and not the last. Raises
        :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`, and :class:`ValueError` where ``depth`` does not
        follow the last one.
        """
        self._follow(depth, self._depth + 1)
        self._depth = depth
        if policies is None:  # (e)
            self._levels.clear()
        elif not self.is_null:
            self._grow(depth, dict.fromkeys(policies), any_policy_allowed=any_policy_allowed)
            for node in [node for node in self._levels[depth - 1].values() if not node.children]:  # (d)(3)
                self._delete(node)
            self._become_null_if_empty()

    def apply_mappings(self, depth: int, mappings: Iterable[tuple[str, str]], *, policy_mapping_allowed: bool) -> None:
        """Let certificate ``depth`` map policies, pairs of issuerDomainPolicy and subjectDomainPolicy (step 6.1.4 (b)).

        ``policy_mapping_allowed`` says whether policy_mapping is greater than 0. Raises
        :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`, and :class:`ValueError` for a mapping that
        :func:`mapping_violation` refuses or a ``depth`` that is not the last one processed.
        """
        self._follow(depth, self._depth)
        equivalent: dict[str, dict[str, None]] = {}
        for issuer_domain_policy, subject_domain_policy in mappings:
            equivalent.setdefault(issuer_domain_policy, {})[subject_domain_policy] = None
            if ANY_POLICY in {issuer_domain_policy, subject_domain_policy}:
                raise ValueError("anyPolicy is never mapped; ask mapping_violation() first")
        if self.is_null:
            return
        level = self._levels[-1]
        for policy, subject_domain_policies in equivalent.items():
            node = level.get(policy)
            if not policy_mapping_allowed:  # (b)(2)
                if node:
                    self._delete(node)
                continue
            if node is None and ANY_POLICY in level:  # (b)(1), second paragraph
                self._budget.spend("policy_nodes")
                self._budget.spend("policy_edges", len(level[ANY_POLICY].parents))
                node = level[policy] = _Node(depth, policy, level[ANY_POLICY].parents)
            if node:
                node.expected_policy_set = tuple(subject_domain_policies)
        self._become_null_if_empty()

    def authority_constrained_policy_set(self) -> frozenset[str]:
        """List the policies that the path asserts, in the trust anchor's domain (step 6.1.5 (g)(1) to (4)).

        anyPolicy is among them where the path allows every policy. Empty when the graph is NULL.
        """
        asserted = {
            node.valid_policy
            for level in self._levels
            for node in level.values()
            if node.valid_policy != ANY_POLICY and node.parents[0].valid_policy == ANY_POLICY
        }
        if self._levels and ANY_POLICY in self._levels[-1]:
            asserted.add(ANY_POLICY)
        return frozenset(asserted)

    def user_constrained_policy_set(self, user_initial_policy_set: Iterable[str]) -> frozenset[str]:
        """List those of them that the user accepts (step 6.1.5 (g)(5) and (6)); anyPolicy accepts all.

        A path that needs an explicit policy fails when this is empty (RFC 9618 section 5.5, last paragraph).
        """
        asserted = self.authority_constrained_policy_set()
        accepted = frozenset(user_initial_policy_set)
        if ANY_POLICY in accepted:
            return asserted
        return accepted if ANY_POLICY in asserted else asserted & accepted

    def _grow(self, depth: int, policies: Mapping[str, object], *, any_policy_allowed: bool) -> None:
        """Add the nodes of one depth (step 6.1.3 (d)(1) and (2))."""
        above = self._levels[depth - 1]
        level: dict[str, _Node] = {}
        self._levels.append(level)
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
        for policy, parents in grown.items():
            level[policy] = _Node(depth, policy, tuple(parents))

    def _delete(self, node: _Node) -> None:
        """Delete a node, and each node above that is left without children (steps 6.1.3 (d)(3), 6.1.4 (b)(2)(ii))."""
        doomed = [node]
        while doomed:
            node = doomed.pop()
            self._levels[node.depth].pop(node.valid_policy)
            for parent in node.parents:
                parent.children -= 1
                if not parent.children:
                    doomed.append(parent)

    def _become_null_if_empty(self) -> None:
        """Forget the graph when nothing is left at its last depth, and so, by pruning, nothing at all."""
        if not self._levels[-1]:
            self._levels.clear()

    @staticmethod
    def _follow(depth: int, expected: int) -> None:
        if depth != expected:
            raise ValueError(f"depth {depth} where {expected} is next")


def mapping_violation(mappings: Iterable[tuple[str, str]]) -> str | None:
    """Say what is wrong with policy mappings (RFC 5280 section 6.1.4 (a)), None when nothing is."""
    for issuer_domain_policy, subject_domain_policy in mappings:
        if issuer_domain_policy == ANY_POLICY:
            return f"its policy mappings map anyPolicy to {subject_domain_policy}"
        if subject_domain_policy == ANY_POLICY:
            return f"its policy mappings map {issuer_domain_policy} to anyPolicy"
    return None
