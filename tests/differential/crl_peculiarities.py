"""The ways in which the CRL about one certificate can be unusual, each with its effect by RFC 5280."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from .. import der
from ..x509_values import REASONS
from .objects import (
    DAY,
    ECDSA_SHA384,
    HOUR,
    UNKNOWN,
    Certificate,
    Crl,
    Entry,
    extension,
    key,
    name,
    printable_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .worlds import Level

STRANGER: Final = name("Stranger")
OTHER_SERIAL: Final = 4711


class Effect(StrEnum):
    """The consequence for the certificate."""

    NONE = "none"
    REVOKES = "revokes"
    SPOILS = "spoils"
    """The CRL must not be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peculiarity:
    """Something unusual, and its effect. Two of one group do not go together."""

    name: str
    group: str
    effect: Effect
    change: Callable[[Level], Level]


def _many(group: str, effect: Effect, **changes: Callable[[Level], Level]) -> list[Peculiarity]:
    return [
        Peculiarity(name=f"crl-{label.replace('_', '-')}", group=group, effect=effect, change=change)
        for label, change in changes.items()
    ]


def _changed(**changes: object) -> Callable[[Level], Level]:
    return lambda level: level.with_crl(**changes)


def _listed(**details: object) -> Callable[[Level], Level]:
    return lambda level: level.listed(**details)


def _extended(*extensions: bytes, **changes: object) -> Callable[[Level], Level]:
    return lambda level: level.with_crl(extensions=(*level.crl.extensions, *extensions), **changes)


def _entry_extended(*extensions: bytes) -> Callable[[Level], Level]:
    """Put an extension into an entry of some other certificate."""
    other = Entry(serial=OTHER_SERIAL, extensions=extensions)
    return lambda level: level.with_crl(entries=(other, *level.crl.entries))


def _scope(*parts: bytes, critical: bool = True) -> bytes:
    """Return issuingDistributionPoint."""
    return extension("2.5.29.28", der.sequence(*parts), critical=critical)


def _without(level: Level) -> Level:
    return dataclasses.replace(level, crls=())


def _of_a_stranger(level: Level) -> Level:
    """Replace the CRL by that of a CA that has nothing to do with the certificate."""
    return level.with_crl(issuer=STRANGER, signer="stranger")


def _look_alike(level: Level) -> Level:
    """Put a copy of the issuer's certificate with another key into the pool, and sign with that."""
    copy = Certificate(
        subject=level.issuer, issuer=level.issuer, key="look-alike", signer="look-alike", serial=1, ca=True
    )
    forged = level.with_crl(signer="look-alike")
    return dataclasses.replace(forged, pool=(*level.pool, copy))


_CRITICAL = extension(UNKNOWN, der.NULL, critical=True)
_NOT_CRITICAL = extension(UNKNOWN, der.NULL)
_INVALIDITY = extension("2.5.29.24", der.tlv(0x18, b"20240101000000Z"))
_CRITICAL_INVALIDITY = extension("2.5.29.24", der.tlv(0x18, b"20240101000000Z"), critical=True)

STATUSES: Final = [
    Peculiarity(name="crl-not-listed", group="status", effect=Effect.NONE, change=lambda level: level),
    *_many(
        "status",
        Effect.REVOKES,
        **{
            f"revoked_{reason}": _listed(reason=reason)
            for reason in (None, *REASONS)
            if reason not in {"removeFromCRL", "keyCompromise"}
        },
        listed=_listed(),
        revoked_with_invalidity_date=_listed(extensions=(_INVALIDITY,)),
        revoked_with_critical_invalidity_date=_listed(extensions=(_CRITICAL_INVALIDITY,)),
        revoked_with_unknown_extension=_listed(extensions=(_NOT_CRITICAL,)),
        revoked_at_the_time=_listed(date=0 * DAY),
        revoked_twice=lambda level: level.listed(reason="certificateHold").listed(),
    ),
    *_many("status", Effect.NONE, another_listed=_entry_extended(), revoked_tomorrow=_listed(date=DAY)),
    *_many("status", Effect.SPOILS, removed_in_full=_listed(reason="removeFromCRL")),
]

VERSIONS: Final = [
    *_many("status", Effect.NONE, version_1=_changed(version=1)),
    *_many(
        "status",
        Effect.REVOKES,
        version_1_listed=lambda level: level.listed(reason=None).with_crl(version=1),
    ),
    *_many(
        "status",
        Effect.SPOILS,
        version_1_listed_with_reason=lambda level: level.listed().with_crl(version=1),
        version_3=_changed(version=3),
        version_1_with_extensions=_changed(version=1, keeps_extensions=True),
    ),
]
"""CRLs of other versions. Version 1 has no extensions that could be unusual in other ways."""

OTHERS: Final = [
    *_many(
        "time",
        Effect.SPOILS,
        expired=_changed(begin=-9 * DAY, end=-DAY),
        future=_changed(begin=DAY, end=9 * DAY),
        ends_before_it_begins=_changed(begin=-HOUR, end=-2 * HOUR),
        old_without_next_update=_changed(begin=-300 * DAY, end=None),
    ),
    *_many("time", Effect.NONE, ends_in_an_hour=_changed(end=HOUR), without_next_update=_changed(end=None)),
    *_many(
        "time",
        Effect.NONE,
        begins_now=_changed(begin=0 * DAY),
        ends_now=_changed(end=0 * DAY),
        generalized_times=_changed(generalized_times=True),
    ),
    *_many(
        "name",
        Effect.NONE,
        issuer_in_another_case=lambda level: level.with_crl(issuer=name(level.issuer_name.swapcase())),
        issuer_as_printable_string=lambda level: level.with_crl(issuer=printable_name(level.issuer_name)),
        issuer_with_blanks=lambda level: level.with_crl(issuer=name(f"  {level.issuer_name.replace(' ', '   ')} ")),
    ),
    *_many(
        "signature",
        Effect.SPOILS,
        altered=_changed(altered=True),
        of_another_key=_changed(signer="stranger"),
        of_a_stranger=_of_a_stranger,
        look_alike=_look_alike,
        two_algorithms=_changed(outer=ECDSA_SHA384),
        absent=_without,
    ),
    *_many(
        "extension",
        Effect.SPOILS,
        critical_extension=_extended(_CRITICAL),
        only_attributes=_extended(_scope(der.implicit(5, b"\xff"))),
        users_and_cas=_extended(_scope(der.implicit(1, b"\xff"), der.implicit(2, b"\xff"))),
        scope_twice=_extended(_scope(der.implicit(1, b"\xff")), _scope(der.implicit(2, b"\xff"))),
        delta_alone=_extended(extension("2.5.29.27", der.integer(4), critical=True)),
        delta_alone_not_critical=_extended(extension("2.5.29.27", der.integer(4))),
        critical_issuer_alternative_name=_extended(
            extension("2.5.29.18", der.sequence(der.implicit(2, b"ca.example")), critical=True)
        ),
    ),
    *_many(
        "extension",
        Effect.NONE,
        unknown_extension=_extended(_NOT_CRITICAL),
        without_number=_changed(number=None),
        critical_number=_extended(extension("2.5.29.20", der.integer(5), critical=True), number=None),
        number_of_20_octets=_changed(number=2**158),
        key_identifier_of_another=lambda level: level.with_crl(key_identifier=key("stranger").identifier),
    ),
    *_many("entry", Effect.SPOILS, critical_in_another_entry=_entry_extended(_CRITICAL)),
    *_many("entry", Effect.NONE, unknown_in_another_entry=_entry_extended(_NOT_CRITICAL)),
    *_many(
        "issuer",
        Effect.SPOILS,
        issuer_may_not_sign=lambda level: dataclasses.replace(level, issuer_usages=("keyCertSign",)),
    ),
    *_many("issuer", Effect.NONE, issuer_without_usage=lambda level: dataclasses.replace(level, issuer_usages=None)),
    *_many(
        "beside",
        Effect.NONE,
        beside_altered=lambda level: level.beside(
            dataclasses.replace(level.crl, altered=True, number=6, begin=-HOUR, entries=(Entry(serial=level.serial),))
        ),
        beside_strangers=lambda level: level.beside(Crl(issuer=STRANGER, signer="stranger")),
        beside_expired=lambda level: level.beside(
            dataclasses.replace(level.crl, number=4, begin=-9 * DAY, end=-DAY, entries=(Entry(serial=level.serial),))
        ),
        beside_forged=lambda level: level.beside(
            dataclasses.replace(level.crl, signer="stranger", entries=(Entry(serial=level.serial),), number=6)
        ),
    ),
]


def only_for(level: Level) -> list[Peculiarity]:
    """Return the peculiarities that depend on the kind of certificate: scopes of users' and of CAs' CRLs."""
    user, ca = _extended(_scope(der.implicit(1, b"\xff"))), _extended(_scope(der.implicit(2, b"\xff")))
    right, wrong = (ca, user) if level.is_ca else (user, ca)
    relaxed = _extended(_scope(der.implicit(1 if level.is_ca else 2, b"\xff"), critical=False))
    return [
        *_many("extension", Effect.NONE, scope_of_its_kind=right),
        *_many("extension", Effect.SPOILS, scope_of_another_kind=wrong, scope_of_another_kind_not_critical=relaxed),
    ]
