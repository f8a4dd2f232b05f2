"""Escalation: the frozen plan of each incident, and the steps, reminders and recoveries by it."""
