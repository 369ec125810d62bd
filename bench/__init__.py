"""What is measured, and against what."""

import sys
from pathlib import Path

_FUNCTION = str(Path(__file__).resolve().parent.parent / "lambda_src")
if _FUNCTION not in sys.path:  # so that `python -m bench.…` needs no variable
    sys.path.append(_FUNCTION)
