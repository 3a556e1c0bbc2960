"""Sources: files, folders, zips, PEM, PKCS#7, PKCS#12 and keys, read as pools, trust anchors and identities."""
