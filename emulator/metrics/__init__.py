"""What is counted while functions and APIs run: at almost no cost for each request, in memory that does not grow.

`emulator/usage_report.py` reads it.
"""

from emulator.metrics.function_metrics import FunctionMetrics
from emulator.metrics.metrics import Metrics
from emulator.metrics.route_metrics import RouteMetrics

__all__ = ["FunctionMetrics", "Metrics", "RouteMetrics"]
