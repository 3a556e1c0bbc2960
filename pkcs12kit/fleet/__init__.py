"""Many bundles by one manifest: what is to be built, the work on any executor, the state between runs, the report."""
