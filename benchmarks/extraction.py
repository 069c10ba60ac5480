"""Speed, quality, memory and growth of the extraction, beside two peers in the same run.

`make bench`, or `python benchmarks/extraction.py --help`. The work is in `benchmarks.run`.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # Started as a script, Python looks into this folder first, where this very file would pass for `extraction`.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from benchmarks.run import main

    sys.exit(main())
