"""What certvalidator gets to see when it looks up one certificate's status, and how it checks signatures.

It takes any CRL as a candidate for any certificate, and validates the issuer of each, which needs CRLs again: with a
few dozen unrelated CRLs that never ends. Here each lookup sees the CRLs that RFC 5280 section 6.3.3 lets speak, of
delta CRLs the newest, and is counted. It also uses a CRL without having checked its signature where a CRL issuer's own
status is what it was looking up; here it cannot.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from asn1crypto import crl, keys, ocsp, x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import AlgorithmNotSupported, CRLValidationError
from pyhanko_certvalidator.ltv.poe import POEManager
from pyhanko_certvalidator.policy_decl import AcceptAllAlgorithms
from pyhanko_certvalidator.registry import CertificateRegistry
from pyhanko_certvalidator.revinfo.archival import process_legacy_crl_input, process_legacy_ocsp_input
from pyhanko_certvalidator.revinfo.manager import RevinfoManager
from pyhanko_certvalidator.sig_validate import DEFAULT_VALIDATION_CONTEXT, DefaultSignatureValidator

from pkcs12kit.certificates.lenient import read_name
from pkcs12kit.certificates.tags import refuse_endless_tags
from pkcs12kit.errors import InputError, MalformedCertificateError
from pkcs12kit.paths.delta_crls import with_newest_deltas
from pkcs12kit.paths.working_key import WorkingKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from asn1crypto.algos import SignedDigestAlgorithm
    from pyhanko_certvalidator.path import ValidationPath
    from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer
    from pyhanko_certvalidator.sig_validate import SignatureValidationContext

    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.paths.budget import Budget
    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy


class Sources:
    """Everything given for one path: CRLs and certificates by the names that make them matter, OCSP responses.

    Raises :class:`InputError` for what cannot be read, :class:`LimitExceededError` for too many CRL issuers.
    """

    def __init__(
        self,
        path: CertificationPath,
        *,
        time: datetime,
        revocation: Revocation,
        pool: CertificatePool | None,
        policy: AlgorithmPolicy,
        budget: Budget,
    ) -> None:
        self.anchor = _anchor(path)
        self._time = time
        self._budget = budget
        self._signature_validator = _SignatureValidator(path, policy)
        certificate_lists = [load_crl(data) for data in revocation.crls]
        self._responses = [container for data in revocation.ocsp_responses for container in load_ocsp(data)]
        self._crls: dict[str, list[CRLContainer]] = defaultdict(list)
        for container in process_legacy_crl_input(certificate_lists):
            self._crls[container.crl_data.issuer.hashable].append(container)
        self._issuers: dict[str, list[x509.Certificate]] = defaultdict(list)
        for certificate in _crl_issuers(certificate_lists, pool, budget):
            self._issuers[certificate.subject.hashable].append(certificate)
        self._on_path = [self.anchor.certificate, *(x509.Certificate.load(it.der) for it in path.certificates)]
        self._is_signed: dict[tuple[int, int], bool] = {}
        self.names_deltas = any(b"\x06\x03\x55\x1d\x2e" in data for data in revocation.crls)
        """Whether one of the CRLs may have the extension freshestCRL (RFC 5280 section 5.2.6)."""

    def context(self, certificate: x509.Certificate, above: Sequence[ValidationPath]) -> ValidationContext:
        """Make what a lookup of the status of ``certificate`` runs in; ``above`` are paths validated before.

        A CRL that a certificate above issued needs no more than its signature, whatever that one's own status.
        Raises :class:`ValueError` where a certificate's distribution points cannot be read.
        """
        on_path = [certificate, *(path.last for path in above)]
        crls, others = self._relevant(on_path)
        registry = CertificateRegistry.build([*on_path, *others])
        manager = _RevinfoManager(registry, crls, self._responses, self._signature_validator, self._budget)
        context = ValidationContext(
            trust_roots=[self.anchor],
            moment=self._time,
            certificate_registry=registry,
            revinfo_manager=manager,
            revocation_mode="require",  # for the certificates of CRL issuers and responders beside the path
            time_tolerance=timedelta(0),
            algorithm_usage_policy=AcceptAllAlgorithms(),  # the signature validator asks the named policy
            signature_validator=self._signature_validator,
        )
        for path in above:
            context.record_validation(path.last, path)  # type: ignore[no-untyped-call]  # has no annotations
        return context

    def _relevant(self, certificates: list[x509.Certificate]) -> tuple[list[CRLContainer], list[x509.Certificate]]:
        """Find the CRLs that may speak of the certificates, and of those CRLs' issuers, and so on; and the issuers."""
        names: dict[str, None] = {}
        issuers: list[x509.Certificate] = []
        waiting = list(certificates)
        while waiting:
            for name in _who_may_speak_of(waiting.pop()):
                if name not in names:
                    names[name] = None
                    issuers += self._issuers.get(name, ())
                    waiting += self._issuers.get(name, ())
        crls = (container for name in names for container in self._crls.get(name, ()))
        return with_newest_deltas(crls, time=self._time, is_signed=(self._signed_on_path, self._signed)), issuers

    def _signed_on_path(self, container: CRLContainer) -> bool:
        """Whether a certificate on the path verifies a CRL of its name."""
        name = container.crl_data.issuer.hashable
        return self._signed_by((it for it in self._on_path if it.subject.hashable == name), container)

    def _signed(self, container: CRLContainer) -> bool:
        """Whether any certificate of the issuer's name does, a mere candidate too: it is validated later."""
        candidates = self._issuers.get(container.crl_data.issuer.hashable, ())
        return self._signed_on_path(container) or self._signed_by(candidates, container)

    def _signed_by(self, certificates: Iterable[x509.Certificate], container: CRLContainer) -> bool:
        return any(self._has_signed(certificate, container) for certificate in certificates)

    def _has_signed(self, certificate: x509.Certificate, container: CRLContainer) -> bool:
        asked = (id(certificate), id(container))
        if asked not in self._is_signed:
            self._budget.spend("signature_checks")
            try:
                _verify(self._signature_validator, container.crl_data, certificate)
            except InvalidSignature:
                self._is_signed[asked] = False
            else:
                self._is_signed[asked] = True
        return self._is_signed[asked]


def _who_may_speak_of(certificate: x509.Certificate) -> Iterator[str]:
    """Name the issuer, and the CRL issuers of the distribution points (RFC 5280 section 6.3.3 (b)(1))."""
    yield certificate.issuer.hashable
    for point in certificate.crl_distribution_points_value or ():
        for name in point["crl_issuer"] or ():
            if name.name == "directory_name":
                yield name.chosen.hashable


class _RevinfoManager(RevinfoManager):
    """certvalidator's store of CRLs and OCSP responses, counted and strict."""

    def __init__(
        self,
        registry: CertificateRegistry,
        crls: Iterable[CRLContainer],
        responses: Iterable[OCSPContainer],
        signature_validator: _SignatureValidator,
        budget: Budget,
    ) -> None:
        super().__init__(certificate_registry=registry, poe_manager=POEManager(), crls=crls, ocsps=responses)
        self._signature_validator = signature_validator
        self._budget = budget

    def currently_available_crls(self) -> list[CRLContainer]:
        """Hand out the CRLs, once a lookup; lookups nest. Raises :class:`BudgetExhaustedError`."""
        self._budget.spend("revocation_lookups")
        return super().currently_available_crls()

    def record_crl_issuer(self, certificate_list: crl.CertificateList, cert: x509.Certificate) -> None:
        """Take ``cert`` for the CRL's issuer from now on: only where its key signed the CRL (6.3.3 (g))."""
        try:
            _verify(self._signature_validator, certificate_list, cert)
        except InvalidSignature:
            raise CRLValidationError("CRL signature could not be verified") from None
        super().record_crl_issuer(certificate_list, cert)  # type: ignore[no-untyped-call]  # has no annotations


class _SignatureValidator(DefaultSignatureValidator):
    """Check signatures as certvalidator does, within an algorithm policy and with inherited DSA parameters."""

    def __init__(self, path: CertificationPath, policy: AlgorithmPolicy) -> None:
        self._policy = policy
        self._with_parameters = dict(_inherited(path))

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: keys.PublicKeyInfo,
        signature_algorithm: SignedDigestAlgorithm,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        """Raise :class:`InvalidSignature` for a signature that is wrong, too weak or of an unknown kind."""
        info: bytes = public_key_info.dump()
        info = self._with_parameters.get(info, info)
        try:
            weakness = self._weakness(info, signature_algorithm)
            if weakness is not None:
                raise AlgorithmNotSupported(weakness)
            super().validate_signature(
                signature, signed_data, keys.PublicKeyInfo.load(info), signature_algorithm, context
            )
        except (ValueError, TypeError, KeyError, UnsupportedAlgorithm, AssertionError) as error:
            raise InvalidSignature(str(error)) from None  # certvalidator asserts that key and algorithm belong together

    def _weakness(self, info: bytes, signature_algorithm: SignedDigestAlgorithm) -> str | None:
        try:
            digest = signature_algorithm.hash_algo
        except ValueError:  # the algorithm has none, or its own
            digest = None
        if digest in self._policy.refused_hashes:
            return f"signed with {digest}, which algorithm policy '{self._policy.name}' refuses"
        return self._policy.weakness_of_key(load_der_public_key(info))  # type: ignore[arg-type]  # any kind is judged


def _verify(validator: _SignatureValidator, certificate_list: crl.CertificateList, cert: x509.Certificate) -> None:
    """Raise :class:`InvalidSignature` where a certificate's key did not sign a CRL."""
    validator.validate_signature(
        signature=certificate_list["signature"].native,
        signed_data=certificate_list["tbs_cert_list"].dump(),
        public_key_info=cert.public_key,
        signature_algorithm=certificate_list["signature_algorithm"],
    )


def _inherited(path: CertificationPath) -> Iterator[tuple[bytes, bytes]]:
    """Pair each of the path's keys with its encoding that has DSA parameters (RFC 5280 section 6.1.4 (e), (f))."""
    try:
        key = WorkingKey.of(path.trust_anchor)
        for certificate in reversed(path.certificates):
            key = key.next(certificate)
            yield certificate.subject_public_key_info, key.info
    except MalformedCertificateError:  # a path is not validated without its keys; a target's may be of any kind
        return


def _anchor(path: CertificationPath) -> CertTrustAnchor:
    anchor = path.trust_anchor
    if anchor.certificate is not None:
        return CertTrustAnchor(x509.Certificate.load(anchor.certificate.der))
    # certvalidator looks for CRL issuers among certificates only: name and key get one, which nobody has signed.
    name = x509.Certificate.load(path.certificates[-1].der).issuer  # matches the anchor's: the path is valid
    any_time = x509.Time({"utc_time": datetime(2000, 1, 1, tzinfo=UTC)})
    any_algorithm = {"algorithm": "sha256_rsa"}
    carrier = {
        "tbs_certificate": {
            "version": "v3",
            "serial_number": 0,
            "signature": any_algorithm,
            "issuer": name,
            "validity": {"not_before": any_time, "not_after": any_time},
            "subject": name,
            "subject_public_key_info": keys.PublicKeyInfo.load(anchor.subject_public_key_info),
        },
        "signature_algorithm": any_algorithm,
        "signature_value": b"",
    }
    return CertTrustAnchor(x509.Certificate(carrier))


def _crl_issuers(
    certificate_lists: Iterable[crl.CertificateList], pool: CertificatePool | None, budget: Budget
) -> list[x509.Certificate]:
    """Find the certificates in the pool that may be those of the CRLs' issuers."""
    if pool is None:
        return []
    names = {read_name(certificate_list.issuer.dump()) for certificate_list in certificate_lists}
    found = [certificate for name in names for certificate in pool.by_subject(name)]
    budget.spend("revocation_issuers", len(found))
    return [x509.Certificate.load(certificate.der) for certificate in found]


def load_crl(data: bytes) -> crl.CertificateList:
    """Read a CRL's header. Raises :class:`InputError`."""
    try:
        refuse_endless_tags(data)
        loaded = crl.CertificateList.load(data, strict=True)
        # Parsed on access; the entries are left for later, there may be a million.
        parsed = (loaded.issuer.hashable, loaded["tbs_cert_list"]["this_update"].native)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"not a CRL: {error}") from None
    if not all(parsed):
        raise InputError("not a CRL: without an issuer or thisUpdate")
    return loaded


def load_ocsp(data: bytes) -> list[Any]:
    """Read an OCSP response: one container for each certificate that it is about. Raises :class:`InputError`."""
    try:
        refuse_endless_tags(data)
        loaded = ocsp.OCSPResponse.load(data, strict=True)
        if loaded["response_status"].native != "successful":  # tryLater and the like say nothing of a certificate
            return []
        [certificate.issuer_serial for certificate in loaded.basic_ocsp_response["certs"] or ()]
        return process_legacy_ocsp_input([loaded])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"not an OCSP response: {error}") from None
