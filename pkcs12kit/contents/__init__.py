"""The contents of files, for people who want to look at them: certificates, keys, CRLs, and everything beside them."""
