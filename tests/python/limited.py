"""Runs a program that may write no file longer than BYTES, as on a full disk.

    python limited.py BYTES PROGRAM ARGUMENT ...

Python ignores the signal of the limit, and so does what it becomes: writes fail instead.
"""

import os
import resource
import sys

bytes_max = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, bytes_max))
os.execv(sys.argv[2], sys.argv[2:])
