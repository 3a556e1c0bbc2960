"""The inputs of path validation (RFC 5280 section 6.1.1), and those that TLS clients add."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from pkcs12kit.arguments import require_flags, require_kind, require_several, require_texts
from pkcs12kit.certificates.extensions import ANY_POLICY
from pkcs12kit.errors import ArgumentError
from pkcs12kit.paths.validation.algorithms import DEFAULT, POLICIES, AlgorithmPolicy
from pkcs12kit.paths.validation.server_name import require_server_name
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from cryptography.x509 import GeneralName

SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationParameters:
    """The requirements for a path. Only ``time`` has no default. Clauses are of RFC 5280.

    Raises :class:`~pkcs12kit.ArgumentError` for a time without time zone, an empty user-initial-policy-set (no path
    could meet it), a policy set that is one string, a server name that is neither a DNS name nor an IP address (a URL,
    for example), and a negative path length.
    """

    time: datetime
    """The time at which the path has to be valid; timezone-aware. 6.1.1 (b)."""
    user_initial_policy_set: AbstractSet[str] = frozenset({ANY_POLICY})
    """Dotted object identifiers, in the trust anchor's domain; kept as a frozenset. 6.1.1 (c)."""
    initial_policy_mapping_inhibit: bool = False
    """True to forbid policy mapping on the whole path. 6.1.1 (e)."""
    initial_explicit_policy: bool = False
    """True to require that the whole path is valid for one of ``user_initial_policy_set``. 6.1.1 (f)."""
    initial_any_policy_inhibit: bool = False
    """True to ignore anyPolicy in certificates. 6.1.1 (g)."""
    initial_permitted_subtrees: Sequence[GeneralName] = ()
    """Every name must lie within one of these, for names of their forms; empty to permit every name. 6.1.1 (h)."""
    initial_excluded_subtrees: Sequence[GeneralName] = ()
    """No name may lie within one of these. 6.1.1 (i)."""
    server_name: str | None = None
    """DNS name or IP address that the target must be valid for (RFC 9525); also requires serverAuth."""
    extended_key_usage: str | None = None
    """Purpose that the target, and each CA certificate that lists purposes, must allow; a dotted object identifier.

    None requires serverAuth if ``server_name`` is given, and no purpose otherwise.
    """
    max_path_length: int | None = None
    """The largest number of intermediate certificates that are not self-issued. 6.1.2 (k)."""
    algorithm_policy: AlgorithmPolicy = DEFAULT
    """The hashes, key sizes and curves that are strong enough."""
    use_trust_anchor_constraints: bool = True
    """True to apply the constraints in the certificate of a trust anchor (RFC 5937)."""
    check_trust_anchor_validity: bool = True
    """True to reject an expired trust anchor; RFC 5280 does not require this.

    If False, the expiry of the anchor's certificate counts neither in :attr:`ValidatedPath.expires
    <pkcs12kit.ValidatedPath.expires>` nor in the ranking.
    """

    def __post_init__(self) -> None:
        # Certificates state their validity to the second (RFC 5280 section 4.1.2.5), and so are times compared.
        object.__setattr__(self, "time", require_aware(self.time).replace(microsecond=0))
        self._check_kinds()
        for name in ("user_initial_policy_set", "initial_permitted_subtrees", "initial_excluded_subtrees"):
            kind = frozenset if name == "user_initial_policy_set" else tuple
            object.__setattr__(self, name, kind(getattr(self, name)))
        for policy in self.user_initial_policy_set:
            require_kind("user_initial_policy_set", policy, str)
        if self.initial_permitted_subtrees or self.initial_excluded_subtrees:
            from cryptography.x509 import GeneralName

            for subtree in (*self.initial_permitted_subtrees, *self.initial_excluded_subtrees):
                require_kind("initial subtrees", subtree, GeneralName)
        if not self.user_initial_policy_set:
            raise ArgumentError("an empty user_initial_policy_set accepts no path; leave it out to accept any policy")
        if self.max_path_length is not None and self.max_path_length < 0:
            raise ArgumentError(f"max_path_length is a number of certificates, not {self.max_path_length}")

    def _check_kinds(self) -> None:
        sets = ("user_initial_policy_set", "initial_permitted_subtrees", "initial_excluded_subtrees")
        require_several({name: getattr(self, name) for name in sets})
        require_texts(server_name=self.server_name, extended_key_usage=self.extended_key_usage)
        if self.server_name is not None:
            require_server_name(self.server_name)
        require_flags(
            initial_policy_mapping_inhibit=self.initial_policy_mapping_inhibit,
            initial_explicit_policy=self.initial_explicit_policy,
            initial_any_policy_inhibit=self.initial_any_policy_inhibit,
            use_trust_anchor_constraints=self.use_trust_anchor_constraints,
            check_trust_anchor_validity=self.check_trust_anchor_validity,
        )
        require_kind("max_path_length", self.max_path_length, int, optional=True)
        require_kind("algorithm_policy", self.algorithm_policy, AlgorithmPolicy)

    @property
    def purpose(self) -> str | None:
        """The required extended key usage, given or implied by ``server_name``; None for none."""
        if self.extended_key_usage is None and self.server_name is not None:
            return SERVER_AUTH
        return self.extended_key_usage


def parameters_of_options(
    *,
    time: datetime,
    server_name: str | None = None,
    policies: Iterable[str] = (),
    algorithms: str = DEFAULT.name,
    ignore_anchor_validity: bool = False,
) -> ValidationParameters:
    """Return what the path must fulfil, from the options of ``build``; no policy accepts any, and none.

    Raises :class:`~pkcs12kit.ArgumentError` as :class:`ValidationParameters` does.
    """
    wanted = frozenset(policies)
    return ValidationParameters(
        time=time,
        server_name=server_name,
        user_initial_policy_set=wanted or frozenset({ANY_POLICY}),
        # Without it a path without any policy would be valid, whatever the user asks for (RFC 5280 section 6.1.1 (f)).
        initial_explicit_policy=bool(wanted),
        algorithm_policy=POLICIES[algorithms],
        check_trust_anchor_validity=not ignore_anchor_validity,
    )


def choose_parameters(
    parameters: ValidationParameters | None, *, time: datetime | None = None, server_name: str | None = None
) -> ValidationParameters:
    """Return ``parameters``, or parameters of ``time`` (None for now) and ``server_name`` where none are given.

    Every public function that searches for or validates paths calls this: for them it is the one place where the time
    defaults to now. The command, the notebook display, ``lab`` and ``published`` have their own default. Raises
    :class:`~pkcs12kit.ArgumentError` for values of other kinds, and for ``parameters`` beside ``time`` or
    ``server_name``, which belong in them.
    """
    if parameters is None:
        return ValidationParameters(time=datetime.now(UTC) if time is None else time, server_name=server_name)
    if not isinstance(cast("object", parameters), ValidationParameters):
        raise ArgumentError(f"parameters are ValidationParameters, not {type(parameters).__name__}")
    if time is not None or server_name is not None:
        raise ArgumentError("put time and server_name into parameters, or give no parameters")
    return parameters
