"""Stores the log of records: Kafka to TimescaleDB."""
