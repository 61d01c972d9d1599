"""Erasure: an axis projected out of hidden states (INLP, LEACE)."""
