"""The public comparison of two sets of certificates, with the paths of targets on both sides."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_function, require_functions, require_kind, require_texts
from pkcs12kit.comparison.classification import classify
from pkcs12kit.comparison.report import Comparison
from pkcs12kit.comparison.targets import TargetComparer
from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.paths.ranking import longest_lasting
from pkcs12kit.paths.revocation import Revocation
from pkcs12kit.paths.search import PathRequest
from pkcs12kit.paths.validation.parameters import choose_parameters
from pkcs12kit.paths.validity_now import not_valid_now
from pkcs12kit.sources.arguments import as_certificates, as_trust_anchors
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.comparison.classification import Classification
    from pkcs12kit.comparison.targets import TargetComparison
    from pkcs12kit.paths.ranking import Ranking
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.sources.arguments import CertificatesArgument, TrustAnchorsArgument


def compare_certificates(  # noqa: PLR0913  # each input has its own keyword
    before: CertificatesArgument,
    after: CertificatesArgument,
    *,
    targets: CertificatesArgument = (),
    trust_anchors: TrustAnchorsArgument = (),
    certificates: CertificatesArgument = (),
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    server_name: str | None = None,
    ranking: Ranking = longest_lasting,
    revocation: Revocation | None = None,
    password: str | None = None,
    after_password: str | None = None,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Comparison:
    """Return the certificates that came, went, were renewed or rekeyed, and the paths of targets that made or broke.

    - ``before``, ``after``: the two sides; sources, certificates or pools. Order and repetition do not matter.
    - ``targets``: certificates of servers or CAs, each of which is a target. Their best paths before and after are
      compared; all of them must be readable.
    - ``trust_anchors``: the certificates that are trusted on both sides; needed for ``targets``.
    - ``certificates``: other certificates that paths may contain on both sides. They are not compared.
    - ``parameters``, or ``time`` and ``server_name``; ``ranking``; ``revocation``: as in
      :func:`~pkcs12kit.find_path`. The time is the same for both sides.
    - ``password``: opens PKCS#12 files; ``after_password`` those of ``after``, if they have another one.
    - ``on_warning``: called with each sentence of :attr:`Comparison.warnings <pkcs12kit.Comparison.warnings>`.
    - ``limits``: the budgets for the work.

    Certificates are the same if their SHA-256 is. Of the others, a certificate and a later one with the same subject
    and issuer are a pair: renewed if they have the same key, rekeyed if not. Names match as in RFC 5280 section 7.1.
    A certificate is in one pair at most; if there is a choice, the one with the nearest validity is its partner. A
    certificate of the same subject and key from another issuer is a cross-certificate, and never a renewal.

    Raises :class:`~pkcs12kit.InputError` for input that cannot be used, and
    :class:`~pkcs12kit.LimitExceededError`. Private keys and CRLs in the sources are not compared. Not checked:
    signatures and validity of the certificates, except on the paths of targets.
    """
    _check_kinds(revocation, ranking, on_warning, limits)
    require_texts(password=password, after_password=after_password)
    chosen = choose_parameters(parameters, time=time, server_name=server_name)
    warnings: list[str] = []
    warnings += same_source(before, after)
    earlier = as_certificates(before, name="before", password=password, limits=limits)
    second = password if after_password is None else after_password
    later = as_certificates(after, name="after", password=second, limits=limits)
    wanted = as_certificates(targets, name="targets", password=password, limits=limits)
    _require_all_read(wanted)
    anchors = as_trust_anchors(trust_anchors, required=False, on_warning=warnings.append, limits=limits)
    if len(wanted) and not anchors:
        raise ArgumentError("targets need trust_anchors; pkcs12kit never guesses one")
    more = as_certificates(certificates, password=password, limits=limits)
    classes = classify(earlier, later, most_pairs=limits.comparison_pairs)
    warnings += _warnings(earlier, later, more, classes, limits)
    found = []
    if len(wanted):
        first = next(iter(wanted))
        requests = (
            PathRequest(first, side | more, anchors, chosen, ranking, revocation, limits) for side in (earlier, later)
        )
        comparer = TargetComparer(*requests)
        found = [comparer.compare(target) for target in wanted]
    warnings = list(dict.fromkeys((*warnings, *_about_paths(found))))
    if on_warning is not None:
        for sentence in warnings:
            on_warning(sentence)
    return Comparison(
        time=chosen.time,
        unchanged=classes.unchanged,
        came=classes.came,
        went=classes.went,
        renewed=classes.renewed,
        rekeyed=classes.rekeyed,
        encoded_otherwise=classes.encoded_otherwise,
        targets=tuple(found),
        rejects_before=earlier.rejects,
        rejects_after=later.rejects,
        warnings=tuple(warnings),
    )


def _check_kinds(revocation: object, ranking: object, on_warning: object, limits: object) -> None:
    require_kind("limits", limits, Limits)
    require_kind("revocation", revocation, Revocation, optional=True)
    require_function("ranking", ranking)
    require_functions(on_warning=on_warning)


def _require_all_read(targets: CertificatePool) -> None:
    """Raise :class:`~pkcs12kit.InputError` for a target that cannot be read: nothing could be said of its path."""
    if targets.rejects:
        raise InputError(f"{targets.rejects[0]}; every target must be readable")


def same_source(before: object, after: object) -> tuple[str, ...]:
    """Return a warning if both sides are the same file or folder, by whatever names and links; otherwise nothing."""
    if not isinstance(before, (str, PathLike)) or not isinstance(after, (str, PathLike)):
        return ()
    try:
        is_same = Path(before).samefile(after)
    except (OSError, ValueError):
        return ()
    return ("before and after are the same file or folder, so there is no difference to find",) if is_same else ()


def _warnings(
    before: CertificatePool,
    after: CertificatePool,
    more: CertificatePool,
    classes: Classification,
    limits: Limits,
) -> Iterator[str]:
    for side, pool in (("before", before), ("after", after)):
        for reject in pool.rejects:
            yield f"{reject}; it is not compared ({side})"
    for reject in more.rejects:
        yield str(reject)
    for pair in classes.rekeyed:
        if pair.before.is_self_issued and pair.before.is_ca:
            yield (
                f"{pair.after.label} has another key than before under the same name, and no issuer vouches for"
                " either: ask its operator before you trust it"
            )
    if classes.used_all_pairs:
        yield (
            f"more than {counted(limits.comparison_pairs, 'pair')} of certificates with the same subject and issuer"
            " (limits.comparison_pairs): each has a partner, but not always the one with the nearest validity"
        )


def _about_paths(targets: Iterable[TargetComparison]) -> Iterator[str]:
    """Yield the warnings about the best paths: on revocation, and that some are not valid at the present time."""
    paths = [path for one in targets for path in (one.path_before, one.path_after) if path is not None]
    for path in paths:
        yield from () if path.revocation is None else path.revocation.warnings
    outside = [one.label for one in dict.fromkeys(path.certificates[0] for path in paths if any(not_valid_now(path)))]
    if outside:
        yield (
            f"paths of {counted(len(outside), 'target')} are valid at the time asked for, but not now; the first is"
            f" that of {outside[0]}"
        )
