"""Scenarios, and the worlds that most are made from: anchor, CAs, server, and a CRL of each issuer."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from .objects import Certificate, Crl, Entry, name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class Verdict(StrEnum):
    """The answer about a path: the worst status of its certificates."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A path, the evidence about it, and the verdict that the RFCs ask for. All objects are DER."""

    name: str
    kinds: tuple[str, ...]
    """The ways in which it is unusual. Divergences are written down by kind."""
    expected: Verdict
    path: tuple[bytes, ...]
    """Target first, without the anchor."""
    anchor: bytes
    pool: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    response: bytes | None = None
    """An OCSP response about the target. Then only the target is asked about."""
    exact: bool = True
    """False where several certificates are unusual, so that programs may name revoked or unknown first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A certificate of the path, and all that its issuer makes of it."""

    issuer: bytes
    issuer_name: str
    """Its common name."""
    issuer_key: str
    serial: int
    is_ca: bool
    crls: tuple[Crl, ...]
    """The first one is the one that peculiarities change."""
    extensions: tuple[bytes, ...] = ()
    """Of the certificate."""
    issuer_usages: tuple[str, ...] | None = ("keyCertSign", "cRLSign")
    pool: tuple[Certificate, ...] = ()

    @property
    def crl(self) -> Crl:
        """The issuer's CRL."""
        return self.crls[0]

    def with_crl(self, **changes: object) -> Level:
        """Return the level with another CRL."""
        return dataclasses.replace(self, crls=(dataclasses.replace(self.crl, **changes), *self.crls[1:]))

    def beside(self, *crls: Crl, **changes: object) -> Level:
        """Return the level with further CRLs, and with other changes."""
        return dataclasses.replace(self, crls=(*self.crls, *crls), **changes)

    def with_extensions(self, *extensions: bytes) -> Level:
        """Return the level with further extensions in the certificate."""
        return dataclasses.replace(self, extensions=(*self.extensions, *extensions))

    def listed(self, **details: object) -> Level:
        """Return the level with the certificate on the CRL."""
        return self.with_crl(entries=(*self.crl.entries, Entry(serial=self.serial, **details)))


FIRST_SERIAL: Final = 7000


def plain_levels(cas: int) -> list[Level]:
    """Return the levels of a path with a number of CAs, target first: nothing revoked, nothing unusual."""
    names = ["Anchor", *(f"CA {number}" for number in range(1, cas + 1))]
    levels = []
    for depth, issuer_name in enumerate(names):
        label, issuer = f"issuer {depth}", name(issuer_name)
        levels.append(
            Level(
                issuer=issuer,
                issuer_name=issuer_name,
                issuer_key=label,
                serial=FIRST_SERIAL + depth,
                is_ca=depth < cas,
                crls=(Crl(issuer=issuer, signer=label),),
            )
        )
    return levels[::-1]


def subject_of(levels: Sequence[Level], at: int) -> tuple[bytes, str]:
    """Return the name and the key's label of the certificate of a level."""
    return (name("Server"), "server") if at == 0 else (levels[at - 1].issuer, levels[at - 1].issuer_key)


def path_of(levels: Sequence[Level], now: datetime) -> tuple[tuple[bytes, ...], bytes]:
    """Return the path, target first, and the anchor."""
    path = []
    for at, level in enumerate(levels):
        subject, label = subject_of(levels, at)
        made = Certificate(
            subject=subject,
            issuer=level.issuer,
            key=label,
            signer=level.issuer_key,
            serial=level.serial,
            ca=level.is_ca,
            usages=levels[at - 1].issuer_usages if at else ("digitalSignature",),
            extensions=level.extensions,
        )
        path.append(made.encode(now))
    top = levels[-1]
    anchor = Certificate(
        subject=top.issuer,
        issuer=top.issuer,
        key=top.issuer_key,
        signer=top.issuer_key,
        serial=1,
        ca=True,
        usages=top.issuer_usages,
    )
    return tuple(path), anchor.encode(now)


def scenario_of(
    levels: Sequence[Level],
    *,
    label: str,
    kinds: tuple[str, ...],
    expected: Verdict,
    now: datetime,
    exact: bool = True,
) -> Scenario:
    """Return the scenario that consists of these levels."""
    path, anchor = path_of(levels, now)
    return Scenario(
        name=label,
        kinds=kinds,
        expected=expected,
        path=path,
        anchor=anchor,
        pool=tuple(certificate.encode(now) for level in levels for certificate in level.pool),
        crls=tuple(crl.encode(now) for level in levels for crl in level.crls),
        exact=exact,
    )
