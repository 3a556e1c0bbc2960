"""TLS clients and devices: their documented rules, and the judgement of a chain by them."""
