"""What travels: messages, topics, codec. Pure; msgspec only."""
