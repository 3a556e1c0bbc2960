# The public names, and the module that each comes from; lazy_loader reads this file when pkcs12kit is imported.

from . import lab
from .builder import BuildReport, build
from .certificates.certificate import Certificate
from .certificates.identity import Identity
from .certificates.names import Name
from .certificates.path import CertificationPath
from .certificates.pool import CertificatePool, Reject
from .certificates.trust_anchor import TrustAnchor
from .display import pictures
from .errors import (
    FailureReason,
    InputError,
    KeyMismatchError,
    LimitExceededError,
    MalformedCertificateError,
    MalformedPfxError,
    OutputError,
    PasswordError,
    PathError,
    PfxError,
    PfxPasswordError,
    Pkcs12KitError,
    UnsupportedPfxError,
)
from .findings import Check, Finding, Outcome, ProbeCheck, SentCheck
from .limits import DEFAULT_LIMITS, Limits
from .notebook.showing import to_html
from .paths.confirmation import Confirmation, ConfirmationError, Opinion, confirm
from .paths.failure import Failure
from .paths.processing import find_path, find_paths
from .paths.ranking import Ranking, longest_lasting, shortest, why_before
from .paths.report import NoValidPathError, PathReport, RejectedPath
from .paths.revocation import CertificateStatus, Revocation, RevocationMode, RevocationReport, RevocationStatus
from .paths.validation import algorithms
from .paths.validation.algorithms import AlgorithmPolicy
from .paths.validation.parameters import ValidationParameters
from .paths.validation.verdict import ValidatedPath
from .pkcs12 import profiles, readers
from .pkcs12.bundle import Bundle
from .pkcs12.conversion import convert_pfx, encode_pem
from .pkcs12.decoder import DecodedPfx, decode_pfx
from .pkcs12.encoder import encode_pfx
from .pkcs12.inspection import PfxReport, inspect_pfx
from .pkcs12.profiles import Profile
from .pkcs12.writing import write_pfx
from .retrieval.bundle_changes import BundleChanges
from .retrieval.bundle_report import BundleReport
from .retrieval.bundles import fetch_bundle
from .retrieval.finding import FetchedPath, find_path_fetching
from .retrieval.gather import FetchOptions, gather
from .retrieval.gather_report import GatherReport
from .retrieval.published_bundles import PublishedBundle, load_bundles
from .retrieval.signed_checksums import ChecksumStatus, ChecksumVerdict
from .sources.loading import (
    load_certificate,
    load_certificates,
    load_identity,
    load_trust_anchors,
)
from .sources.revocation_data import load_crls, load_ocsp_responses
from .tls.certificate_message import CertificateMessage
from .tls.contact import Contact
from .tls.handshake import Handshake, Verdict
from .tls.judging import DeviceVerdict
from .tls.probing import ProtocolAnswer, ServerAnswer
from .verifier.probe import probe
from .verifier.probe_report import ProbedServer, ProbeReport
from .verifier.rehearsal_report import RehearsalReport
from .verifier.rehearse import rehearse
from .verifier.report import VerificationReport
from .verifier.sent import judge_sent
from .verifier.sent_report import SentReport
from .verifier.verify import verify

__all__ = [
    "DEFAULT_LIMITS",
    "AlgorithmPolicy",
    "BuildReport",
    "Bundle",
    "BundleChanges",
    "BundleReport",
    "Certificate",
    "CertificateMessage",
    "CertificatePool",
    "CertificateStatus",
    "CertificationPath",
    "Check",
    "ChecksumStatus",
    "ChecksumVerdict",
    "Confirmation",
    "ConfirmationError",
    "Contact",
    "DecodedPfx",
    "DeviceVerdict",
    "Failure",
    "FailureReason",
    "FetchOptions",
    "FetchedPath",
    "Finding",
    "GatherReport",
    "Handshake",
    "Identity",
    "InputError",
    "KeyMismatchError",
    "LimitExceededError",
    "Limits",
    "MalformedCertificateError",
    "MalformedPfxError",
    "Name",
    "NoValidPathError",
    "Opinion",
    "Outcome",
    "OutputError",
    "PasswordError",
    "PathError",
    "PathReport",
    "PfxError",
    "PfxPasswordError",
    "PfxReport",
    "Pkcs12KitError",
    "ProbeCheck",
    "ProbeReport",
    "ProbedServer",
    "Profile",
    "ProtocolAnswer",
    "PublishedBundle",
    "Ranking",
    "RehearsalReport",
    "Reject",
    "RejectedPath",
    "Revocation",
    "RevocationMode",
    "RevocationReport",
    "RevocationStatus",
    "SentCheck",
    "SentReport",
    "ServerAnswer",
    "TrustAnchor",
    "UnsupportedPfxError",
    "ValidatedPath",
    "ValidationParameters",
    "Verdict",
    "VerificationReport",
    "algorithms",
    "build",
    "confirm",
    "convert_pfx",
    "decode_pfx",
    "encode_pem",
    "encode_pfx",
    "fetch_bundle",
    "find_path",
    "find_path_fetching",
    "find_paths",
    "gather",
    "inspect_pfx",
    "judge_sent",
    "lab",
    "load_bundles",
    "load_certificate",
    "load_certificates",
    "load_crls",
    "load_identity",
    "load_ocsp_responses",
    "load_trust_anchors",
    "longest_lasting",
    "pictures",
    "probe",
    "profiles",
    "readers",
    "rehearse",
    "shortest",
    "to_html",
    "verify",
    "why_before",
    "write_pfx",
]
