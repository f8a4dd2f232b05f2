"""Tests of the figures of effect."""
