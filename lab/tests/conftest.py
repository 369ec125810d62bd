"""What the lab's tests share with those that are still elsewhere: a region without a person."""

from tests.lab.conftest import nobody, readings, region

__all__ = ["nobody", "readings", "region"]
