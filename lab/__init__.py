"""A region in a box: moto plus the AWS behaviours that it lacks, and drills played in it."""

import sys
from pathlib import Path

_FUNCTION = str(Path(__file__).resolve().parent.parent / "lambda_src")
if _FUNCTION not in sys.path:  # so that `python -m lab` needs a clone and its environment alone
    sys.path.append(_FUNCTION)
