"""The AWS behaviours that moto lacks, one class each, with the fact that it restores."""
