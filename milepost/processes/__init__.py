"""Starts, watches, restarts and stops the processes of `milepost up`."""
