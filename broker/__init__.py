"""What carries: mosquitto.conf, acl, the Kafka topic table, the MQTT to Kafka bridge, the log consumer."""
