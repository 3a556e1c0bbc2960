"""The arguments of :func:`~pkcs12kit.build` that come from the options of a bundle, with the meaning of the command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.fleet.contradictions import chosen_profile
from pkcs12kit.fleet.pools import load_evidence
from pkcs12kit.limits import DEFAULT_LIMITS, with_iterations
from pkcs12kit.paths import ranking
from pkcs12kit.paths.validation.parameters import parameters_of_options
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.typed_values import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pkcs12kit.fleet.bundles import FleetBundle
    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.options import FetchOptions

_DERIVATIONS_OF_A_FILE: Final = 12
"""No profile takes so many derivations, each of its number of iterations, for a file with one key."""


def build_arguments(bundle: FleetBundle, *, time: datetime, evidence: str, limits: Limits) -> dict[str, Any]:
    """Return the arguments of :func:`~pkcs12kit.build` for the options of a bundle, and the limits.

    The inputs, the output and the passwords are not among them. ``time`` is for a bundle without ``at``. CRLs and OCSP
    responses are read once in a process, and ``evidence`` is their digest. Raises
    :class:`~pkcs12kit.InputError`.
    """
    options = bundle.options
    limits = _limits(options, limits)
    return {
        **_path_arguments(options, time),
        "revocation": load_evidence(bundle, evidence, limits=limits),
        **_form_arguments(options),
        **_protection_arguments(options),
        "certs_only": options.get("certs_only", False),
        "truststore": options.get("truststore", False),
        "key_name": options.get("key_name"),
        "key_id": parse_key_id(options["key_id"]) if "key_id" in options else None,
        "require_mac": options.get("require_mac", False),
        "friendly_name": options.get("friendly_name"),
        "certificate_name": options.get("certificate_name"),
        "ca_names": tuple(options.get("ca_name", ())),
        "overwrite": options.get("force", False),
        "owner": options.get("owner"),
        "group": options.get("group"),
        "mode": options.get("mode"),
        "limits": limits,
    }


def _limits(options: Mapping[str, Any], limits: Limits) -> Limits:
    if "max_iterations" in options:
        limits = with_iterations(limits, options["max_iterations"])
    return replace(limits, retrieval_seconds=options["timeout"]) if "timeout" in options else limits


def _path_arguments(options: Mapping[str, Any], time: datetime) -> dict[str, Any]:
    return {
        "parameters": parameters_of_options(
            time=options.get("at", time),
            server_name=options.get("server_name"),
            policies=options.get("policy", ()),
            algorithms=options.get("algorithms", "default"),
            ignore_anchor_validity=options.get("ignore_anchor_validity", False),
        ),
        "ranking": ranking.READY_MADE[options.get("ranking", "longest-lasting")],
        "fetch": _fetching(options),
        "second_opinion": not options.get("no_second_opinion", False),
    }


def _fetching(options: Mapping[str, Any]) -> FetchOptions | None:
    if not options.get("fetch", False):
        return None
    from pkcs12kit.retrieval.options import FetchOptions

    return FetchOptions(
        cache_folder=options.get("cache"),
        cache=not options.get("no_cache", False),
        offline=options.get("offline", False),
        allow_private=options.get("allow_private", False),
    )


def _form_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    left_out, written = options.get("no_anchor", False), options.get("with_anchor", False)
    return {
        "to": options.get("to", "pkcs12"),
        "key_output": options.get("key_out"),
        "traditional": options.get("traditional", False),
        "include_anchor": None if left_out == written else written,
    }


def _protection_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the profile and the readers; without numbers of iterations the readers choose the profile."""
    if options.get("to") == "pem":
        return {"profile": None, "for_readers": ()}
    numbered = "iterations" in options or "mac_iterations" in options
    if "for" in options and not numbered:
        return {"profile": None, "for_readers": tuple(options["for"])}
    return {"profile": chosen_profile(options), "for_readers": tuple(options.get("for", ()))}


def with_fewest_iterations(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments of :func:`~pkcs12kit.build` for a file that is thrown away: its keys are derived in no time.

    They are refused for the same reasons as those given. Arguments for PEM, and those with so many iterations that the
    encoder may refuse them, are returned as they are.
    """
    if arguments["to"] == "pem":
        return dict(arguments)
    readers = arguments["for_readers"]
    given = arguments["profile"]
    profile = profiles.for_readers(*readers) if readers and given is None else profiles.find(given)
    most = max(profile.encryption_iterations, profile.mac_iterations)
    if most * _DERIVATIONS_OF_A_FILE > DEFAULT_LIMITS.pfx_total_iterations:
        return dict(arguments)
    fewest = profile.minimum_iterations
    quick = profile.with_iterations(
        encryption=fewest if profile.encryption_iterations else None, mac=fewest if profile.mac_iterations else None
    )
    return {**arguments, "profile": quick}
