"""What was used, in dollars: a dated book of prices, and a meter that adds up a session's bill."""

from __future__ import annotations

from recorder.pricing.lines import CostLine
from recorder.pricing.meter import Meter, TapeMeter, cost_of
from recorder.pricing.prices import PriceBook
from recorder.pricing.reading import PriceBookError

__all__ = ["CostLine", "Meter", "PriceBook", "PriceBookError", "TapeMeter", "cost_of"]
