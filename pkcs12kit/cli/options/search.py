"""Options that several commands share."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.cli.options.values import FILE, Duration, Instant, ObjectIdentifier, OneOf
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.revocation import Revocation, RevocationMode
from pkcs12kit.paths.revocation.model import MAX_AGE
from pkcs12kit.paths.validation.algorithms import POLICIES
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.sources.crls_and_ocsp import load_crls, load_ocsp_responses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta


_KEYS_OF_A_FILE: Final = DEFAULT_LIMITS.pfx_total_iterations // DEFAULT_LIMITS.pfx_iterations


class SearchOptions(NamedTuple):
    """What every command takes that looks for a path or judges one, as it was given."""

    trust_anchors: tuple[str, ...]
    time: datetime | None
    server_name: str | None
    policies: tuple[str, ...]
    algorithms: str
    ignore_anchor_validity: bool
    crls: tuple[str, ...] = ()
    ocsp_responses: tuple[str, ...] = ()
    revocation: str | None = None
    revocation_max_age: timedelta | None = None
    certificates: tuple[str, ...] = ()
    ranking: str = "longest-lasting"


def _certs(purpose: str) -> Callable[..., Any]:
    return click.option(
        "--certs",
        "certificates",
        type=FILE,
        metavar="SOURCE",
        multiple=True,
        help=f"CA certificates to {purpose}: a file of any kind, a folder, a zip, or - for standard"
        " input. May be given again.",
    )


_RANKING: Final = click.option(
    "--ranking",
    type=OneOf(["longest-lasting", "shortest"]),
    default="longest-lasting",
    show_default=True,
    help="Which of several valid paths comes first.",
)
_ANCHOR: Final = click.option(
    "--anchor",
    "trust_anchors",
    type=FILE,
    metavar="FILE",
    multiple=True,
    required=True,
    help="The trust anchor: the root certificate that the clients trust. Every certificate in FILE is trusted. May be"
    " given again.",
)
_OPTIONAL_ANCHOR: Final = click.option(
    "--anchor",
    "trust_anchors",
    type=FILE,
    metavar="FILE",
    multiple=True,
    help="The trust anchor that a path is to lead to, which is followed downwards. May be given again. Default: none.",
)
_ASKED: Final = (
    click.option(
        "--at",
        "time",
        type=Instant(),
        help="When the path has to be valid, for example 2018-06-01T00:00:00Z. Default: now.",
    ),
    click.option(
        "--server-name",
        metavar="NAME",
        help="DNS name or IP address that the certificate has to be for; asks for TLS server use too.",
    ),
    click.option(
        "--policy",
        "policies",
        type=ObjectIdentifier(),
        metavar="OID",
        multiple=True,
        help="A certificate policy that the path has to be valid for, in the trust anchor's domain. Given"
        " again: one of them. Default: none is asked for.",
    ),
)
_REVOCATION: Final = (
    click.option(
        "--crl",
        "crls",
        type=FILE,
        metavar="SOURCE",
        multiple=True,
        help="CRLs to check revocation with: a file or a folder. May be given again.",
    ),
    click.option(
        "--ocsp",
        "ocsp_responses",
        type=FILE,
        metavar="SOURCE",
        multiple=True,
        help="OCSP responses to check revocation with: a file or a folder. May be given again.",
    ),
    click.option(
        "--revocation",
        type=OneOf(["off", "soft", "require"]),
        help="What an unknown revocation status means: nothing is checked, a warning, or a no."
        " Default: soft where CRLs or OCSP responses are given, else off.",
    ),
    click.option(
        "--revocation-max-age",
        type=Duration(),
        help="How old a CRL or an OCSP response may be that does not say when the next one comes (nextUpdate), for"
        " example 12h or 30d; 0d refuses it. Default: 7d.",
    ),
)
_STRENGTH: Final = (
    click.option(
        "--algorithms",
        type=OneOf(["default", "sp800-78", "allow-all"]),
        default="default",
        show_default=True,
        help="Which algorithms and key sizes are strong enough.",
    ),
    click.option(
        "--ignore-anchor-validity",
        is_flag=True,
        help="Accept a trust anchor whose own certificate is expired or not yet valid; RFC 5280 allows that.",
    ),
)


def path_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for finding a path to a command, which gets them together, as ``search``."""
    return _with_options(
        command, (_certs("find the path in"), _ANCHOR, *_ASKED, *_REVOCATION, _STRENGTH[0], _RANKING, _STRENGTH[1])
    )


def judging_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add those that say what a path has to fulfil, for a command that takes certificates from nowhere else."""
    return _with_options(command, (_ANCHOR, *_ASKED, *_REVOCATION, *_STRENGTH))


def sent_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add those for what a server sends: of revocation it is not asked."""
    return _with_options(command, (_ANCHOR, *_ASKED, _certs("look in for what is not sent"), *_STRENGTH))


def gathering_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add those for what begins with few certificates, and may have no trust anchor to end at."""
    return _with_options(command, (_OPTIONAL_ANCHOR, _certs("begin with"), *_ASKED, *_STRENGTH))


def _with_options(
    command: Callable[..., Any], options: Sequence[Callable[[Callable[..., Any]], Callable[..., Any]]]
) -> Callable[..., Any]:
    @wraps(command)
    def gather(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        names = given.keys() & set(SearchOptions._fields)
        return command(search=SearchOptions(**{name: given.pop(name) for name in names}), **given)

    command_with_options: Callable[..., Any] = gather
    for option in reversed(options):
        command_with_options = option(command_with_options)
    return command_with_options


expires_within_option = click.option(
    "--expires-within",
    type=Duration(),
    default="0d",
    help="Say no if a certificate of the path expires so soon after the time, for example 30d, 12h, 6w or 2y: 365 days"
    " a year.",
)
"""For what answers whether a path lasts: the command gets a timedelta, as ``expires_within``."""


def limits_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--max-iterations`` to a command, which gets all limits, as ``limits``."""

    @click.option(
        "--max-iterations",
        type=click.IntRange(min=1),
        metavar="N",
        default=DEFAULT_LIMITS.pfx_iterations,
        show_default=True,
        help="The most iterations that an existing PKCS#12 file may ask for, for one key; five times as many in all.",
    )
    @wraps(command)
    def limited(max_iterations: int, **given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        total = _KEYS_OF_A_FILE * max_iterations
        limits = replace(DEFAULT_LIMITS, pfx_iterations=max_iterations, pfx_total_iterations=total)
        return command(limits=limits, **given)

    command_with_option: Callable[..., Any] = limited
    return command_with_option


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for a yes and for a no.")


def validation_parameters(search: SearchOptions) -> ValidationParameters:
    """Gather what the path has to fulfil; the time is now where none is given."""
    return ValidationParameters(
        time=search.time or datetime.now(UTC),
        server_name=search.server_name,
        user_initial_policy_set=frozenset(search.policies) or frozenset({ANY_POLICY}),
        # Without it a path that asks for no policy would pass, whatever the user wants (RFC 5280 section 6.1.1 (f)).
        initial_explicit_policy=bool(search.policies),
        algorithm_policy=POLICIES[search.algorithms],
        check_trust_anchor_validity=not search.ignore_anchor_validity,
    )


def revocation_inputs(search: SearchOptions) -> Revocation | None:
    """Load the CRLs and OCSP responses to check revocation by; None where nothing asks for a check.

    Raises :class:`click.UsageError` for a maximal age without anything that it could be about.
    """
    mode = search.revocation or ("soft" if search.crls or search.ocsp_responses else None)
    if mode is None and search.revocation_max_age is not None:
        raise click.UsageError("--revocation-max-age says which CRLs count, and takes --crl, --ocsp or --revocation")
    if mode in {None, "off"}:
        return None
    return Revocation(
        mode=RevocationMode(mode),
        crls=load_crls(*search.crls) if search.crls else (),
        ocsp_responses=load_ocsp_responses(*search.ocsp_responses) if search.ocsp_responses else (),
        max_age=MAX_AGE if search.revocation_max_age is None else search.revocation_max_age,
    )
