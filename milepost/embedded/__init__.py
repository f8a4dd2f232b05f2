"""The embedded servers of `milepost up`: PostgreSQL, a Kafka-protocol broker, an MQTT broker."""
