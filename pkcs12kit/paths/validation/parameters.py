"""The inputs of path validation (RFC 5280 section 6.1.1), and what TLS clients add to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.paths.validation.algorithms import DEFAULT, AlgorithmPolicy
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from cryptography.x509 import GeneralName

SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationParameters:
    """What the user asks a path to fulfil. Only ``time`` has no default. Clauses are of RFC 5280.

    Raises :class:`ValueError` for a time without time zone, an empty user-initial-policy-set (nothing could fulfil
    it) and a negative path length; :class:`TypeError` for a policy set that is one string.
    """

    time: datetime
    """When the path has to be valid; timezone-aware. 6.1.1 (b)."""
    user_initial_policy_set: AbstractSet[str] = frozenset({ANY_POLICY})
    """Dotted object identifiers, in the trust anchor's domain; kept as a frozenset. 6.1.1 (c)."""
    initial_policy_mapping_inhibit: bool = False
    """Whether policies are taken as they are, never mapped, on all of the path. 6.1.1 (e)."""
    initial_explicit_policy: bool = False
    """Whether one of ``user_initial_policy_set`` has to hold for the whole path. 6.1.1 (f)."""
    initial_any_policy_inhibit: bool = False
    """Whether anyPolicy in a certificate counts for no policy. 6.1.1 (g)."""
    initial_permitted_subtrees: Sequence[GeneralName] = ()
    """Within one of which every name of that form has to lie; empty: every name is permitted. 6.1.1 (h)."""
    initial_excluded_subtrees: Sequence[GeneralName] = ()
    """Within which no name of that form may lie. 6.1.1 (i)."""
    server_name: str | None = None
    """DNS name or IP address that the target has to be for (RFC 9525); asks for serverAuth too."""
    extended_key_usage: str | None = None
    """Purpose that the target, and each CA certificate that lists purposes, must allow; a dotted object identifier.

    None asks for serverAuth where ``server_name`` is given, and for nothing otherwise.
    """
    max_path_length: int | None = None
    """Intermediate certificates that are not self-issued, at the most. 6.1.2 (k)."""
    algorithm_policy: AlgorithmPolicy = DEFAULT
    """Which hashes, key sizes and curves are strong enough."""
    use_trust_anchor_constraints: bool = True
    """Whether the extensions of an anchor's certificate narrow what it is trusted for (RFC 5937)."""
    check_trust_anchor_validity: bool = True
    """Whether an anchor's certificate has to be within its validity; RFC 5280 does not ask for it."""

    def __post_init__(self) -> None:
        # Certificates state their validity to the second (RFC 5280 section 4.1.2.5), so that is how time is compared.
        object.__setattr__(self, "time", require_aware(self.time).replace(microsecond=0))
        if isinstance(cast("object", self.user_initial_policy_set), str):
            raise TypeError("user_initial_policy_set is a set of object identifiers, not one string")
        for name in ("user_initial_policy_set", "initial_permitted_subtrees", "initial_excluded_subtrees"):
            kind = frozenset if name == "user_initial_policy_set" else tuple
            object.__setattr__(self, name, kind(getattr(self, name)))
        if not self.user_initial_policy_set:
            raise ValueError("an empty user_initial_policy_set accepts no path; leave it out to accept any policy")
        if self.max_path_length is not None and self.max_path_length < 0:
            raise ValueError(f"max_path_length is a number of certificates, not {self.max_path_length}")

    @property
    def purpose(self) -> str | None:
        """The extended key usage that is asked for, implied or given; None for none."""
        if self.extended_key_usage is None and self.server_name is not None:
            return SERVER_AUTH
        return self.extended_key_usage
