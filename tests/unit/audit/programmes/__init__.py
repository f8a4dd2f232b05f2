"""Tests of promises of programmes."""
