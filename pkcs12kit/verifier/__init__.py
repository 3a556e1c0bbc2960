"""A PKCS#12 file held against what its clients trust: every check of it, each a finding with its reason."""
