"""The bridge's side towards the MQTT broker. Only `broker.mqtt.connection` imports gmqtt."""
