"""The small study of the integration tests, for the tests that kill it."""

from tests.integration.conftest import small

__all__ = ["small"]
