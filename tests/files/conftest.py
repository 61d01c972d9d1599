"""The small task of the measures' tests."""

from measures.conftest import task, write_csv

__all__ = ["task", "write_csv"]
