"""Positive controls: each kind of evidence that the attacks start from is accepted as it is."""

from __future__ import annotations

import itertools

import pytest

from pkcs12kit.paths.report import NoValidPathError

from .worlds import GOOD, KINDS, REVOKED, UNKNOWN, make, real


@pytest.mark.parametrize("bad", [False, True], ids=["good", "revoked"])
@pytest.mark.parametrize("kind", KINDS)
def test_sound_evidence_counts_in_any_order(kind, bad):
    """Sound evidence settles the server's status and the CA's, whatever stands first (RFC 5280 6.3.3, RFC 6960 3.2)."""
    world = make(kind, bad=bad)
    expected = (REVOKED if bad else GOOD, *[GOOD] * (len(world.path) - 1))
    orders = list(itertools.permutations((*world.evidence, *world.others)))
    for order in orders[:: max(1, len(orders) // 6)]:
        assert world.statuses(evidence=order) == expected, world.report(evidence=order)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "everything"])  # whose objects are alternatives
def test_each_sound_object_is_needed(kind):
    """Without any one of its objects the evidence does not show that the path is good; else it would prove little."""
    world = make(kind, bad=False)
    for left_out in world.evidence:
        rest = tuple(each for each in world.evidence if each is not left_out)
        assert set(world.statuses(evidence=(*rest, *world.others))) != {GOOD}, left_out
    if world.pool:
        assert world.statuses(pool=())[0] is UNKNOWN


@pytest.mark.parametrize("bad", [False, True], ids=["good", "revoked"])
@pytest.mark.parametrize("kind", KINDS)
def test_sound_evidence_decides_whether_a_path_is_found(kind, bad):
    """``find_path`` with mode require finds the path of a good certificate and none of a revoked one."""
    world = make(kind, bad=bad)
    if bad:
        with pytest.raises(NoValidPathError):
            world.find_path()
    else:
        assert world.find_path().target == real(world.path[0])
