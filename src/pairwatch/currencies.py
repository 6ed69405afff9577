"""Closes converted into another currency, by the exchange rates of the same source."""
