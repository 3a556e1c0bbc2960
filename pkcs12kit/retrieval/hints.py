"""Hints for what could not be fetched, and for a gathering that led to no valid path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.hints import Hint
from pkcs12kit.paths.hints import cures_for, hints_for_no_path, in_hints

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkcs12kit.paths.hints import Search
    from pkcs12kit.retrieval.bundles.report import BundleReport
    from pkcs12kit.retrieval.retrieved import Retrieval

_PROXY: Final = Hint(
    text="http_proxy, https_proxy and all_proxy name the proxy; no_proxy lists the hosts that are reached without it"
)
_PROXY_LOGIN: Final = Hint(
    text="the login of a proxy belongs in the URL of http_proxy or https_proxy, with signs such as @ and :"
    " percent-encoded; set the variable where no history of a shell keeps it. no_proxy lists the hosts that are reached"
    " without the proxy"
)
WITHOUT_OFFLINE: Final = "leave --offline out, and what is missing is fetched from the URLs in the certificates"


def hints_for_retrievals(retrievals: Iterable[Retrieval]) -> tuple[Hint, ...]:
    """Return the hints for URLs that could not be fetched; none where no option would help."""
    from pkcs12kit.retrieval.http.accounting import PROXY_FAILS, PROXY_LOGIN
    from pkcs12kit.retrieval.http.permitted import NOT_PUBLIC, PRIVATE_NAME
    from pkcs12kit.retrieval.retrieved import Status

    retrievals = tuple(retrievals)
    missed = [retrieval for retrieval in retrievals if retrieval.sha256 is None]
    asked = [retrieval for retrieval in retrievals if retrieval.attempts]
    refused = [one.why for one in missed if one.status is Status.REFUSED]
    if any(NOT_PUBLIC in why or PRIVATE_NAME in why for why in refused):
        return in_hints("if the network is your own, --allow-private also connects to addresses that are not public")
    if any("(limits.retrieval_seconds)" in one.why for one in missed):
        return in_hints("--timeout SECONDS allows more time")
    if any(PROXY_LOGIN in one.why for one in missed):
        return (_PROXY_LOGIN,)
    if any(PROXY_FAILS in one.why for one in missed):
        return (_PROXY,)
    if asked and not any(one.http_status for one in asked):
        return in_hints(
            "no server answered. Is there a network, and does it need a proxy (http_proxy, https_proxy)?",
            "without a network, --offline uses the cache, and --certs takes a folder gathered on another computer",
        )
    return ()


def hints_after_fetching(
    report: Search, retrievals: Iterable[Retrieval], *, sources_given: bool = True
) -> tuple[Hint, ...]:
    """Return the hints for a search that fetched certificates and still found no valid path."""
    if advice := hints_for_retrievals(retrievals):
        return (*advice, *cures_for(report))
    return hints_for_no_path(report, sources_given=sources_given)


def hints_for_bundles(bundles: Sequence[BundleReport]) -> tuple[Hint, ...]:
    """Return the hints for fetched bundles."""
    from pkcs12kit.retrieval.bundles.checksums import ChecksumStatus

    hints: tuple[Hint, ...] = ()
    statuses = [(bundle.checksum.status, bundle.why) for bundle in bundles if bundle.checksum is not None]
    if any(status is ChecksumStatus.NOT_ANCHORED for status, _ in statuses):
        hints = in_hints("--bundle-anchor FILE names the root to which the signer of the checksums must lead")
    if any(status is ChecksumStatus.WEAK and not why for status, why in statuses):
        hints = (*hints, *in_hints("--strict-checksums rejects a bundle whose checksums are weakly signed"))
    return hints


def of_bundles(bundles: Sequence[BundleReport]) -> tuple[Retrieval, ...]:
    """Return the outcomes of the bundles that were not fetched."""
    return tuple(retrieval for bundle in bundles if bundle.url is None for retrieval in bundle.retrievals)


def hints_for_gathering(
    searched: Search | None, retrievals: Sequence[Retrieval], *, offline: bool = False
) -> tuple[Hint, ...]:
    """Return the hints for a gathering without a valid path; ``searched`` is the report of its search, if any."""
    from pkcs12kit.retrieval.retrieved import Status

    advice = hints_for_retrievals(retrievals)
    if not advice and offline and any(one.status is Status.SKIPPED for one in retrievals):
        advice = in_hints(WITHOUT_OFFLINE)
    if searched is None:
        return advice
    return (*advice, *cures_for(searched)) if advice else hints_for_no_path(searched)
