"""Where the CPU time goes: functions that are timed while they run, in whichever thread, less what they time inside."""

from __future__ import annotations

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any


class Parts:
    """CPU seconds of parts of a program, by name."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._inside = threading.local()

    def time_method(self, owner: type, name: str, part: str) -> None:
        """Count a method's time as of this part from now on."""
        setattr(owner, name, self._timed(getattr(owner, name), part))

    def time_function(self, function: Callable[..., Any], part: str) -> None:
        """Count a function's time as of this part, in every module that has it by now."""
        timed = self._timed(function, part)
        for module in list(sys.modules.values()):
            for name, value in list(vars(module).items()):
                if value is function:
                    setattr(module, name, timed)

    def _timed(self, function: Callable[..., Any], part: str) -> Callable[..., Any]:
        @wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            outer = getattr(self._inside, "seconds", 0.0)
            self._inside.seconds = 0.0
            started = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                spent = time.thread_time() - started
                with self._lock:
                    self.seconds[part] += spent - self._inside.seconds
                self._inside.seconds = outer + spent

        return timed
