"""Which delta CRL may be combined with a full one (RFC 5280 section 5.2.4).

certvalidator takes the first delta CRL of the right issuer, scope and key, whatever the numbers: an older one would
hide what a newer one revokes, and one from before the full CRL would release what that revokes. Here it sees one.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from pyhanko_certvalidator.revinfo.archival import CRLContainer

_Scope: TypeAlias = "tuple[str, bytes, bytes | None]"
"""Issuer, issuing distribution point and key identifier: a delta's are those of the full CRL."""


class _Crl(NamedTuple):
    """What decides, of one CRL."""

    container: CRLContainer
    number: int | None
    base: int | None
    """BaseCRLNumber; None for a full CRL."""
    is_current: bool


def with_newest_deltas(
    containers: Iterable[CRLContainer], *, time: datetime, is_signed: Sequence[Callable[[CRLContainer], bool]]
) -> list[CRLContainer]:
    """Leave out every delta CRL but the newest that goes with the newest full CRL of its scope.

    That is one whose base the full CRL has reached, and whose own number is later. What is not signed, not current at
    ``time`` (timezone-aware) or without a number decides nothing. ``is_signed`` are tests of that, the strictest first:
    a laxer one is asked where what passes the stricter has no such delta CRL. Full CRLs are never left out, nor is what
    cannot be read: that is for who checks it to say.
    """
    containers = list(containers)
    scopes: dict[_Scope, list[_Crl]] = defaultdict(list)
    for container in containers:
        try:
            scope, found = _read(container, time)
        except (ValueError, TypeError, KeyError):
            continue
        scopes[scope].append(found)
    superseded = {id(container) for of_scope in scopes.values() for container in _superseded(of_scope, is_signed)}
    return [container for container in containers if id(container) not in superseded]


def _superseded(
    of_scope: Sequence[_Crl], is_signed: Sequence[Callable[[CRLContainer], bool]]
) -> Iterator[CRLContainer]:
    deltas = [one for one in of_scope if one.base is not None]
    if not deltas:
        return
    numbered = [one for one in of_scope if one.is_current and one.number is not None]
    newest = next(filter(None, (_newest([one for one in numbered if test(one.container)]) for test in is_signed)), None)
    for one in deltas:
        if one is not newest:
            yield one.container


def _newest(sound: Sequence[_Crl]) -> _Crl | None:
    """Find the newest delta CRL that goes with the newest full one."""
    reached = max((one.number or 0 for one in sound if one.base is None), default=None)
    fit = [
        one for one in sound if one.base is not None and reached is not None and one.base <= reached < (one.number or 0)
    ]
    return max(fit, key=lambda one: one.number or 0, default=None)


def _read(container: CRLContainer, time: datetime) -> tuple[_Scope, _Crl]:
    """Read one; asn1crypto raises for what is malformed."""
    crl = container.crl_data
    point, number, base = (
        crl.issuing_distribution_point_value,
        crl.crl_number_value,
        crl.delta_crl_indicator_value,
    )
    begin, end = crl["tbs_cert_list"]["this_update"].native, crl["tbs_cert_list"]["next_update"].native
    scope = (crl.issuer.hashable, b"" if point is None else point.dump(), crl.authority_key_identifier)
    return scope, _Crl(
        container=container,
        number=None if number is None else number.native,
        base=None if base is None else base.native,
        is_current=begin <= time and (end is None or time <= end),
    )
