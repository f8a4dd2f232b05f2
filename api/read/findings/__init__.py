"""Reads findings, disputes and corrections."""
