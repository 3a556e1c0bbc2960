"""The choice of bundles: patterns of names, limits on changes, and the order in which they are made."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.fleet.bundles import FleetBundle
from pkcs12kit.fleet.outcomes import BundleOutcome, Status
from pkcs12kit.fleet.plan import MostChanges, chosen_bundles, within_limit

from ..thoroughness import examples

BUNDLES = tuple(FleetBundle(name=name, output=f"/{name}", folder="/") for name in ("web1", "web2", "mail", "WEB3"))


def outcome(name, status, *, before=None, expires=None):
    """An outcome; the times are years."""
    before, expires = (None if year is None else datetime(year, 1, 1, tzinfo=UTC) for year in (before, expires))
    return BundleOutcome(name=name, output=f"/{name}", status=status, expired_before=before, expires=expires)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (None, ["web1", "web2", "mail", "WEB3"]),
        ("web*", ["web1", "web2"]),
        ("web?", ["web1", "web2"]),
        ("[mw]*[2l]", ["web2", "mail"]),
        ("mail", ["mail"]),
        ("*", ["web1", "web2", "mail", "WEB3"]),
    ],
)
def test_only_some_names(pattern, names):
    """Capitals matter on every system; the order is that of the manifest."""
    assert [one.name for one in chosen_bundles(BUNDLES, pattern)] == names


@pytest.mark.parametrize("pattern", ["", "db*", "web", "mial", "["])
def test_a_name_that_nothing_has(pattern):
    """An error, and never a run over nothing that says yes."""
    with pytest.raises(InputError, match="no bundle of the manifest") as caught:
        chosen_bundles(BUNDLES, pattern)
    assert ('"mail"' in str(caught.value) or "mail" in str(caught.value)) == (pattern == "mial")


@pytest.mark.parametrize(
    ("most", "changes", "chosen", "stops"),
    [
        (0, 0, 5, False),
        (0, 1, 5, True),
        ("3", 3, 5, False),
        ("3", 4, 5, True),
        ("10%", 20, 200, False),
        ("10%", 21, 200, True),
        ("10%", 1, 9, True),
        ("0%", 0, 9, False),
        ("100%", 9, 9, False),
        ("0.5%", 1, 200, False),
        ("33.3%", 334, 1000, True),
    ],
)
def test_more_than_the_most_changes(most, changes, chosen, stops):
    """A share is of the chosen bundles, and is not rounded."""
    why = MostChanges(most).why_stopped(changes, chosen)
    assert (why is not None) == stops
    assert why is None or f"of {chosen} would change" in why


@pytest.mark.parametrize(
    "given", ["", "ten", "-1", -1, "101%", "1e3", "5 %", "%", "٣", "1.5", 2.0, True, None, "9" * 10]
)
def test_no_number_of_changes(given):
    """Refused, whatever it might have meant."""
    with pytest.raises(ArgumentError, match="max_changes"):
        MostChanges(given)


def test_the_most_urgent_come_first():
    """No file, then a file that cannot be judged, then the soonest end of what is in place."""
    planned = [
        outcome("late", Status.REWRITE, before=2031),
        outcome("fine", Status.UNCHANGED),
        outcome("soon", Status.REWRITE, before=2027),
        outcome("unknown", Status.REWRITE, expires=2040),
        outcome("new, long", Status.CREATE, expires=2040),
        outcome("new, short", Status.CREATE, expires=2030),
        outcome("bad", Status.FAILED),
    ]
    order = ["new, short", "new, long", "unknown", "soon", "late"]
    for limit in range(1, 6):
        left = within_limit(planned, limit)
        assert [one.name for one in left] == [one.name for one in planned]
        assert {one.name for one in left if one.changed} == set(order[:limit])
        assert {one.name for one in left if one.status is Status.DEFERRED} == set(order[limit:])


@given(st.lists(st.sampled_from(list(Status)), max_size=12), st.none() | st.integers(1, 8))
@settings(max_examples=examples(100), deadline=None)
def test_a_limit_touches_only_changes(statuses, limit):
    """What does not change is never deferred, and no more than the limit is left."""
    planned = [outcome(f"b{number}", status) for number, status in enumerate(statuses)]
    left = within_limit(planned, limit)
    changes = sum(one.changed for one in planned)
    assert sum(one.changed for one in left) == (changes if limit is None else min(changes, limit))
    for old, new in zip(planned, left, strict=True):
        assert new == old or (old.changed and new.status is Status.DEFERRED)
