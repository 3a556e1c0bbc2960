"""From options to what the library takes."""

from __future__ import annotations

from datetime import UTC, datetime

from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.paths.revocation import Revocation, RevocationMode
from pkcs12kit.paths.validation.algorithms import POLICIES
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.sources.revocation_data import load_crls, load_ocsp_responses


def validation_parameters(
    time: datetime | None, server_name: str | None, policies: tuple[str, ...], algorithms: str
) -> ValidationParameters:
    """Gather what the path has to fulfil; the time is now where none is given."""
    return ValidationParameters(
        time=time or datetime.now(UTC),
        server_name=server_name,
        user_initial_policy_set=frozenset(policies) or frozenset({ANY_POLICY}),
        # Without it a path that asks for no policy would pass, whatever the user wants (RFC 5280 section 6.1.1 (f)).
        initial_explicit_policy=bool(policies),
        algorithm_policy=POLICIES[algorithms],
    )


def revocation_inputs(mode: str | None, crls: tuple[str, ...], ocsp_responses: tuple[str, ...]) -> Revocation | None:
    """Load what to check revocation with; None where nothing asks for it."""
    if mode is None:
        mode = "soft" if crls or ocsp_responses else "off"
    if mode == "off":
        return None
    return Revocation(
        mode=RevocationMode(mode),
        crls=load_crls(*crls) if crls else (),
        ocsp_responses=load_ocsp_responses(*ocsp_responses) if ocsp_responses else (),
    )
