"""The whole way in one call: from key, certificate, candidates and trust anchor to a PKCS#12 file."""
