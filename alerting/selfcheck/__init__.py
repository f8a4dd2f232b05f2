"""The self-check: a watch over Milepost's own processes from outside."""
