"""From a server's key and certificate, through cross-certificates to a trust anchor, to a PKCS#12 file."""
