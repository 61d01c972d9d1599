"""Ctrl-G: decoding that keeps a constraint, with the likelihood of keeping it as its guide."""
