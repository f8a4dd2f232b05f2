"""Who judges: liveness, incidents, delivery."""
