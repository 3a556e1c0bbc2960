"""A forger without a key of any CA or responder changes no answer, for better or for worse.

An attacker makes any objects as :mod:`forgeries` has it, puts them beside genuine evidence or in its place, in any
order. The answer for each certificate must be the one by the genuine objects only (RFC 5280 section 6.3.3 (f) and (g),
RFC 6960 section 3.2): never better, and never worse, as a stranger revokes nothing.
"""

from __future__ import annotations

import itertools
from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pkcs12kit.errors import InputError, MalformedCertificateError
from pkcs12kit.paths.report import NoValidPathError

from ...thoroughness import examples
from .changes import opposite
from .forgeries import forge, forged_certificates, forged_evidence, look_alike, serials_of, single_forgeries
from .objects import Certificate
from .worlds import KINDS, make, real

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
# Not shrunk: each forgery tells by its label what was changed, and to shrink an attack takes minutes.
QUICK = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


@cache
def sound(kind, bad, kept, pool):
    """Return the statuses by genuine objects only, which are given by their positions."""
    world = make(kind, bad=bad)
    genuine = (*world.evidence, *world.others)
    return world.statuses(evidence=[genuine[at] for at in kept], pool=[world.pool[at] for at in pool])


def allowed(kind, bad, kept, pool, wrapped):
    """Return the answers by the genuine objects kept, with each choice of those that were wrapped differently."""
    world = make(kind, bad=bad)
    genuine = (*world.evidence, *world.others)
    places = [genuine.index(each) for each in wrapped]
    choices = (more for size in range(len(places) + 1) for more in itertools.combinations(places, size))
    return {sound(kind, bad, tuple(sorted({*kept, *more})), pool) for more in choices}


def readable(forgery):
    """Return True if the library reads the object, which is a question for other tests."""
    try:
        if not isinstance(forgery.made, Certificate):
            make("crl_full", bad=False).report(evidence=[forgery.made])
            return True
        real(forgery.made)
    except (MalformedCertificateError, InputError):
        return False
    return forgery.wraps is None


def attack(kind, data):
    """Draw an attack and check the answer."""
    bad = data.draw(st.booleans(), label="revoked")
    world = make(kind, bad=bad)
    genuine = (*world.evidence, *world.others)
    dropped = data.draw(st.sets(st.sampled_from(range(len(genuine))), max_size=2), label="dropped")
    kept = tuple(at for at in range(len(genuine)) if at not in dropped)
    pool = tuple(range(len(world.pool))) if data.draw(st.integers(0, 3)) else ()
    certificates = data.draw(st.lists(forged_certificates(world).filter(readable), max_size=3), label="certificates")
    made = [each.made for each in certificates]
    forged = data.draw(st.lists(forged_evidence(world, made).filter(readable), min_size=1, max_size=3), label="forged")
    wrapped = [each.wraps for each in forged if each.wraps is not None]
    evidence = data.draw(st.permutations([*(genuine[at] for at in kept), *(each.made for each in forged)]))
    beside = data.draw(st.permutations([*(world.pool[at] for at in pool), *made]))
    found = world.report(evidence=evidence, pool=beside)
    assert tuple(each.status for each in found.statuses) in allowed(kind, bad, kept, pool, wrapped), found


@EVERY_KIND
@QUICK
@given(data=st.data())
def test_forged_objects_change_no_answer(kind, data):
    """Up to three look-alikes and three forged lists or responses, beside all, some or none of the genuine ones."""
    attack(kind, data)


@pytest.mark.slow
@EVERY_KIND
@settings(parent=QUICK, max_examples=examples(100))
@given(data=st.data())
def test_forged_objects_change_no_answer_at_length(kind, data):
    """The same with thousands of examples."""
    attack(kind, data)


def half(forgeries, first):
    """Return every other change, signed in both ways: they follow each other in twos, after one without a change."""
    return [forgery for at, forgery in enumerate(forgeries, 1) if (at // 2 + first) % 2]


@pytest.mark.slow
@EVERY_KIND
@pytest.mark.parametrize("bad", [False, True], ids=["good", "revoked"])
def test_each_single_change_changes_no_answer(kind, bad):
    """Every change, one at a time: in place of the genuine object, of all, before them and after them.

    A change is tried with the good certificates or with a revoked one, and in the next kind with the other.
    """
    world = make(kind, bad=bad)
    genuine = (*world.evidence, *world.others)
    everything, pool = tuple(range(len(genuine))), tuple(range(len(world.pool)))
    certificates, evidence = single_forgeries(world)
    first = (list(KINDS).index(kind) + bad) % 2
    for original, forgery in half(evidence, first):
        if not readable(forgery):
            continue
        wrapped = [forgery.wraps] if forgery.wraps else []
        for left_out in ({genuine.index(original)}, set(), set(everything)):
            kept = tuple(at for at in everything if at not in left_out)
            rest = [genuine[at] for at in kept]
            for order in ([forgery.made, *rest], [*rest, forgery.made])[: 1 if left_out else 2]:
                assert world.statuses(evidence=order) in allowed(kind, bad, kept, pool, wrapped), forgery
    for _, forgery in half(certificates, first):
        if not readable(forgery):
            continue
        for order in ([forgery.made, *world.pool], [*world.pool, forgery.made]):
            assert world.statuses(evidence=genuine, pool=order) == sound(kind, bad, everything, pool), forgery
        for left_out in world.pool:
            rest = [each for each in world.pool if each is not left_out]
            without = tuple(at for at, each in enumerate(world.pool) if each is not left_out)
            found = world.statuses(evidence=genuine, pool=[forgery.made, *rest])
            assert found == sound(kind, bad, everything, without), forgery


@EVERY_KIND
@pytest.mark.parametrize("bad", [False, True], ids=["good", "revoked"])
def test_look_alike_of_each_signer_is_not_believed(kind, bad):
    """Each signer of evidence has a look-alike with a stranger's key, which signs the same and the opposite.

    The look-alike has the name, the extensions and the signature octets of the certificate, with and without its
    serial number; it stands in the response, and in the pool as well.
    """
    world = make(kind, bad=bad)
    genuine = (*world.evidence, *world.others)
    pool = tuple(range(len(world.pool)))
    imposters = [
        look_alike(each, signing, serial=serial)
        for each in world.certificates
        for signing, serial in (("kept", each.serial), ("kept", 4900), ("stranger", 4900))
    ]
    for at, original in enumerate(world.evidence):
        kept = tuple(other for other in range(len(genuine)) if other != at)
        rest = [genuine[other] for other in kept]
        fields = {} if not hasattr(original, "certificates") else {"certificates": tuple(imposters)}
        for turned in ({}, opposite(original, serials_of(world))):
            forged = forge(original, "stranger", **fields, **turned).made
            for beside in (world.pool, (*imposters, *world.pool)):
                found = world.statuses(evidence=[forged, *rest], pool=beside)
                assert found == sound(kind, bad, kept, pool), original
                found = world.statuses(evidence=[*genuine, forged], pool=beside)
                assert found == sound(kind, bad, tuple(range(len(genuine))), pool), original


@EVERY_KIND
@settings(parent=QUICK, max_examples=2)
@given(data=st.data())
def test_forged_objects_change_no_path(kind, data):
    """``find_path`` with mode require finds the same path, or none, with the forged objects in the pool and beside."""
    bad = data.draw(st.booleans(), label="revoked")
    world = make(kind, bad=bad)
    certificates = data.draw(st.lists(forged_certificates(world).filter(readable), max_size=3), label="certificates")
    made = [each.made for each in certificates]
    forged = data.draw(st.lists(forged_evidence(world, made).filter(readable), max_size=3), label="forged")
    evidence = data.draw(st.permutations([*world.evidence, *world.others, *(each.made for each in forged)]))
    beside = data.draw(st.permutations([*world.pool, *made]))
    if bad:
        with pytest.raises(NoValidPathError):
            world.find_path(evidence=evidence, pool=beside)
    else:
        found = world.find_path(evidence=evidence, pool=beside)
        assert found.certificates == world.find_path().certificates
