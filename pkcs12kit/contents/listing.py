"""The list of everything in several files, and its selections."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.arguments import require_functions, require_kind, require_texts
from pkcs12kit.contents.collector import ContentsCollector
from pkcs12kit.contents.items import CertificateKind, ListedCertificate, State, UnreadPart
from pkcs12kit.contents.keys import with_certificates
from pkcs12kit.contents.selection import Search
from pkcs12kit.errors import ArgumentError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.paths.budget import SearchBudget
from pkcs12kit.paths.signatures import is_self_signed
from pkcs12kit.text import counted
from pkcs12kit.times import format_time, time_or_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.contents.items import ListedCrl, ListedKey, OtherContent
    from pkcs12kit.sources.reading import Source

ORDERS: Final = ("input", "expires", "subject")
"""The orders of a list of certificates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents(Shown):
    """Everything in some files that can be shown, each thing once; never a private key or a password.

    No signature but that of a certificate by its own key is checked, and no certificate is validated.
    """

    time: datetime
    """The time for which the validity is shown."""
    certificates: tuple[ListedCertificate, ...]
    """The certificates, each once, in the order of the files."""
    keys: tuple[ListedKey, ...] = ()
    """The private and public keys, each once."""
    crls: tuple[ListedCrl, ...] = ()
    """The CRLs, each once."""
    others: tuple[OtherContent, ...] = ()
    """Other parts of a PKI, which are only named."""
    unread: tuple[UnreadPart, ...] = ()
    """The files and the parts of files that could not be read."""
    failed: tuple[str, ...] = ()
    """The names of the sources in which nothing could be read."""

    @property
    def has_any(self) -> bool:
        """True if there is anything but parts that could not be read."""
        return bool(self.certificates or self.keys or self.crls or self.others)

    def count(self, kind: CertificateKind | State) -> int:
        """Return the number of certificates of a kind, or in a state at :attr:`time`."""
        return sum(kind in {one.kind, one.state(self.time)} for one in self.certificates)

    def select(
        self, *, expires_within: timedelta | None = None, issuer: str | None = None, contains: str | None = None
    ) -> Contents:
        """Return the certificates and CRLs that fit every criterion, and the keys of these certificates.

        - ``expires_within``: certificates whose notAfter, and CRLs whose nextUpdate, is at most this long after
          :attr:`time`, or before it.
        - ``issuer``: a part of the issuer's name, in upper or lower case.
        - ``contains``: a part of any name, in upper or lower case: the subject, the issuer, subject alternative names,
          or of the serial number (decimal or hexadecimal) or a fingerprint, with or without colons.

        Without a criterion everything is returned. :attr:`unread` stays: what could not be read may fit.
        """
        require_texts(issuer=issuer, contains=contains)
        if expires_within is None and issuer is None and contains is None:
            return self
        search = Search.of(self.time, expires_within=expires_within, issuer=issuer, contains=contains)
        certificates = tuple(one for one in self.certificates if search.fits(one))
        chosen = {one.certificate for one in certificates}
        return replace(
            self,
            certificates=certificates,
            crls=tuple(one for one in self.crls if search.fits_crl(one)),
            keys=tuple(key for key in self.keys if not chosen.isdisjoint(key.certificates)),
            others=(),
        )

    def in_order(self, order: str) -> Contents:
        """Return the certificates and CRLs in another order: ``input``, ``expires`` (soonest first), ``subject``."""
        if order == "input":
            return self
        if order == "expires":
            return replace(
                self,
                certificates=tuple(sorted(self.certificates, key=lambda one: one.certificate.not_after)),
                crls=tuple(sorted(self.crls, key=_next_update)),
            )
        if order == "subject":
            return replace(
                self,
                certificates=tuple(
                    sorted(self.certificates, key=lambda one: str(one.certificate.subject.label).casefold())
                ),
                crls=tuple(sorted(self.crls, key=lambda one: one.crl.issuer.label.casefold())),
            )
        raise ArgumentError(f"order is one of {', '.join(ORDERS)}, not {order!r}")

    @property
    def summary(self) -> dict[str, int]:
        """The number of things of each kind."""
        return {
            "certificates": len(self.certificates),
            "roots": self.count(CertificateKind.ROOT),
            "other_cas": self.count(CertificateKind.CA),
            "self_signed": self.count(CertificateKind.SELF_SIGNED),
            "end_entities": self.count(CertificateKind.END_ENTITY),
            "expired": self.count(State.EXPIRED),
            "not_yet_valid": self.count(State.NOT_YET_VALID),
            "keys": len(self.keys),
            "crls": len(self.crls),
            "others": len(self.others),
            "unread": len(self.unread),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the contents for ``show --json``."""
        return {
            "time": format_time(self.time),
            "summary": self.summary,
            "certificates": [one.to_json(self.time) for one in self.certificates],
            "keys": [one.to_json() for one in self.keys],
            "crls": [one.to_json(self.time) for one in self.crls],
            "others": [one.to_json() for one in self.others],
            "unread": [one.to_json() for one in self.unread],
            "failed": list(self.failed),
        }

    def __repr__(self) -> str:
        counts = (
            counted(len(self.certificates), "certificate"),
            counted(len(self.keys), "key"),
            counted(len(self.crls), "CRL"),
            f"{len(self.unread):,} unread",
        )
        return f"<Contents: {', '.join(counts)}>"


def list_contents(
    *sources: Source,
    password: str | Callable[[], str] | None = None,
    time: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Contents:
    """Return everything in files, folders, zips, ``"-"`` or bytes that can be shown: certificates, keys, CRLs.

    The forms that are read are those of :func:`~pkcs12kit.load_certificates`. OCSP responses, certificate requests,
    attribute certificates and Java keystores are named. A certificate that stands in several files is listed once.
    Nothing of a private key is returned but its type, its size, and the certificates of its public key.

    - ``password``: for PKCS#12 files and encrypted private keys. Without it, or with another, the parts that need it
      are in ``unread``. A function is called only if the certificates of a PKCS#12 file need a password, and once.
    - ``time``: the time for which the validity is shown; now by default.

    A source that cannot be read, or that has nothing to show, does not hide the others: it is in ``unread`` and in
    ``failed``. No certificate is validated: ``root`` says only that a certificate's own key has signed it.

    Raises :class:`~pkcs12kit.LimitExceededError` for more than ``limits.certificates`` things, and
    :class:`~pkcs12kit.ArgumentError` for an object of another kind.
    """
    require_kind("limits", limits, Limits)
    if not sources:
        raise ArgumentError("no source given")
    if callable(password):
        require_functions(password=password)
    else:
        require_texts(password=password)
    instant = time_or_now(time)
    collector = ContentsCollector(password=password, limits=limits)
    for source in sources:
        collector.collect(source)
    return _contents(collector, instant, limits)


def list_read(name: str, data: bytes, *, password: str | None, limits: Limits) -> Contents:
    """Return everything in bytes that were read from a file called ``name``, as :func:`list_contents` does."""
    collector = ContentsCollector(password=password, limits=limits)
    collector.collect(name, content=data)
    return _contents(collector, time_or_now(None), limits)


def _contents(collector: ContentsCollector, time: datetime, limits: Limits) -> Contents:
    budget = SearchBudget(limits)
    return Contents(
        time=time,
        certificates=tuple(
            ListedCertificate(certificate=certificate, kind=_kind(certificate, budget), sources=tuple(names))
            for certificate, names in collector.sources.items()
        ),
        keys=with_certificates(collector.keys.values(), collector.sources),
        crls=tuple(collector.crls.values()),
        others=tuple(collector.others.values()),
        unread=tuple(collector.unread),
        failed=tuple(collector.failed),
    )


def _kind(certificate: Certificate, budget: SearchBudget) -> CertificateKind:
    """Return the kind of a certificate; self-signed is one only if its signature by its own key is valid."""
    if is_self_signed(certificate, budget):
        is_root = certificate.is_ca or certificate.version == 1
        return CertificateKind.ROOT if is_root else CertificateKind.SELF_SIGNED
    return CertificateKind.CA if certificate.is_ca else CertificateKind.END_ENTITY


def _next_update(listed: ListedCrl) -> tuple[bool, datetime]:
    crl = listed.crl
    return (True, crl.this_update) if crl.next_update is None else (False, crl.next_update)
