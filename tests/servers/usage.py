"""What a process has used, as the kernel counts it."""

import os
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Seconds of CPU since it began, all threads, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes(pid: int) -> int:
    """Its resident memory now (10^6 bytes)."""
    [line] = [at for at in Path(f"/proc/{pid}/status").read_text("ascii").splitlines() if at.startswith("VmRSS")]
    return int(line.split()[1]) * 1024 // 1_000_000
