"""The judge: which terminals and stations are online."""
