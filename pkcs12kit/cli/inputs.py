"""From options to what the library takes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.paths.revocation import Revocation, RevocationMode
from pkcs12kit.paths.revocation.model import MAX_AGE
from pkcs12kit.paths.validation.algorithms import POLICIES
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.sources.revocation_data import load_crls, load_ocsp_responses

if TYPE_CHECKING:
    from pkcs12kit.cli.options import SearchOptions


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
