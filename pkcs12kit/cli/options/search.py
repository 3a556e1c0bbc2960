"""The options for finding or judging a path, and the values that the library takes instead of them."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.policy_names import policy_names_option
from pkcs12kit.cli.options.values import FILE, Duration, Instant, ObjectIdentifier, OneOf, ServerName
from pkcs12kit.limits import DEFAULT_LIMITS, with_iterations
from pkcs12kit.times import time_or_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.paths.validation.parameters import ValidationParameters


class SearchOptions(NamedTuple):
    """The options for finding or judging a path, as they were given."""

    trust_anchors: tuple[str, ...]
    time: datetime | None
    policies: tuple[str, ...]
    algorithms: str
    ignore_anchor_validity: bool
    server_name: str | None = None
    crls: tuple[str, ...] = ()
    ocsp_responses: tuple[str, ...] = ()
    revocation: str | None = None
    revocation_max_age: timedelta | None = None
    certificates: tuple[str, ...] = ()
    ranking: str = "longest-lasting"


def _certs(purpose: str) -> Callable[..., Any]:
    return option(
        OptionGroup.INPUT,
        "--certs",
        "certificates",
        type=FILE,
        metavar="SOURCE",
        multiple=True,
        help=f"CA certificates {purpose}: a file of any kind, a folder, a zip, or - for standard input. Takes several,"
        " as in --certs certs/*.cer, and may be given again.",
    )


_RANKING: Final = option(
    OptionGroup.PATH,
    "--ranking",
    type=OneOf(["longest-lasting", "shortest"]),
    default="longest-lasting",
    show_default=True,
    help="Which valid path comes first if there are several.",
)
_ANCHOR: Final = option(
    OptionGroup.PATH,
    "--anchor",
    "trust_anchors",
    type=FILE,
    metavar="FILE",
    multiple=True,
    several=False,
    required=True,
    help="The trust anchor: a file with the root certificate that the clients trust. If FILE has several certificates,"
    " each is trusted, with a warning. May be given again.",
)
_OPTIONAL_ANCHOR: Final = option(
    OptionGroup.PATH,
    "--anchor",
    "trust_anchors",
    type=FILE,
    metavar="FILE",
    multiple=True,
    several=False,
    help="The trust anchor that the path must lead to. The certificates that it issued are fetched as well. May be"
    " given again. Default: none.",
)
_ANCHOR_OF_TARGETS: Final = option(
    OptionGroup.PATH,
    "--anchor",
    "trust_anchors",
    type=FILE,
    metavar="FILE",
    multiple=True,
    several=False,
    help="The trust anchor of the paths of --target, before and after: a file with the root certificate that the"
    " clients trust. May be given again.",
)
_REQUIREMENTS: Final = (
    option(
        OptionGroup.PATH,
        "--at",
        "time",
        type=Instant(),
        help="The time at which the path must be valid, for example 2018-06-01T00:00:00Z. The answer is for that time"
        " only; a warning names what is not valid now. Default: now.",
    ),
    option(
        OptionGroup.PATH,
        "--server-name",
        type=ServerName(),
        metavar="NAME",
        help="The DNS name or IP address that the certificate must be for. The certificate must then also be for TLS"
        " servers.",
    ),
    option(
        OptionGroup.PATH,
        "--policy",
        "policies",
        type=ObjectIdentifier(),
        metavar="OID",
        multiple=True,
        help="A certificate policy that the path must be valid for, in the trust anchor's domain. If given again, one"
        " of them is enough. Default: any policy or none.",
    ),
)
_REVOCATION: Final = (
    option(
        OptionGroup.REVOCATION,
        "--crl",
        "crls",
        type=FILE,
        metavar="SOURCE",
        multiple=True,
        help="CRLs for checking revocation: files or folders. May be given again.",
    ),
    option(
        OptionGroup.REVOCATION,
        "--ocsp",
        "ocsp_responses",
        type=FILE,
        metavar="SOURCE",
        multiple=True,
        help="OCSP responses for checking revocation: files or folders. May be given again.",
    ),
    option(
        OptionGroup.REVOCATION,
        "--revocation",
        type=OneOf(["off", "soft", "require"]),
        help="off: revocation is not checked. soft: an unknown revocation status is a warning. require: an unknown"
        " status makes the path invalid. Default: soft if CRLs or OCSP responses are given, else off.",
    ),
    option(
        OptionGroup.REVOCATION,
        "--revocation-max-age",
        type=Duration(),
        help="The greatest age of a CRL or OCSP response that has no nextUpdate (the time of the next one), for"
        " example 12h or 30d; 0d rejects them all. Default: 7d.",
    ),
)
_ALGORITHMS: Final = option(
    OptionGroup.PATH,
    "--algorithms",
    type=OneOf(["default", "sp800-78", "allow-all"]),
    default="default",
    show_default=True,
    help="Which algorithms and key sizes count as strong enough.",
)
_IGNORE_ANCHOR_VALIDITY: Final = option(
    OptionGroup.PATH,
    "--ignore-anchor-validity",
    is_flag=True,
    help="Accept a trust anchor whose own certificate is expired or not yet valid, as RFC 5280 allows. Its end"
    " then does not count when paths are compared, nor as the end of a path.",
)


def path_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for finding a path; the command gets them together, as ``search``."""
    given = (_certs("that the path may contain"), _ANCHOR, *_REQUIREMENTS, *_REVOCATION)
    return _with_options(command, (*given, _ALGORITHMS, _RANKING, _IGNORE_ANCHOR_VALIDITY))


def judging_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for judging a path, for a command that takes its certificates from nowhere else."""
    return _with_options(command, (_ANCHOR, *_REQUIREMENTS, *_REVOCATION, _ALGORITHMS, _IGNORE_ANCHOR_VALIDITY))


def served_chain_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for judging the chain that a server sends; its revocation is not checked."""
    certs = _certs("that the server may have left out")
    return _with_options(command, (_ANCHOR, *_REQUIREMENTS, certs, _ALGORITHMS, _IGNORE_ANCHOR_VALIDITY))


def expiry_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for judging many bundles, whose servers have different names; revocation is not checked."""
    certs = _certs("beside those in the bundles: what these make possible does not hang on one certificate")
    at, _, policy = _REQUIREMENTS
    return _with_options(command, (_ANCHOR, certs, at, policy, _ALGORITHMS, _IGNORE_ANCHOR_VALIDITY))


def gathering_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for a search that begins with few certificates, and may have no trust anchor."""
    certs = _certs("to start with")
    return _with_options(command, (_OPTIONAL_ANCHOR, certs, *_REQUIREMENTS, _ALGORITHMS, _IGNORE_ANCHOR_VALIDITY))


def comparison_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the paths of targets with each of two sets of certificates, which may not be asked for."""
    certs = _certs("that paths may contain before and after, and that are not compared")
    given = (certs, _ANCHOR_OF_TARGETS, *_REQUIREMENTS, *_REVOCATION)
    return _with_options(command, (*given, _ALGORITHMS, _RANKING, _IGNORE_ANCHOR_VALIDITY))


def _with_options(
    command: Callable[..., Any], options: Sequence[Callable[[Callable[..., Any]], Callable[..., Any]]]
) -> Callable[..., Any]:
    @wraps(command)
    def with_search(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        names = given.keys() & set(SearchOptions._fields)
        return command(search=SearchOptions(**{name: given.pop(name) for name in names}), **given)

    decorated: Callable[..., Any] = policy_names_option(with_search)
    for add in reversed(options):
        decorated = add(decorated)
    return decorated


expires_within_option = option(
    OptionGroup.CHECKS,
    "--expires-within",
    type=Duration(),
    default="0d",
    help="Fail if a certificate of the path expires within this time: 30d, 12h, 6w or 2y, for example; a year is 365"
    " days.",
)
"""For commands that judge a path; the command gets a timedelta, as ``expires_within``."""

json_option = option(
    OptionGroup.OUTPUT,
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON object, also if the answer is no.",
)
"""For commands that print an answer; the command gets ``as_json``."""


def limits_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--max-iterations``; the command gets all limits, as ``limits``."""

    @option(
        OptionGroup.INPUT,
        "--max-iterations",
        type=click.IntRange(min=1),
        metavar="N",
        default=DEFAULT_LIMITS.pfx_iterations,
        show_default=True,
        help="The most iterations that a PKCS#12 file may ask for, for one key. All keys of one file together may have"
        " five times as many.",
    )
    @wraps(command)
    def with_limits(max_iterations: int, **given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        return command(limits=with_iterations(DEFAULT_LIMITS, max_iterations), **given)

    decorated: Callable[..., Any] = with_limits
    return decorated


def validation_parameters(search: SearchOptions) -> ValidationParameters:
    """Return what the path must fulfil; the time is now where none was given."""
    from pkcs12kit.paths.validation.parameters import parameters_of_options

    return parameters_of_options(
        time=time_or_now(search.time),
        server_name=search.server_name,
        policies=search.policies,
        algorithms=search.algorithms,
        ignore_anchor_validity=search.ignore_anchor_validity,
    )


def revocation_inputs(search: SearchOptions) -> Revocation | None:
    """Load the CRLs and OCSP responses for checking revocation; return None where no option asks for a check.

    Raises :class:`click.UsageError` where a greatest age was given and no check is asked for.
    """
    if search.revocation is None and not (search.crls or search.ocsp_responses):
        if search.revocation_max_age is not None:
            raise click.UsageError("--revocation-max-age has an effect only with --crl, --ocsp or --revocation")
        return None
    from pkcs12kit.sources.crls_and_ocsp import load_revocation

    return load_revocation(
        search.revocation, crls=search.crls, ocsp_responses=search.ocsp_responses, max_age=search.revocation_max_age
    )
