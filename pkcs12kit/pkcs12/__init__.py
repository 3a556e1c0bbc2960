"""PKCS#12 files (PFX): what goes in, how it is protected, written, read and taken apart (RFC 7292)."""
