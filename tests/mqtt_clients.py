"""The end of a paho-mqtt client that runs a network thread."""

from contextlib import suppress

from paho.mqtt import client as paho


def close(client: paho.Client) -> None:
    """Disconnect, and wait for the network thread.

    The thread ends by the disconnect and forgets itself: paho-mqtt 2.1 raises AttributeError if it does so between the
    two times that `loop_stop` looks at the thread.
    """
    client.disconnect()
    with suppress(AttributeError):
        client.loop_stop()
