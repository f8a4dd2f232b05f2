"""The servers that `milepost up` brings along: PostgreSQL, a Kafka-protocol broker, an MQTT broker."""
