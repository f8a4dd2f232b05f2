"""The outside check of Milepost's own processes."""
