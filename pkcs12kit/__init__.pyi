# The public names, and the module that each comes from; lazy_loader reads this file when pkcs12kit is imported.

from . import lab, probing, published, revocation
from .builder.build import build
from .builder.report import BuildReport
from .certificates.certificate import Certificate
from .certificates.identity import Identity
from .certificates.lint.certificate_notes import lint_certificates
from .certificates.names import Name
from .certificates.notes import Note, NoteRule
from .certificates.path import CertificationPath
from .certificates.policy_names import policy_names
from .certificates.pool import CertificatePool, Reject
from .certificates.trust_anchor import TrustAnchor
from .comparison.compare import compare_certificates
from .comparison.report import Comparison
from .comparison.targets import PathOutcome
from .contents.listing import Contents, list_contents
from .display import pictures
from .errors import (
    ArgumentError,
    FailureReason,
    InputError,
    KeyChoiceError,
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
    UnknownNameError,
    UnsupportedPfxError,
)
from .finder import find_path, find_paths, validity_periods, what_if
from .findings import Check, Finding, Outcome
from .fleet.report import FleetReport
from .fleet.run import batch
from .hints import Hint
from .limits import DEFAULT_LIMITS, Limits
from .notebook.show import to_html
from .outputs.output import write_pfx
from .paths.confirmation import Confirmation, ConfirmationError, Opinion, confirm
from .paths.failure import Cause, Failure
from .paths.ranking import Ranking, longest_lasting, shortest, why_before
from .paths.report import NoValidPathError, PathReport, RejectedPath
from .paths.revocation import Revocation, RevocationMode
from .paths.validation import algorithms
from .paths.validation.algorithms import AlgorithmPolicy
from .paths.validation.parameters import ValidationParameters
from .paths.validation.verdict import ValidatedPath
from .paths.validity_report import ValidityReport
from .paths.what_if import WhatIfReport
from .pkcs12 import profiles, readers
from .pkcs12.bundle import Bundle
from .pkcs12.conversion import encode_pem
from .pkcs12.decoder import DecodedPfx
from .pkcs12.encoder import encode_pfx
from .pkcs12.inspection import PfxReport
from .pkcs12.profiles import Profile
from .retrieval.gather import GatherReport, gather
from .retrieval.options import FetchOptions
from .sources.crls_and_ocsp import load_crls, load_ocsp_responses
from .sources.identities import load_identity
from .sources.loading import load_certificate, load_certificates, load_trust_anchors
from .sources.pkcs12_files import convert_pfx, decode_pfx, inspect_pfx
from .sources.policy_files import load_policy_names
from .verifier.expiry import ExpiryReport, expiry_report
from .verifier.probe import probe
from .verifier.rehearse import rehearse
from .verifier.reports import VerificationReport
from .verifier.served_chain import check_served_chain
from .verifier.verify import verify

__version__: str

__all__ = [
    "DEFAULT_LIMITS",
    "AlgorithmPolicy",
    "ArgumentError",
    "BuildReport",
    "Bundle",
    "Cause",
    "Certificate",
    "CertificatePool",
    "CertificationPath",
    "Check",
    "Comparison",
    "Confirmation",
    "ConfirmationError",
    "Contents",
    "DecodedPfx",
    "ExpiryReport",
    "Failure",
    "FailureReason",
    "FetchOptions",
    "Finding",
    "FleetReport",
    "GatherReport",
    "Hint",
    "Identity",
    "InputError",
    "KeyChoiceError",
    "KeyMismatchError",
    "LimitExceededError",
    "Limits",
    "MalformedCertificateError",
    "MalformedPfxError",
    "Name",
    "NoValidPathError",
    "Note",
    "NoteRule",
    "Opinion",
    "Outcome",
    "OutputError",
    "PasswordError",
    "PathError",
    "PathOutcome",
    "PathReport",
    "PfxError",
    "PfxPasswordError",
    "PfxReport",
    "Pkcs12KitError",
    "Profile",
    "Ranking",
    "Reject",
    "RejectedPath",
    "Revocation",
    "RevocationMode",
    "TrustAnchor",
    "UnknownNameError",
    "UnsupportedPfxError",
    "ValidatedPath",
    "ValidationParameters",
    "ValidityReport",
    "VerificationReport",
    "WhatIfReport",
    "algorithms",
    "batch",
    "build",
    "check_served_chain",
    "compare_certificates",
    "confirm",
    "convert_pfx",
    "decode_pfx",
    "encode_pem",
    "encode_pfx",
    "expiry_report",
    "find_path",
    "find_paths",
    "gather",
    "inspect_pfx",
    "lab",
    "lint_certificates",
    "list_contents",
    "load_certificate",
    "load_certificates",
    "load_crls",
    "load_identity",
    "load_ocsp_responses",
    "load_policy_names",
    "load_trust_anchors",
    "longest_lasting",
    "pictures",
    "policy_names",
    "probe",
    "probing",
    "profiles",
    "published",
    "readers",
    "rehearse",
    "revocation",
    "shortest",
    "to_html",
    "validity_periods",
    "verify",
    "what_if",
    "why_before",
    "write_pfx",
]
