"""The values that everything else speaks of: certificates, names, pools, trust anchors, paths, identities."""
