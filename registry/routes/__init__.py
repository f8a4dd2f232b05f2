"""Routes: which incidents go to which roles, in which steps; explained."""
