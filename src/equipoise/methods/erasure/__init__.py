"""Erasure: gender projected out of hidden states (INLP, LEACE)."""
