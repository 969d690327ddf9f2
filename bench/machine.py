"""Facts about the machine, and how much of a core went to others while we measured."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class CoreTimes:
    """Seconds that one core spent working for anybody, and that the hypervisor withheld."""

    busy: float
    stolen: float


def parse_core_times(text: str, core: int) -> CoreTimes:
    """Reads one core's line of /proc/stat. Raises ValueError when there is no such core."""
    for line in text.splitlines():
        name, *values = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = (int(value) for value in values[:8])
            busy = user + nice + system + irq + softirq
            return CoreTimes(busy / _TICKS_PER_SECOND, steal / _TICKS_PER_SECOND)
    raise ValueError(f"no core {core}")


def core_times(core: int) -> CoreTimes:
    """Times of a core since boot."""
    return parse_core_times(Path("/proc/stat").read_text(), core)


def require_cores(*cores: int) -> None:
    """Raises ValueError unless all these cores may be used by us."""
    missing = set(cores) - os.sched_getaffinity(0)
    if missing:
        raise ValueError(f"core {min(missing)} is not available; choose others with --server-core and --client-core")


def facts() -> dict[str, str]:
    """What a reader needs to judge the figures."""
    return {
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB",
        "kernel": platform.release(),
        "system": _pretty_name(),
        "load average": " ".join(f"{value:.2f}" for value in os.getloadavg()),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _pretty_name() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
