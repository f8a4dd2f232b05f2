"""The fleet simulator: thousands of terminals in one process over real MQTT connections, and what is done to them."""
