"""Extensions by which a certificate constrains the path below it (RFC 5280 section 4.2.1)."""

from __future__ import annotations

from cryptography import x509

from pkcs12kit import lab


def policies(*oids):
    """State policies, not critical."""
    return lab.non_critical(lab.certificate_policies(*oids))


def mappings(*pairs):
    """Map policies of the issuer's domain to those of the subject's."""
    return lab.critical(lab.policy_mappings(*pairs))


def policy_constraints(require=None, inhibit=None):
    """Require an explicit policy, inhibit policy mapping: skip counts."""
    return lab.critical(x509.PolicyConstraints(require, inhibit))


def inhibit_any_policy(skip):
    """Make anyPolicy count no more after so many certificates."""
    return lab.critical(x509.InhibitAnyPolicy(skip))


def permitted(*subtrees):
    """Permit subtrees; a text is a DNS name."""
    return lab.critical(x509.NameConstraints(permitted_subtrees=_general_names(subtrees), excluded_subtrees=None))


def excluded(*subtrees):
    """Exclude subtrees; a text is a DNS name."""
    return lab.critical(x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=_general_names(subtrees)))


def _general_names(subtrees):
    return [x509.DNSName(subtree) if isinstance(subtree, str) else subtree for subtree in subtrees]


def purposes(*usages):
    """List extended key usages, not critical."""
    return lab.non_critical(x509.ExtendedKeyUsage(usages))
