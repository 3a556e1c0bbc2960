"""Certificates, CRLs and OCSP responses over HTTP: only when asked for, bounded, and never more than candidates."""
