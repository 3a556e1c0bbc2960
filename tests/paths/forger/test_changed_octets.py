"""Single octets changed in sound evidence, wherever they stand: what a signature covers does not count any more."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkcs12kit.errors import InputError

from .worlds import KINDS, make

if TYPE_CHECKING:
    from .worlds import World

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def check(kind, bad, place, octet, mask):
    """Change one octet of one object: the answer is the one without the object, or bytes that cannot be read.

    Only where the octet is outside the signed part and the signature, the object may count as before.
    """
    case = make_case(kind, bad, place)
    data = bytearray(case.original.der)
    data[octet] ^= mask
    allowed = {case.without} if _is_covered(case.original, octet) else {case.without, case.whole}
    try:
        found = case.world.statuses(evidence=(_like(case.original, bytes(data)), *case.rest))
    except InputError:
        return
    assert found in allowed, (str(case.original), octet, mask)


class Case(NamedTuple):
    """One object of a world's evidence, and the answers without it and with it."""

    world: World
    original: object
    rest: tuple
    without: object
    whole: object


@cache
def make_case(kind, bad, place):
    """Make the world once: thousands of changes are held against the same two answers."""
    world = make(kind, bad=bad)
    original = world.evidence[place]
    rest = (*world.evidence[:place], *world.evidence[place + 1 :], *world.others)
    answers = (world.statuses(evidence=rest), world.statuses(evidence=(original, *rest)))
    return Case(world, original, rest, *answers)


def _is_covered(original, octet):
    """Return True for octets of the signed part and of the signature's value, the evidence's own."""
    for part in (original.tbs, original.signature_octets):
        start = original.der.index(part)
        if start <= octet < start + len(part):
            return True
    return False


def _like(original, data):
    """Return the same kind of object with other octets."""
    changed = original.but()
    changed.__dict__["der"] = data  # where the encoding is remembered
    return changed


@EVERY_KIND
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_changed_octet(kind, data):
    """Any octet of any object, changed in any way (RFC 5280 section 6.3.3 (g), RFC 6960 section 3.2)."""
    bad = data.draw(st.booleans())
    evidence = make(kind, bad=bad).evidence
    place = data.draw(st.sampled_from(range(len(evidence))))
    octet = data.draw(st.integers(0, len(evidence[place].der) - 1))
    check(kind, bad, place, octet, data.draw(st.integers(1, 255)))


@pytest.mark.slow
@EVERY_KIND
@pytest.mark.parametrize("bad", [False, True], ids=["good", "revoked"])
def test_each_octet_changed(kind, bad):
    """Each octet of each object, with one bit and with all bits changed in turn."""
    for place, original in enumerate(make(kind, bad=bad).evidence):
        for octet in range(len(original.der)):
            check(kind, bad, place, octet, 255 if (octet + bad) % 2 else 1)


@EVERY_KIND
def test_more_and_fewer_octets(kind):
    """Octets after the object, or missing at its end, make it unreadable or worthless."""
    world = make(kind, bad=False)
    for place, original in enumerate(world.evidence):
        rest = (*world.evidence[:place], *world.evidence[place + 1 :], *world.others)
        for data in (original.der[:-1], original.der + b"\0", original.der + original.der):
            try:
                found = world.statuses(evidence=(_like(original, data), *rest))
            except InputError:
                continue
            assert found == world.statuses(evidence=rest)
