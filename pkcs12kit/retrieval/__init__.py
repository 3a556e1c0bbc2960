"""Fetching of certificates, CRLs and OCSP responses over HTTP: on request, within limits, and always untrusted."""
