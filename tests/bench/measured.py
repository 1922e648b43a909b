"""What the benchmarks share: where things are, how a command is measured, on which machine."""

import os
import pathlib
import platform
import subprocess
import sys
import zlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "engine"
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def peers_python():
    """A Python with what the engine is compared with (requirements.txt), set up once in the cache."""
    requirements = HERE / "requirements.txt"
    folder = CACHE / f"bench-python-{zlib.crc32(requirements.read_bytes())}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--no-input", "--requirement", requirements]
        subprocess.run(pip, check=True)
        (folder / "complete").touch()
    return python


def measure(command, environment=None):
    """Seconds and greatest resident MiB of a command."""
    seconds, _, mebibytes = measure_all(command, environment)
    return seconds, mebibytes


def measure_all(command, environment=None):
    """Seconds, seconds of all its threads on a processor, and greatest resident MiB of a command."""
    report = CACHE / "bench-time"
    timed = ["/usr/bin/time", "-f", "%e %U %S %M", "-o", report, *command]
    done = subprocess.run(
        timed, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    seconds, user, system, kibibytes = report.read_text().split()
    return float(seconds), float(user) + float(system), int(kibibytes) / 1024


def machine():
    """Processor and cores."""
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    name = names[0] if names else platform.processor() or "unknown processor"
    return f"{name}, {os.cpu_count()} cores, {platform.system()}"


def load():
    """What else the machine did in the last minute."""
    return f"load {os.getloadavg()[0]:.1f} at the start"


def output(*command):
    """What a command says, in one line."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
