"""Where the third-party data for tests stands: beside the project, never in it."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"

needs_shared = pytest.mark.skipif(
    not (SHARED / "recordings").is_dir(),
    reason="needs ../shared/recordings (third-party market data, kept out of the project)",
)
