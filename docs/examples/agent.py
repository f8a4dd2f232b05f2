"""A terminal of Milepost in plain Python: agent.py STATION TERMINAL HOST PORT FILE [EVERY]. It needs paho-mqtt 2."""

import itertools, json, math, os, random, shutil, signal, sqlite3, sys, threading, time
from paho.mqtt import client as mqtt

station, terminal, host, port, file, every = [*sys.argv[1:], "60"][:6]
EVERY, TOPIC = float(every), f"milepost/v1/{station}/{terminal}/"
BOOT, BEGAN = os.urandom(4).hex(), time.monotonic()  # new at each start, kept over reconnects
CLIENT_ID = f"{station}-{terminal}-{os.urandom(8).hex()}"  # the same; others cannot guess it
numbers, ids = itertools.count(1), itertools.count(1)  # n of heartbeats and statuses; id of records
disk = sqlite3.connect(file, isolation_level=None)  # each statement is on disk before the next one
disk.execute("CREATE TABLE IF NOT EXISTS start (run INTEGER PRIMARY KEY)")
disk.execute("CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY, box, id, body)")
RUN = disk.execute("INSERT INTO start DEFAULT VALUES").lastrowid  # one higher at each start
NEWEST = """SELECT box, body FROM outbox WHERE box = (SELECT box FROM outbox ORDER BY seq DESC LIMIT 1)
            ORDER BY seq DESC LIMIT 50"""  # a message holds records of one box
stop = threading.Event()


def stamped(**fields):
    return {"at": time.time_ns() // 1_000_000, "up": round(time.monotonic() - BEGAN, 3), **fields}


def record(kind, **fields):  # the oldest go when 10,000 wait
    body = stamped(id=next(ids), kind=kind, **fields)
    disk.execute("INSERT INTO outbox (box, id, body) VALUES (?, ?, ?)", (BOOT, body["id"], json.dumps(body)))
    disk.execute("DELETE FROM outbox WHERE seq <= (SELECT max(seq) FROM outbox) - 10000")


def live(conn):
    """One MQTT connection, from CONNECT to its end."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, CLIENT_ID, protocol=mqtt.MQTTv311)  # a clean session
    beat, send, patience = 0.0, math.inf, 60.0  # when the next heartbeat and the next records are due

    def message(channel, **fields):
        fields |= {} if channel == "data" else {"conn": conn}
        fields |= {} if channel == "data" or fields.get("state") == "lost" else {"n": next(numbers)}
        text = json.dumps(stamped(v=1, boot=BOOT, run=RUN, **fields))
        return TOPIC + channel, text, 0 if channel == "heartbeat" else 1, channel == "status"  # QoS, retain

    def subscribed(*_):
        nonlocal send
        send = 0.0

    def acked(_, __, ack):  # deletes exactly what it names; the next records go a second later
        nonlocal send, patience
        named = json.loads(ack.payload)
        for first, last in named["ids"]:
            disk.execute("DELETE FROM outbox WHERE box = ? AND id BETWEEN ? AND ?", (named["box"], first, last))
        send, patience = time.monotonic() + 1, 60.0

    client.will_set(*message("status", state="lost"))  # the broker sends it when this connection breaks
    client.on_connect, client.on_subscribe = (lambda *_: client.subscribe(TOPIC + "ack", 1)), subscribed
    client.on_message = acked
    client.connect(host, int(port), keepalive=max(5, min(60, math.ceil(EVERY))))
    while client.loop(0.2) == mqtt.MQTT_ERR_SUCCESS and not stop.is_set():
        now = time.monotonic()
        if client.is_connected() and now >= beat:
            client.publish(*message("heartbeat", every=EVERY, usable=True))
            if beat == 0.0:
                client.publish(*message("status", state="online"))
            beat = now + 0.9 * EVERY  # a little earlier than promised
            record("health", disk=round(shutil.disk_usage("/").used / shutil.disk_usage("/").total, 3))
        if now >= send and (rows := disk.execute(NEWEST).fetchall()):
            client.publish(*message("data", box=rows[0][0], records=[json.loads(body) for _, body in rows]))
            send, patience = now + patience, min(600.0, 2 * patience)  # until an ack comes
    if stop.is_set() and client.is_connected():
        say_goodbye(client, client.publish(*message("status", state="away", reason="shutdown")))


def say_goodbye(client, goodbye):
    end = time.monotonic() + 2
    while not goodbye.is_published() and time.monotonic() < end and client.loop(0.2) == mqtt.MQTT_ERR_SUCCESS:
        pass
    client.disconnect()  # in good order: the broker drops the Last Will


for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stop.set())
for conn in itertools.count(1):  # counts the connections of this run
    try:
        live(conn)
    except OSError as error:
        print(f"no connection: {error}", file=sys.stderr)
    if stop.wait(random.uniform(0, min(60, EVERY))):  # full jitter, so that not all come back at once
        break
