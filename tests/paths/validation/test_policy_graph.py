"""The policy graph against RFC 9618's steps, against RFC 5280's tree, and against hostile certificates."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.validation.policy_graph import PolicyGraph, mapping_violation

from ...counting import counted_calls
from ...thoroughness import examples

ANY = "2.5.29.32.0"
RED, GOLD, SILVER, BLUE = "2.999.1", "2.999.2", "2.999.3", "2.999.4"


def graph_of(*steps, limits=DEFAULT_LIMITS):
    """Run (policies, mappings) pairs through a new graph, everything allowed."""
    graph = PolicyGraph.initial(SearchBudget(limits))
    for policies, mappings in steps:
        graph.process_policies(policies, any_policy_allowed=True)
        graph.apply_mappings(mappings, policy_mapping_allowed=True)
    return graph


# The steps, one by one


def test_initial_graph_allows_every_policy():
    """RFC 9618 section 5.2, step 6.1.2 (a): a single node, anyPolicy, at depth 0."""
    graph = PolicyGraph.initial(SearchBudget(DEFAULT_LIMITS))
    assert not graph.is_null
    assert graph.authority_constrained_policy_set() == {ANY}
    assert graph.user_constrained_policy_set({GOLD}) == {GOLD}


def test_unmatched_policy_hangs_from_any_policy():
    """Step 6.1.3 (d)(1)(ii): no expected_policy_set holds the policy, a node above is anyPolicy."""
    assert graph_of(([GOLD, SILVER], [])).authority_constrained_policy_set() == {GOLD, SILVER}


def test_policies_that_all_certificates_share_remain():
    """Steps 6.1.3 (d)(1)(i) and (d)(3): what the next certificate does not state is pruned, up to the first."""
    assert graph_of(([GOLD, SILVER], []), ([SILVER, BLUE], [])).authority_constrained_policy_set() == {SILVER}


def test_nothing_in_common_is_null():
    """Step 6.1.3 (d)(3): pruning reaches depth 0, and the graph is NULL."""
    graph = graph_of(([GOLD], []), ([SILVER], []))
    assert graph.is_null
    assert graph.authority_constrained_policy_set() == graph.user_constrained_policy_set({ANY}) == frozenset()


def test_no_certificate_policies_is_null_for_good():
    """Step 6.1.3 (e): without the extension the graph is NULL, and no later certificate revives it."""
    assert graph_of(([GOLD], []), (None, []), ([GOLD, ANY], [(GOLD, RED)])).is_null


def test_any_policy_passes_on_what_is_expected():
    """Step 6.1.3 (d)(2): anyPolicy in the extension stands for each expected policy, anyPolicy included."""
    assert graph_of(([GOLD, SILVER], []), ([ANY], [])).authority_constrained_policy_set() == {GOLD, SILVER}
    assert graph_of(([ANY], []), ([ANY], [])).authority_constrained_policy_set() == {ANY}


def test_any_policy_counts_only_where_allowed():
    """Step 6.1.3 (d)(2): neither inhibit_anyPolicy > 0 nor self-issued: anyPolicy in the extension means nothing."""
    graph = PolicyGraph.initial(SearchBudget(DEFAULT_LIMITS))
    graph.process_policies([ANY, GOLD], any_policy_allowed=False)
    assert graph.authority_constrained_policy_set() == {GOLD}
    graph.process_policies([ANY], any_policy_allowed=False)
    assert graph.is_null


def test_mapping_replaces_what_is_expected():
    """Step 6.1.4 (b)(1): after GOLD -> BLUE the next certificate says BLUE; the path is valid for GOLD."""
    assert graph_of(([GOLD], [(GOLD, BLUE)]), ([BLUE], [])).authority_constrained_policy_set() == {GOLD}
    assert graph_of(([GOLD], [(GOLD, BLUE)]), ([GOLD], [])).is_null


def test_mapping_one_to_many_and_many_to_one():
    """Step 6.1.4 (b)(1): GOLD and SILVER both become BLUE, GOLD becomes RED too; one BLUE node has two parents."""
    mappings = [(GOLD, BLUE), (SILVER, BLUE), (GOLD, RED)]
    assert graph_of(([GOLD, SILVER], mappings), ([BLUE], [])).authority_constrained_policy_set() == {GOLD, SILVER}
    assert graph_of(([GOLD, SILVER], mappings), ([RED], [])).authority_constrained_policy_set() == {GOLD}


def test_mapping_of_a_policy_that_any_policy_covers():
    """Step 6.1.4 (b)(1), second paragraph: the mapped policy gets a node of its own beside anyPolicy."""
    graph = graph_of(([ANY], [(GOLD, BLUE)]), ([BLUE], []))
    assert graph.authority_constrained_policy_set() == {GOLD}
    assert graph_of(([SILVER], [(GOLD, BLUE)]), ([BLUE], [])).is_null


def test_inhibited_mapping_deletes_the_policy():
    """Step 6.1.4 (b)(2): policy_mapping is 0, so a mapped policy goes, and what is left above it without children."""
    graph = PolicyGraph.initial(SearchBudget(DEFAULT_LIMITS))
    graph.process_policies([GOLD, SILVER], any_policy_allowed=True)
    graph.process_policies([GOLD, SILVER], any_policy_allowed=True)
    graph.apply_mappings([(GOLD, BLUE), (RED, BLUE)], policy_mapping_allowed=False)
    assert graph.authority_constrained_policy_set() == {SILVER}
    graph.apply_mappings([(SILVER, BLUE)], policy_mapping_allowed=False)
    assert graph.is_null


def test_user_constrained_set_is_what_the_user_accepts():
    """Step 6.1.5 (g)(6): elements outside user-initial-policy-set go; anyPolicy stands for each OID in it."""
    graph = graph_of(([GOLD, SILVER], []))
    assert graph.user_constrained_policy_set({SILVER, BLUE}) == {SILVER}
    assert graph.user_constrained_policy_set({BLUE}) == frozenset()
    assert graph.user_constrained_policy_set({ANY, BLUE}) == {GOLD, SILVER}
    assert graph_of(([ANY, GOLD], [])).user_constrained_policy_set({SILVER}) == {SILVER}


def test_policies_are_named_in_the_anchors_domain():
    """Section 4.2 of RFC 9618: the sets hold what the trust anchor's side calls a policy, through two mappings."""
    graph = graph_of(([RED], [(RED, GOLD)]), ([GOLD], [(GOLD, BLUE)]), ([BLUE], []))
    assert graph.authority_constrained_policy_set() == {RED}


@pytest.mark.parametrize("mapping", [(ANY, GOLD), (GOLD, ANY)])
def test_any_policy_is_never_mapped(mapping):
    """Step 6.1.4 (a): anyPolicy is neither an issuerDomainPolicy nor a subjectDomainPolicy."""
    assert "anyPolicy" in mapping_violation([(GOLD, BLUE), mapping])
    assert mapping_violation([(GOLD, BLUE)]) is None
    graph = graph_of(([GOLD], []))
    with pytest.raises(ValueError, match="anyPolicy"):
        graph.apply_mappings([mapping], policy_mapping_allowed=True)


# Against RFC 5280's tree


class Tree:
    """RFC 5280's valid_policy_tree, word for word and exponential: what RFC 9618 says its graph is equal to."""

    class Node:
        """One of possibly many nodes of a policy at a depth, with one parent."""

        def __init__(self, depth, policy, parent):
            self.depth, self.policy, self.parent, self.children, self.expected = depth, policy, parent, [], {policy}
            if parent:
                parent.children.append(self)

    def __init__(self):
        self.root = self.Node(0, ANY, None)

    def nodes(self, depth=None):
        """Yield all nodes, or those of one depth."""
        pending = [self.root] if self.root else []
        while pending:
            node = pending.pop()
            pending += node.children
            if depth is None or node.depth == depth:
                yield node

    def prune(self, depth):
        """Delete nodes of depth ``depth - 1`` or less without children, again and again."""
        while barren := [node for node in self.nodes() if node.depth < depth and not node.children]:
            for node in barren:
                self.delete(node)

    def delete(self, node):
        """Delete a node with all below it."""
        if node.parent:
            node.parent.children.remove(node)
        else:
            self.root = None

    def process(self, depth, policies, *, any_allowed):
        """6.1.3 (d) and (e)."""
        if policies is None:
            self.root = None
            return
        above = list(self.nodes(depth - 1))
        for policy in set(policies) - {ANY}:
            matched = [node for node in above if policy in node.expected]
            for node in matched or [node for node in above if node.policy == ANY]:
                self.Node(depth, policy, node)
        if ANY in policies and any_allowed:
            for node in above:
                for policy in node.expected - {child.policy for child in node.children}:
                    self.Node(depth, policy, node)
        self.prune(depth)

    def map(self, depth, mappings, *, allowed):
        """6.1.4 (b)."""
        for policy in {issuer for issuer, _ in mappings}:
            found = [node for node in self.nodes(depth) if node.policy == policy]
            if allowed:
                if not found and (unmapped := [node for node in self.nodes(depth) if node.policy == ANY]):
                    found = [self.Node(depth, policy, unmapped[0].parent)]
                for node in found:
                    node.expected = {subject for issuer, subject in mappings if issuer == policy}
            else:
                for node in found:
                    self.delete(node)
                self.prune(depth)

    def intersect(self, depth, user_initial_policy_set):
        """6.1.5 (g); returns the policies of valid_policy_node_set that are left, without inner anyPolicy nodes."""
        if self.root and ANY not in user_initial_policy_set:
            for node in list(self.node_set()):
                if node.policy not in {ANY, *user_initial_policy_set}:
                    self.delete(node)
            for node in [node for node in self.nodes(depth) if node.policy == ANY]:
                for policy in user_initial_policy_set - {found.policy for found in self.node_set()}:
                    self.Node(depth, policy, node.parent)
                self.delete(node)
            self.prune(depth)
        return {node.policy for node in self.node_set() if node.policy != ANY or node.depth == depth}

    def node_set(self):
        """Step (g)(iii)(1): valid_policy_node_set."""
        return [node for node in self.nodes() if node.parent and node.parent.policy == ANY]


policies = st.sampled_from([RED, GOLD, SILVER, BLUE])
certificates = st.tuples(
    st.integers(0, 19).flatmap(
        lambda lot: st.lists(policies | st.just(ANY), min_size=2, max_size=4) if lot else st.none()
    ),
    st.sampled_from([True, True, False]),
    st.lists(st.tuples(policies, policies), max_size=4),
    st.sampled_from([True, True, True, False]),
)


def run(path):
    """Run a path through graph and tree, comparing after each step the last depth and what it descends from."""

    def compare():
        last = max((node.depth for node in tree.nodes()), default=0)
        assert {node.policy for node in tree.nodes(last)} == graph.policies
        asserted = {node.policy for node in tree.node_set() if node.policy != ANY or node.depth == last}
        assert graph.authority_constrained_policy_set() - {ANY} == asserted - {ANY}
        assert graph.is_null == (tree.root is None)

    graph, tree = PolicyGraph.initial(SearchBudget(DEFAULT_LIMITS)), Tree()
    for depth, (stated, any_allowed, mappings, mapping_allowed) in enumerate(path, start=1):
        graph.process_policies(stated, any_policy_allowed=any_allowed)
        tree.process(depth, stated, any_allowed=any_allowed)
        compare()
        if depth < len(path):
            graph.apply_mappings(mappings, policy_mapping_allowed=mapping_allowed)
            tree.map(depth, mappings, allowed=mapping_allowed)
            compare()
    return graph, tree


@settings(deadline=None, max_examples=examples(300))
@given(path=st.lists(certificates, min_size=1, max_size=5), user_initial_policy_set=st.sets(policies, min_size=1))
def test_graph_gives_what_the_tree_gives(path, user_initial_policy_set):
    """RFC 9618, abstract: 'an equivalent, but more efficient, algorithm'."""
    graph, tree = run(path)
    assert graph.authority_constrained_policy_set() == tree.intersect(len(path), {ANY})
    assert graph.user_constrained_policy_set(user_initial_policy_set) == tree.intersect(
        len(path), user_initial_policy_set
    )


@settings(deadline=None)
@given(path=st.lists(certificates, min_size=1, max_size=4), user=st.sets(policies, min_size=1), dropped=policies)
def test_a_smaller_user_set_never_accepts_more(path, user, dropped):
    """Step 6.1.5 (g)(6) removes: shrinking user-initial-policy-set never turns a no into a yes."""
    graph, _ = run(path)
    assert graph.user_constrained_policy_set(user - {dropped}) <= graph.user_constrained_policy_set(user)
    assert bool(graph.user_constrained_policy_set({ANY})) >= bool(graph.user_constrained_policy_set(user))


@settings(deadline=None)
@given(path=st.lists(certificates, min_size=1, max_size=4), random=st.randoms())
def test_order_in_the_extensions_does_not_matter(path, random):
    """RFC 5280 sections 4.2.1.4 and 4.2.1.5 give the order of policies and mappings no meaning."""
    shuffled = [
        (stated and random.sample(stated, len(stated)), any_allowed, random.sample(mappings, len(mappings)), allowed)
        for stated, any_allowed, mappings, allowed in path
    ]
    assert run(path)[0].authority_constrained_policy_set() == run(shuffled)[0].authority_constrained_policy_set()


# Hostile certificates


def many(count):
    """Make that many policies."""
    return [f"2.999.{arc}" for arc in range(count)]


def test_the_tree_that_doubles_stays_small():
    """RFC 9618 section 3.2: two policies that map onto both of themselves double a tree at each certificate."""
    budget = SearchBudget(DEFAULT_LIMITS)
    graph = PolicyGraph.initial(budget)
    both_ways = [(left, right) for left in (GOLD, SILVER) for right in (GOLD, SILVER)]
    for _ in range(100):
        graph.process_policies([GOLD, SILVER], any_policy_allowed=True)
        graph.apply_mappings(both_ways, policy_mapping_allowed=True)
    assert graph.authority_constrained_policy_set() == {GOLD, SILVER}
    assert budget.spent("policy_nodes") == 200
    assert budget.spent("policy_edges") == 2 + 99 * 4


@pytest.mark.parametrize(
    ("limit", "step"),
    [
        ("policy_nodes", (many(3_000), [(policy, policy) for policy in many(3_000)])),
        ("policy_edges", (many(150), [(left, right) for left in many(150) for right in many(150)])),
    ],
)
def test_hostile_policies_and_mappings_end_at_a_budget(limit, step):
    """RFC 9618 section 3: thousands of policies, and mappings many to many, end at the budget."""
    with counted_calls() as calls, pytest.raises(BudgetExhaustedError) as caught:
        graph_of(*[step] * 120)
    assert caught.value.limit == limit
    assert calls.total() < 1_000_000


def test_a_budget_is_inclusive():
    """Limits are inclusive: as many nodes as the limit says are still made."""
    limits = dataclasses.replace(DEFAULT_LIMITS, policy_nodes=2)
    assert not graph_of(([GOLD], []), ([GOLD], []), limits=limits).is_null
    with pytest.raises(BudgetExhaustedError):
        graph_of(([GOLD], []), ([GOLD], []), ([GOLD], []), limits=limits)
