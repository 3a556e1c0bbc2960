"""The public search for certification paths: sources or loaded values, time now by default, fetching on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_function, require_functions, require_kind
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.paths.ranking import longest_lasting
from pkcs12kit.paths.revocation import Revocation
from pkcs12kit.paths.search import PathRequest
from pkcs12kit.paths.validation.parameters import choose_parameters
from pkcs12kit.paths.validity_periods import find_periods
from pkcs12kit.paths.what_if import Change, WhatIfReport
from pkcs12kit.sources.arguments import as_certificates, as_members, as_pool, as_target, as_trust_anchors

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.paths.ranking import Ranking
    from pkcs12kit.paths.report import PathReport
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.paths.validity_report import ValidityReport
    from pkcs12kit.retrieval.options import FetchOptions
    from pkcs12kit.sources.arguments import CertificatesArgument, TrustAnchorsArgument
    from pkcs12kit.sources.loading import CertificateSource


def find_path(  # noqa: PLR0913  # each input of a search has its own keyword
    target: CertificateSource,
    *,
    certificates: CertificatesArgument = (),
    pool: CertificatePool | None = None,
    trust_anchors: TrustAnchorsArgument,
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    ranking: Ranking = longest_lasting,
    revocation: Revocation | None = None,
    fetch: FetchOptions | None = None,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ValidatedPath:
    """Return the best valid path from ``target`` to one of the trust anchors.

    - ``target``: the end-entity or CA certificate at the start of the path; a source, a loaded certificate, or the
      SHA-256 fingerprint of one of ``certificates`` (hexadecimal, at least its first 8 digits).
    - ``certificates``: what to search in; sources, certificates or pools. Order and repetition do not matter.
      ``pool`` is another name for it, for one :class:`~pkcs12kit.CertificatePool`.
    - ``trust_anchors``: the certificates that are trusted; pkcs12kit never guesses one.
    - ``parameters``: the requirements for the path. Or only ``time`` (timezone-aware; now if left out) and
      ``server_name`` (a DNS name or an IP address).
    - ``ranking``: :func:`~pkcs12kit.longest_lasting`, :func:`~pkcs12kit.shortest`, or any function from a path to a
      value, the smallest being the best. For such a function all valid paths are found first, at most
      ``limits.valid_paths``.
    - ``revocation``: CRLs, OCSP responses and what to require of them. None to leave revocation unchecked.
    - ``fetch``: how to fetch certificates that are missing, and CRLs and OCSP responses that ``revocation`` needs.
      None to ask nothing of the network.
    - ``on_warning``: called with each oddity of a trust anchor, as in :func:`~pkcs12kit.load_trust_anchors`, and with
      each URL that gave nothing of use.
    - ``limits``: the budgets for the work.

    With ``fetch``, certificates are gathered as :func:`~pkcs12kit.gather` does, until there is a valid path. Those as
    near to the target as that path are awaited, at most ``limits.retrieval_settle_seconds``; the best path of them is
    returned. OCSP responses are fetched first, CRLs where those do not settle the status. If a certificate is revoked,
    or unknown where its status is required, the next path is tried, at most ``limits.retrieval_paths``. All fetched
    data is validated like data that was given. Status is fetched only for times that are about now.

    Raises :class:`~pkcs12kit.NoValidPathError`, whose ``attempts`` say what is missing or wrong, and
    :class:`~pkcs12kit.InputError` for input that cannot be used. Not checked: revocation, unless asked for.
    RFC 5280 section 6.1, RFC 4158.
    """
    require_fetching(fetch, on_warning)
    chosen = choose_parameters(parameters, time=time, server_name=server_name)
    request = path_request(target, certificates, pool, trust_anchors, chosen, ranking, revocation, on_warning, limits)
    if fetch is None:
        return request.find_path()
    from pkcs12kit.retrieval.find_path import fetch_path

    return fetch_path(request, fetch, on_warning).path


def find_paths(  # noqa: PLR0913  # as find_path
    target: CertificateSource,
    *,
    certificates: CertificatesArgument = (),
    pool: CertificatePool | None = None,
    trust_anchors: TrustAnchorsArgument,
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    ranking: Ranking = longest_lasting,
    revocation: Revocation | None = None,
    fetch: FetchOptions | None = None,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    at_most: int | None = None,
) -> PathReport:
    """Return all valid paths, the best first, and the reasons against the others.

    The parameters are those of :func:`~pkcs12kit.find_path`, and:

    - ``at_most``: the number of valid paths after which the search ends, without asking whether there are more. None
      for as many as ``limits.valid_paths``.

    No valid path is an answer here, not an error; the report is then empty but for the rejected attempts. The report
    says if a limit ended the search. With ``fetch``, it is of everything that was given and fetched. Raises
    :class:`~pkcs12kit.InputError` for input that cannot be used. Not checked: revocation, unless asked for.
    """
    require_fetching(fetch, on_warning)
    chosen = choose_parameters(parameters, time=time, server_name=server_name)
    request = path_request(target, certificates, pool, trust_anchors, chosen, ranking, revocation, on_warning, limits)
    require_kind("at_most", at_most, int, optional=True)
    if fetch is None:
        return request.find_paths(at_most)
    from pkcs12kit.retrieval.find_path import fetch_paths

    return fetch_paths(request, fetch, on_warning, at_most=at_most)


def what_if(  # noqa: PLR0913  # as find_path
    target: CertificateSource,
    *,
    without: CertificatesArgument = (),
    adding: CertificatesArgument = (),
    certificates: CertificatesArgument = (),
    pool: CertificatePool | None = None,
    trust_anchors: TrustAnchorsArgument,
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    ranking: Ranking = longest_lasting,
    revocation: Revocation | None = None,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    at_most: int | None = None,
) -> WhatIfReport:
    """Return what removing or adding certificates does to the paths of ``target``.

    The parameters are those of :func:`~pkcs12kit.find_path` and ``at_most`` of :func:`~pkcs12kit.find_paths`, and:

    - ``without``: the certificates to remove; sources of one certificate each, certificates, or SHA-256 fingerprints
      (hexadecimal, at least 8 digits from the beginning; a text that is the name of a file is that file). Every copy
      is removed, and no other certificate of the same name and key.
    - ``adding``: the certificates to add; as ``certificates``.

    Both reports are for the same time; nothing is fetched. Raises :class:`~pkcs12kit.InputError` for a certificate to
    remove that is not among ``certificates``, naming those that are like it; that is the target, or a trust anchor's;
    and as :func:`~pkcs12kit.find_paths` does.
    """
    require_functions(on_warning=on_warning)
    require_kind("at_most", at_most, int, optional=True)
    chosen = choose_parameters(parameters, time=time, server_name=server_name)
    request = path_request(target, certificates, pool, trust_anchors, chosen, ranking, revocation, on_warning, limits)
    change = change_of(request, without, adding)
    before, after = request.find_paths(at_most), change.of(request).find_paths(at_most)
    return change.compare(request, before=before, after=after)


def change_of(
    request: PathRequest, without: CertificatesArgument, adding: CertificatesArgument, *, name: str = "without"
) -> Change:
    """Return the change of a request; ``name`` is that of ``without`` in messages.

    Raises :class:`~pkcs12kit.InputError` where it does not fit.
    """
    found = as_members(without, request.pool, name=name, limits=request.limits)
    added = as_certificates(adding, name="adding", limits=request.limits)
    change = Change(without=tuple(found), adding=added)
    change.require_fitting(request, found)
    return change


def validity_periods(  # noqa: PLR0913  # as find_path
    target: CertificateSource,
    *,
    certificates: CertificatesArgument = (),
    pool: CertificatePool | None = None,
    trust_anchors: TrustAnchorsArgument,
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    ranking: Ranking = longest_lasting,
    whole_ca: bool | None = None,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ValidityReport:
    """Return the periods in which a valid path exists, each with its best paths and what began and ended it.

    The parameters are those of :func:`~pkcs12kit.find_path`, and:

    - ``time``, or the time of ``parameters``: the time that the report answers for; it changes none of the periods.
    - ``ranking``: must not depend on the time.
    - ``whole_ca``: True to ask about a CA and not about one certificate of it: a path may begin with any certificate of
      the pool that has the subject and the key of the target. None for True where the target is a self-signed
      certificate that is not a trust anchor: it has no path itself, but the CA may have one.

    The periods are exact for the certificates given: at each whole second, :func:`~pkcs12kit.find_path` gives
    the same answer and the same path. Both ends of a certificate's validity are included (RFC 5280 section 4.1.2.5).
    Where a limit ends the work, the state of a period is unknown, and ``incomplete`` names the limit. Raises
    :class:`~pkcs12kit.InputError` for input that cannot be used. Not checked: revocation, which is a matter of the
    present; certificates that were not given, so that there may have been other paths.
    """
    require_functions(on_warning=on_warning)
    require_kind("whole_ca", whole_ca, bool, optional=True)
    chosen = choose_parameters(parameters, time=time, server_name=server_name)
    request = path_request(target, certificates, pool, trust_anchors, chosen, ranking, None, on_warning, limits)
    return find_periods(request, whole_ca=whole_ca)


def path_request(  # noqa: PLR0913, PLR0917  # the inputs of find_path, in its order
    target: CertificateSource,
    certificates: CertificatesArgument,
    pool: CertificatePool | None,
    trust_anchors: TrustAnchorsArgument,
    parameters: ValidationParameters,
    ranking: Ranking,
    revocation: Revocation | None,
    on_warning: Callable[[str], object] | None,
    limits: Limits,
) -> PathRequest:
    """Return the request for the arguments of a public function. Raises :class:`~pkcs12kit.InputError`."""
    require_kind("limits", limits, Limits)
    require_kind("revocation", revocation, Revocation, optional=True)
    require_function("ranking", ranking)
    given = as_pool(certificates, pool, limits=limits)
    return PathRequest(
        as_target(target, given, limits=limits),
        given,
        as_trust_anchors(trust_anchors, on_warning=on_warning, limits=limits),
        parameters,
        ranking,
        revocation,
        limits,
    )


def require_fetching(fetch: object, on_warning: object) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` for options or a function of another kind."""
    require_functions(on_warning=on_warning)
    if fetch is not None:
        from pkcs12kit.retrieval.options import FetchOptions

        require_kind("fetch", fetch, FetchOptions)
