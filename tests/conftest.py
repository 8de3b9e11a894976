"""What all tests share: where real data lie, and how hypothesis works."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("house")

_DATA = tempfile.TemporaryDirectory(prefix="luxwake-data-")
os.environ["LUXWAKE_DATA"] = _DATA.name  # no test sees what a developer imported

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real AIS and trade data that is kept beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("real data are not beside this checkout (../shared/data)")
    return SHARED
