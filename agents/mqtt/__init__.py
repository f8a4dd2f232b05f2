"""The agent's side towards the MQTT broker. Only `link` and `bounded_client` import paho."""
