"""What users really have, as pools, trust anchors and identities: files, folders, zips, PEM, PKCS#7, PKCS#12, keys."""
