"""Who stores: Kafka to TimescaleDB."""
