"""What the tests of the lab share: nobody's AWS settings, and a running region."""

from tests.lab.conftest import nobody, readings, region

__all__ = ["nobody", "readings", "region"]
