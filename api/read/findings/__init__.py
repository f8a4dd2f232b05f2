"""Findings, disputes and corrections as they are read."""
