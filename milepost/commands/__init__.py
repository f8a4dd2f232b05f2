"""Commands of `milepost`, one module for each, beside `archive` and `check_api`, which they use."""
