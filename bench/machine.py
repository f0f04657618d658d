"""The machine that figures are of, and how busy it was: they say nothing without."""

import os
import platform
from typing import Any

QUIET_LOAD = 0.3
"""How much other work, in cores, leaves figures what they are."""


def machine() -> dict[str, Any]:
    """Tell what the figures were measured on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
    }


def how_quiet(load: float) -> str:
    """Say whether figures measured under this load are worth keeping."""
    if load <= QUIET_LOAD:
        return f"The machine was quiet when this began (load {load:.1f})."
    return (
        f"The machine was busy when this began (load {load:.1f}): the figures prove that the bench works, "
        "no more. Ratios taken in turn suffer least."
    )
