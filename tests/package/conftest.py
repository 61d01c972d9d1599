"""What the tests of the package share: it is built once."""

from __future__ import annotations

import pytest

from package.building import Built, build_all


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Sdist and wheels of the checkout."""
    return build_all(tmp_path_factory.mktemp("package"))
