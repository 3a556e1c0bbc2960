"""Several CRLs that belong together: deltas, parts by reason or place, indirect CRLs, a CA's new key."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from .. import der
from .crl_scopes import ALL_REASONS, KEY_COMPROMISE, Point, Scope
from .objects import DAY, HOUR, Certificate, Crl, Entry, extension, name
from .worlds import Level, Scenario, Verdict, plain_levels, scenario_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

_GOOD, _REVOKED, _UNKNOWN = Verdict.GOOD, Verdict.REVOKED, Verdict.UNKNOWN
_FRESHEST: Final = extension(
    "2.5.29.46", der.sequence(der.sequence(der.explicit(0, der.explicit(0, der.implicit(6, b"http://crl.invalid/d")))))
)
SIGNER_SERIAL: Final = 7200
_INDIRECT_SCOPE: Final = Scope(indirect=True)
_SIGNER: Final = name("CRL Signer")


def _delta(level: Level, *, base: int = 5, **changes: object) -> Crl:
    """Return a delta CRL to the level's CRL, which is number 5."""
    indicator = extension("2.5.29.27", der.integer(base), critical=True)
    extensions = (*level.crl.extensions, indicator)
    details = {"number": 6, "begin": -HOUR, "entries": (), "extensions": extensions} | changes
    return dataclasses.replace(level.crl, **details)


def _with_delta(*, freshest: bool = True, reason: str | None = None, lists: str | None = None, **changes: object):
    """Return a change: the certificate is on the full CRL for a reason, and on a delta CRL for another."""

    def change(level: Level) -> Level:
        if reason is not None:
            level = level.listed(reason=reason)
        entries = (Entry(serial=level.serial, reason=lists),) if lists else ()
        delta = _delta(level, **{"entries": entries} | changes)
        return (level.with_extensions(_FRESHEST) if freshest else level).beside(delta)

    return change


DELTAS: Final = {
    "empty": (_with_delta(), _GOOD),
    "revokes": (_with_delta(lists="keyCompromise"), _REVOKED),
    "revokes-without-freshest": (_with_delta(lists="keyCompromise", freshest=False), _REVOKED),
    "removes-hold": (_with_delta(reason="certificateHold", lists="removeFromCRL"), _GOOD),
    "removes-what-is-not-listed": (_with_delta(lists="removeFromCRL"), _GOOD),
    "keeps-hold": (_with_delta(reason="certificateHold"), _REVOKED),
    "expired-removes": (
        _with_delta(reason="certificateHold", lists="removeFromCRL", begin=-3 * DAY, end=-2 * DAY),
        _REVOKED,
    ),
    "altered-removes": (_with_delta(reason="certificateHold", lists="removeFromCRL", altered=True), _REVOKED),
    "forged-removes": (_with_delta(reason="certificateHold", lists="removeFromCRL", signer="stranger"), _REVOKED),
    "forged-revokes": (_with_delta(lists="keyCompromise", signer="stranger"), _GOOD),
    "of-newer-base-removes": (_with_delta(reason="certificateHold", lists="removeFromCRL", base=6, number=7), _REVOKED),
    "of-newer-base-revokes": (_with_delta(lists="keyCompromise", base=6, number=7), _GOOD),
    "of-the-full-crls-number": (_with_delta(number=5), _GOOD),
    "of-the-full-crls-number-listed": (_with_delta(reason="keyCompromise", lists="keyCompromise", number=5), _REVOKED),
    "older-than-full": (_with_delta(base=3, number=4, begin=-DAY), _GOOD),
    "older-than-full-removes": (
        _with_delta(reason="certificateHold", lists="removeFromCRL", base=3, number=4, begin=-DAY),
        _REVOKED,
    ),
    "of-another-scope-removes": (
        _with_delta(
            reason="certificateHold",
            lists="removeFromCRL",
            extensions=(
                extension("2.5.29.27", der.integer(5), critical=True),
                extension("2.5.29.28", der.sequence(der.implicit(1, b"\xff")), critical=True),
            ),
        ),
        _REVOKED,
    ),
}


def _parts(*scopes: tuple[Scope, bool], points: tuple[Point, ...] = ()) -> Callable[[Level], Level]:
    """Return a change: a CRL of each scope in place of the full one, with the certificate listed or not."""

    def change(level: Level) -> Level:
        crls = []
        for number, (scope, listed) in enumerate(scopes, 5):
            part = level.with_crl(extensions=(scope.encode(level.issuer),), number=number)
            crls.append((part.listed() if listed else part).crl)
        if points:
            encoded = (point.encode(level.issuer, level.issuer) for point in points)
            level = level.with_extensions(extension("2.5.29.31", der.sequence(*encoded)))
        return dataclasses.replace(level, crls=tuple(crls))

    return change


_COMPROMISE, _REST = Scope(reasons=KEY_COMPROMISE), Scope(reasons=ALL_REASONS - KEY_COMPROMISE)
_A, _B = Point(names=("a",)), Point(names=("b",))
PARTS: Final = {
    "both-reasons": (_parts((_COMPROMISE, False), (_REST, False)), _GOOD),
    "both-reasons-listed-in-first": (_parts((_COMPROMISE, True), (_REST, False)), _REVOKED),
    "one-reason": (_parts((_REST, False)), _UNKNOWN),
    "one-reason-listed": (_parts((_COMPROMISE, True)), _REVOKED),
    "place-of-certificate": (_parts((Scope(names=("a",)), False), points=(_A,)), _GOOD),
    "place-of-others": (_parts((Scope(names=("b",)), False), points=(_A,)), _UNKNOWN),
    "place-of-others-listed": (_parts((Scope(names=("b",)), True), points=(_A,)), _UNKNOWN),
    "both-places": (_parts((Scope(names=("b",)), False), (Scope(names=("a",)), True), points=(_A,)), _REVOKED),
    "users-beside-cas": (_parts((Scope(cas=True), False), (Scope(users=True), True)), _REVOKED),
    "cas-alone": (_parts((Scope(cas=True), False)), _UNKNOWN),
    "places-by-reason": (
        _parts(
            (Scope(names=("a",), reasons=KEY_COMPROMISE), False),
            (Scope(names=("b",), reasons=ALL_REASONS - KEY_COMPROMISE), False),
            points=(
                Point(names=("a",), reasons=KEY_COMPROMISE),
                Point(names=("b",), reasons=ALL_REASONS - KEY_COMPROMISE),
            ),
        ),
        _GOOD,
    ),
    "places-by-reason-one-missing": (
        _parts(
            (Scope(names=("a",), reasons=KEY_COMPROMISE), False),
            points=(
                Point(names=("a",), reasons=KEY_COMPROMISE),
                Point(names=("b",), reasons=ALL_REASONS - KEY_COMPROMISE),
            ),
        ),
        _UNKNOWN,
    ),
}


def _later(*, first: str | None, second: str | None) -> Callable[[Level], Level]:
    """Return a change: two full CRLs, both current, the second one issued later."""

    def change(level: Level) -> Level:
        one = level.with_crl(begin=-2 * DAY, number=4)
        two = level.with_crl(begin=-HOUR, number=5)
        one = one.listed(reason=first) if first else one
        two = two.listed(reason=second) if second else two
        return dataclasses.replace(level, crls=(one.crl, two.crl))

    return change


LATER: Final = {
    "both-silent": (_later(first=None, second=None), _GOOD),
    "revoked-in-the-later": (_later(first=None, second="keyCompromise"), _REVOKED),
    "hold-ended-in-the-later": (_later(first="certificateHold", second=None), _GOOD),
    "revocation-gone-in-the-later": (_later(first="keyCompromise", second=None), _REVOKED),
}


def _new_key(*, signer: str = "new key", issued_by: str | None = None, usages=("keyCertSign", "cRLSign"), **changes):
    """Return a change: the CA has a second certificate with another key, which signs the CRL."""

    def change(level: Level) -> Level:
        anchor = plain_levels(1)[1]
        second = Certificate(
            subject=level.issuer,
            issuer=anchor.issuer,
            key="new key",
            signer=issued_by or anchor.issuer_key,
            serial=7100,
            ca=True,
            usages=usages,
            **changes,
        )
        return dataclasses.replace(level.with_crl(signer=signer), pool=(second,))

    return change


def _then_listed(change: Callable[[Level], Level]) -> Callable[[Level], Level]:
    return lambda level: change(level).listed()


ROLLOVER: Final = {
    "of-the-anchor": (_new_key(), _GOOD),
    "of-the-anchor-listed": (_then_listed(_new_key()), _REVOKED),
    "old-key-beside": (_new_key(signer="issuer 1"), _GOOD),
    "of-a-stranger": (_new_key(issued_by="stranger"), _UNKNOWN),
    "of-a-stranger-listed": (_then_listed(_new_key(issued_by="stranger")), _UNKNOWN),
    "altered": (_new_key(altered=True), _UNKNOWN),
    "expired": (_new_key(end=-DAY), _UNKNOWN),
    "may-not-sign": (_new_key(usages=("keyCertSign",)), _UNKNOWN),
    "may-not-sign-listed": (_then_listed(_new_key(usages=("keyCertSign",))), _UNKNOWN),
    "may-sign-crls-only": (_new_key(usages=("cRLSign",)), _GOOD),
}


def _indirect(
    *,
    listed: bool = False,
    by: bytes | None = None,
    scope: Scope | None = _INDIRECT_SCOPE,
    named: bytes | None = _SIGNER,
    issued_by: str | None = None,
    **changes: object,
) -> Callable[[Level], Level]:
    """Return a change: the certificate names a CRL issuer of its own, whom the anchor certified."""

    def change(level: Level) -> Level:
        anchor = plain_levels(1)[1]
        details = {"usages": ("cRLSign",)} | changes
        signer = Certificate(
            subject=_SIGNER,
            issuer=anchor.issuer,
            key="crl signer",
            signer=issued_by or anchor.issuer_key,
            serial=SIGNER_SERIAL,
            **details,
        )
        issuer = by or level.issuer
        of_whom = extension("2.5.29.29", der.sequence(der.explicit(4, issuer)), critical=True)
        entry = Entry(serial=level.serial, extensions=() if issuer == _SIGNER else (of_whom,))
        crl = Crl(
            issuer=_SIGNER,
            signer="crl signer",
            entries=(entry,) if listed else (),
            extensions=(scope.encode(_SIGNER),) if scope else (),
        )
        if named is not None:
            point = der.sequence(der.explicit(2, der.explicit(4, named)))
            level = level.with_extensions(extension("2.5.29.31", der.sequence(point)))
        return dataclasses.replace(level, crls=(crl,), pool=(signer,))

    return change


INDIRECT: Final = {
    "sound": (_indirect(), _GOOD),
    "sound-listed": (_indirect(listed=True), _REVOKED),
    "another-cas-listed": (_indirect(listed=True, by=name("CA 9")), _GOOD),
    "signers-own-listed": (_indirect(listed=True, by=_SIGNER), _GOOD),
    "without-flag": (_indirect(scope=Scope(users=True)), _UNKNOWN),
    "without-flag-listed": (_indirect(scope=Scope(users=True), listed=True), _UNKNOWN),
    "without-scope": (_indirect(scope=None), _UNKNOWN),
    "not-named": (_indirect(named=None), _UNKNOWN),
    "not-named-listed": (_indirect(named=None, listed=True), _UNKNOWN),
    "another-named": (_indirect(named=name("CA 9")), _UNKNOWN),
    "of-a-stranger": (_indirect(issued_by="stranger"), _UNKNOWN),
    "of-a-stranger-listed": (_indirect(issued_by="stranger", listed=True), _UNKNOWN),
    "signer-may-not-sign": (_indirect(usages=("digitalSignature",)), _UNKNOWN),
    "signer-revoked": (_indirect(), _UNKNOWN),
    "signer-expired": (_indirect(end=-DAY), _UNKNOWN),
}

_GROUPS: Final = {"delta": DELTAS, "parts": PARTS, "later": LATER, "new-key": ROLLOVER, "indirect": INDIRECT}


def arrangement_scenarios(now: datetime) -> Iterator[Scenario]:
    """Yield each arrangement, at the server's certificate."""
    for group, cases in _GROUPS.items():
        for label, (change, expected) in cases.items():
            levels = plain_levels(1)
            levels[0] = change(levels[0])
            if label == "signer-revoked":
                levels[1] = levels[1].with_crl(entries=(Entry(serial=SIGNER_SERIAL),))
            kind = f"{group}/{label}"
            yield scenario_of(levels, label=kind, kinds=(kind,), expected=expected, now=now)
