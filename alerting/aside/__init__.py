"""The incident of data that is set aside for long."""
