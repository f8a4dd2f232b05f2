"""The commands of `milepost`, one module for each."""
