"""A made-up history for demonstrations: months of a simulated fleet, judged and counted by the real code."""
