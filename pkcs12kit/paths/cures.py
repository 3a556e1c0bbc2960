"""Hints for a path with expired, revoked or missing CA certificates: where to get those of today, as a command to copy.

A cure has up to three parts: the call of ``gather`` or ``build`` with the user's own files, the option that does the
same in another command, and what is published about CAs that follow the ones of this path.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.hints import Hint
from pkcs12kit.paths.calls import Call, new_folder
from pkcs12kit.paths.revocation.advice import ACCEPT_UNKNOWN, advice_on, on_hold
from pkcs12kit.paths.successions import CURABLE, cas_on_the_way, known_trust_anchors, successions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.successors import KnownCA, Successor
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.failure import Failure

OR_FETCH: Final = "or add --fetch, which fetches what is missing"
OF_REVOKED: Final = "ask the CA for a new certificate, or give certificates for another path with --certs"
_ENDED: Final = frozenset({FailureReason.EXPIRED, FailureReason.REVOKED})
_SHOWN: Final = 4


class Attempt(Protocol):
    """A :class:`~pkcs12kit.RejectedPath`, as far as hints need it; its module imports this one."""

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The target, and the certificates up to the one where the attempt ended."""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """At least one failure."""

    @property
    def certificate(self) -> Certificate:
        """The certificate of the first failure."""

    @property
    def reason(self) -> FailureReason:
        """The reason of the first failure."""

    @property
    def section(self) -> str:
        """The section of the standard for the first failure."""

    @property
    def clock_looks_wrong(self) -> bool:
        """True where the time may be wrong."""


class Step(NamedTuple):
    """One step of a cure: a sentence, and a command to copy where there is one."""

    text: str
    command: str | None = None


def for_unknown_status(failures: Sequence[Failure], *, fetch_option: bool = False) -> tuple[Hint, ...]:
    """Return the hints for unknown revocation statuses, the cure first, to accept them last; none for other failures.

    ``fetch_option`` is True where the command has ``--fetch``, and the user did not give it.
    """
    advice = advice_on(failures)
    if not advice:
        return ()
    call = Call.current()
    locations = [failure.evidence_locations for failure in failures]
    fetching: tuple[Hint, ...] = ()
    # Fetched data describes the present: it does not help for another time.
    if call.time is None and any(each is not None and each.can_be_fetched for each in locations):
        if fetch_option:
            fetching = (Hint(text=OR_FETCH),)
        elif not call.fetched:
            fetching = (Hint(text="or have it fetched, and see the answer", command=call.ask_for_status()),)
    if any(failure.reason is FailureReason.REVOKED for failure in failures):
        return (*advice, *fetching)
    return (*advice, *fetching, Hint(text=ACCEPT_UNKNOWN, command=call.paths_again(revocation="soft")))


def for_revoked(failure: Failure) -> tuple[Hint, ...]:
    """Return the hints for a revoked certificate: none of them accepts it."""
    return (*on_hold(failure), Hint(text=OF_REVOKED))


def cure(
    closest: Attempt,
    *,
    trust_anchors: Iterable[TrustAnchor] = (),
    others: Iterable[Certificate] = (),
    time: datetime | None = None,
    call: Call | None = None,
) -> tuple[Step, ...]:
    """Return the steps that say where the CA certificates of today are; none where another thing is wrong.

    ``trust_anchors`` and ``others`` are the anchors and further certificates of the search; ``time`` is its time, now
    by default.
    """
    is_revoked = closest.reason is FailureReason.REVOKED and closest.certificate == closest.certificates[0]
    if is_revoked or all(
        failure.reason not in CURABLE for failure in closest.failures
    ):  # the CA has to issue another certificate for a revoked one
        return ()
    call = Call.current() if call is None else call
    day = (datetime.now(UTC) if time is None else time.astimezone(UTC)).date()
    anchors, certificates = tuple(trust_anchors), (*closest.certificates, *others)
    met = known_trust_anchors(anchors) or cas_on_the_way(certificates, closest.failures)
    found = successions(certificates, closest.failures, day=day, trust_anchors=anchors)
    new_anchor = next((one.successors[-1] for one in found if one.is_trust_anchor), None)
    published = (Step(text=str(one)) for one in found[:_SHOWN])
    return (*_fetching(closest, call, anchors, _bundles(met), new_anchor), *published)


def _bundles(cas: Iterable[KnownCA]) -> tuple[str, ...]:
    """Return the published bundles for these CAs; the one of the Federal PKI has the cross-certificates of the DoD."""
    found = tuple(dict.fromkeys(ca.bundle for ca in cas))
    return ("fpki",) if "fpki" in found else found


def _fetching(
    closest: Attempt,
    call: Call,
    anchors: Sequence[TrustAnchor],
    bundles: tuple[str, ...],
    new_anchor: Successor | None,
) -> Iterator[Step]:
    """Yield the commands that fetch, or the reason why none can; nothing for a fault that they cannot cure."""
    curable = [failure for failure in closest.failures if failure.reason in CURABLE]
    ended = [failure.certificate for failure in curable if failure.reason in _ENDED]
    is_missing = len(ended) < len(curable)
    target_ends = not is_missing and any(
        failure.reason is FailureReason.EXPIRED and failure.certificate == closest.certificates[0]
        for failure in curable
    )
    new = [bundle for bundle in bundles if bundle not in call.bundles]
    if target_ends and not bundles:
        return
    if not new and (call.fetched or not _has_url(closest, anchors)):
        if not call.fetched and curable[0].reason is FailureReason.EXPIRED:
            yield Step(
                text="these certificates name no URL from which gather or build --fetch could get their successors:"
                " ask the operator of the CA"
            )
        return
    where = f", beginning with the published list {new[0]}" if new else ""
    if call.pkcs12 is not None or call.command in {"probe", "graph"}:
        yield from _for_file(call, new, where)
        return
    trust = None if new_anchor is None else ("NEW-ANCHOR.pem",)
    of_a_ca = any(certificate != closest.certificates[0] for certificate in ended)
    text = "fetch the CA certificates of today" if of_a_ca or not is_missing else "or fetch what is missing"
    if target_ends:
        text = f"with the renewed certificate, {text}"
    may_fetch = call.command in {"build", "batch"}
    if new or not is_missing or not may_fetch:  # otherwise --fetch is all that is needed
        yield Step(text=text + where, command=call.gather(new, anchors=trust))
    if not call.fetched and _has_url(closest, anchors):
        if may_fetch:
            yield Step(OR_FETCH)
        elif not is_missing:
            yield Step(text="build --fetch does the same while it builds the file")


def _for_file(call: Call, bundles: Sequence[str], where: str) -> Iterator[Step]:
    if bundles:
        options = " ".join(f"--bundle {bundle}" for bundle in bundles)
        yield Step(
            text=f"fetch the CA certificates of today{where}",
            command=f"pkcs12kit gather {options} --into {new_folder()}",
        )
    if call.pkcs12 is not None and not call.certs_only:
        yield Step(
            text="build the file again with them" if bundles else "build the file again, and fetch what is missing",
            command=call.rebuild(fetch=not bundles, gathered=bool(bundles)),
        )


def _has_url(closest: Attempt, anchors: Iterable[TrustAnchor]) -> bool:
    """Return True if a certificate of the attempt, or an anchor, has a URL that ``gather`` would ask."""
    urls: list[str] = []
    for failure in closest.failures:
        urls += () if failure.missing_issuer is None else failure.missing_issuer.locations
    with suppress(MalformedCertificateError):
        for anchor in anchors:
            urls += () if anchor.certificate is None else anchor.certificate.extensions.ca_repositories
        if any(failure.reason in _ENDED for failure in closest.failures):
            for certificate in closest.certificates:
                urls += certificate.extensions.ca_issuers
    return any(url.lower().startswith(("http://", "https://")) for url in urls)
