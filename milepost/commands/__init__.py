"""What the commands of `milepost` do, one module for each."""
