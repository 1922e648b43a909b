"""What the benchmarks share: where things are, how a command is measured, on which machine."""

import os
import pathlib
import platform
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "engine"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def measure(command, environment=None):
    """Seconds and greatest resident MiB of a command."""
    report = CACHE / "bench-time"
    timed = ["/usr/bin/time", "-f", "%e %M", "-o", report, *command]
    done = subprocess.run(
        timed, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    seconds, kibibytes = report.read_text().split()
    return float(seconds), int(kibibytes) / 1024


def machine():
    """Processor and cores."""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    name = names[0] if names else platform.processor() or "unknown processor"
    return f"{name}, {os.cpu_count()} cores, {platform.system()}"


def output(*command):
    """What a command says, in one line."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
