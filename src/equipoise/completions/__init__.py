"""Somebody's texts as a frame: columns, readers, sentences. It knows no model."""
