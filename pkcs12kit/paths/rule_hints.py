"""Hints for paths that break a rule of a CA or of the caller: policies, purposes, path lengths and names.

The cure depends on who imposes the rule, which the causes of the failure say. An option is named only if it was given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.certificates.policy_names import by_arcs, policy_label
from pkcs12kit.errors import FailureReason
from pkcs12kit.hints import Hint
from pkcs12kit.paths.calls import Call
from pkcs12kit.paths.validation.extensions import KEYS_THAT_SIGN, SUBJECT_PUBLIC_KEY_INFO
from pkcs12kit.paths.validation.policy_explanation import (
    INITIAL_EXPLICIT_POLICY,
    UNASKED,
    USER_INITIAL_POLICY_SET,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.failure import Failure

_SHOWN: Final = 3
_ANOTHER_PATH: Final = "give certificates for another path to the trust anchor with --certs"


def hints_for_rule(failure: Failure, target: Certificate) -> tuple[Hint, ...]:
    """Return the hints for a failure of one of these kinds; none for another kind, or without an explanation."""
    if not failure.causes:
        return ()
    if failure.reason is FailureReason.EXPLICIT_POLICY:
        return tuple(_for_policies(failure))
    if failure.reason is FailureReason.EXTENDED_KEY_USAGE and failure.certificate != target:
        may_not = f"{failure.certificate.label} may not issue certificates for this purpose"
        leave = Hint(text="or leave --server-name out, if it is not for TLS", command=_not_for_tls())
        return (Hint(text=f"{may_not}: ask another CA for the certificate, or {_ANOTHER_PATH}"), leave)
    if failure.reason is FailureReason.KEY_USAGE and failure.causes[0].extension == SUBJECT_PUBLIC_KEY_INFO:
        return (
            Hint(text=f"make a key of {KEYS_THAT_SIGN}, and ask the CA for a certificate for it"),
            Hint(text="or leave --server-name out, if it is not for TLS", command=_not_for_tls()),
        )
    if failure.reason is FailureReason.PATH_LENGTH:
        above = [cause.certificate.label for cause in failure.causes if cause.certificate is not None]
        limits = f"{' and '.join(above)} allows fewer CAs below it: " if above else ""
        return (Hint(text=f"{limits}{_ANOTHER_PATH}, or ask for a certificate of a CA further up"),)
    return ()


def _not_for_tls() -> str | None:
    """Return the call of ``paths`` without a server's name; None in a library."""
    return Call.current().paths_again(server_name=None)


def _for_policies(failure: Failure) -> Iterator[Hint]:
    asked = {cause.extension for cause in failure.causes if cause.certificate is None}
    required = {
        cause.certificate.label: None
        for cause in failure.causes
        if cause.certificate is not None and cause.value.startswith("requireExplicitPolicy")
    }
    valid = [each for each in by_arcs(failure.policies[-1].in_anchor_domain) if each != ANY_POLICY]
    if USER_INITIAL_POLICY_SET in asked and valid:
        names = " or ".join(map(policy_label, valid[:_SHOWN]))
        yield Hint(text=f"ask for a policy that the path has: {names}", command=_again(valid[:1]))
        yield Hint(text="or accept any policy, without --policy", command=_again(None))
        return
    would_pass = failure.would_pass or ""
    certificate = would_pass.removesuffix(UNASKED).removesuffix(", or ")
    if INITIAL_EXPLICIT_POLICY in asked and would_pass.endswith(UNASKED):
        yield Hint(text="no policy holds for this path: leave --policy out", command=_again(None))
        if certificate:
            yield Hint(text=f"or get {certificate}")
    else:
        who = f"{', '.join(list(required)[:_SHOWN])} requires a policy: " if required else ""
        cure = f"get {certificate}, or " if certificate else ""
        yield Hint(text=f"{who}{cure}{_ANOTHER_PATH}")


def _again(policies: Sequence[str] | None) -> str | None:
    """Return the call of ``paths`` with other policies, or without any; None in a library."""
    return Call.current().paths_again(policies=None if policies is None else tuple(policies))
