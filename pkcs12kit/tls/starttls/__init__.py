"""The dialogue in the clear that some protocols want before TLS: one function a protocol, all in :mod:`.protocols`."""
