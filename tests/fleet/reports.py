"""Reports on bundles at random, with names and messages of every kind of character, and some by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st

from pkcs12kit.fleet.outcomes import BundleOutcome, Ending, Status
from pkcs12kit.fleet.report import FleetReport
from pkcs12kit.hints import Hint

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
STATUSES = {
    "run": (Status.CREATED, Status.REWRITTEN, Status.UNCHANGED, Status.FAILED, Status.DEFERRED),
    "plan": (Status.CREATE, Status.REWRITE, Status.UNCHANGED, Status.FAILED, Status.DEFERRED),
    "check": (Status.VALID, Status.FAILED),
}
ANY = st.text(st.characters(codec=None), max_size=12)
"""Also control characters, lone surrogates, marks of direction and characters that no XML may have."""
NASTY = st.sampled_from(
    (
        "\x00",
        "\x1b[2J",
        "]]>",
        "<failure/>",
        "&amp;",
        '"',
        "\\",
        "\n",
        "a\nb{x} 1",
        "\ud800",
        "\ufffe",
        "\u202e",
        "\r\n# HELP",
    )
)
TEXTS = st.one_of(ANY, NASTY, st.sampled_from(("no valid path: signature", "key.pem: no such file")))


def ending(label="DoD Root CA 3", days=360, digit="a"):
    """The certificate that ends first."""
    return Ending(label=label, sha256=digit * 64, not_after=NOW + timedelta(days=days))


def outcome(name, status=Status.UNCHANGED, *, days=360, label="DoD Root CA 3", digit="a", **given):
    """The outcome of a bundle with a path, that ends in so many days; without one if it failed."""
    path = (
        {}
        if status is Status.FAILED
        else {
            "expires": NOW + timedelta(days=days),
            "first_to_expire": ending(label, days, digit),
            "certificates": ("e" * 64, digit * 64),
        }
    )
    return BundleOutcome(**{"name": name, "output": f"/etc/{name}.p12", "status": status, **path, **given})


def report_of(*outcomes, mode="run", **given):
    """A report on these bundles."""
    return FleetReport(**{"manifest": Path("fleet.toml"), "mode": mode, "bundles": outcomes, "time": NOW, **given})


@st.composite
def outcomes_at_random(draw, name, mode):
    """What became of a bundle of this name."""
    instants = st.datetimes(datetime(1950, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
    status = draw(st.sampled_from(STATUSES[mode]))
    expires = draw(st.none() if status is Status.FAILED else instants)
    digit = draw(st.sampled_from("abc"))
    first = None if expires is None else Ending(label=draw(TEXTS), sha256=digit * 64, not_after=expires)
    return BundleOutcome(
        name=name,
        output=draw(TEXTS),
        status=status,
        why=tuple(draw(st.lists(TEXTS, max_size=2))),
        error=draw(TEXTS) if status is Status.FAILED else None,
        hints=tuple(Hint(text=text, command=draw(st.none() | TEXTS)) for text in draw(st.lists(TEXTS, max_size=2))),
        expires=expires,
        first_to_expire=first,
        expired_before=draw(st.none() | instants),
        ends_too_soon=expires is not None and draw(st.booleans()),
        hook_error=draw(st.none() | TEXTS),
        served_error=draw(st.none() | TEXTS),
        certificates=draw(st.sampled_from(((), ("a" * 64,), ("e" * 64, "a" * 64)))),
        warnings=tuple(draw(st.lists(TEXTS, max_size=2))),
    )


@st.composite
def reports_at_random(draw):
    """A report on bundles with different names."""
    mode = draw(st.sampled_from(sorted(STATUSES)))
    names = draw(st.lists(TEXTS, max_size=8, unique=True))
    return FleetReport(
        manifest=Path(draw(TEXTS).replace("\x00", "") or "fleet.toml"),
        mode=mode,
        bundles=tuple(draw(outcomes_at_random(name, mode)) for name in names),
        time=draw(st.datetimes(datetime(1990, 1, 1), datetime(9990, 1, 1), timezones=st.just(UTC))),  # noqa: DTZ001
        stopped=draw(st.none() | TEXTS),
        warnings=tuple(draw(st.lists(TEXTS, max_size=2))),
    )
