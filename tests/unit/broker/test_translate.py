"""What a message becomes: tables of cases, and properties over any bytes."""

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.acks import MAX_RANGES, PendingReceipt, merge_acks
from broker.partition import partition_of
from broker.translate import MAX_TOPIC, MOST_RECORDS, Receipt, Translation, Translator, dead_letter
from contract.codec import encode
from contract.log import (
    LIVE,
    RECORDS,
    AcceptedData,
    DataEntry,
    DeadLetter,
    HeartbeatEntry,
    LiveEntry,
    RecordsEntry,
    ReplyEntry,
    StatusEntry,
)
from contract.messages import MAX_PAYLOAD, Ack, Heartbeat, Reply, Status

STATION, TERMINAL = "6321220007", "001"
HEARTBEAT = (
    b'{"v":1,"boot":"b7f3c1e2","run":12,"conn":3,"n":4211,"at":1,"up":86400.5,"every":60,"usable":true,"users":3}'
)
STATUS = b'{"v":1,"boot":"b7f3c1e2","run":12,"state":"away","at":1,"back_by":99}'
REPLY = '{"v":1,"id":"c1","stage":"done","at":1,"result":{"\u00fc":[1]}}'.encode()
GOOD = b'{"id":1,"kind":"health","at":1,"cpu":0.5}'
BAD_KIND = b'{"id":2,"kind":"weather","at":1}'
BAD_RANGE = b'{"id":3,"kind":"health","at":1,"cpu":7}'


def data(*records: bytes, **changes: object) -> bytes:
    head = {"v": 1, "boot": "b7", "run": 1, "at": 1, "box": "a04be771"} | changes
    return encode(head | {"records": [msgspec.Raw(record) for record in records]})


def translator() -> Translator:
    return Translator(shard="main", start="s1", partitions=24)


def translate(channel: str, payload: bytes, *, retain: bool = False) -> Translation:
    topic = f"milepost/v1/{STATION}/{TERMINAL}/{channel}"
    return translator().translate(topic, payload, retain=retain, received=1_795_000_000_000, mono=77)


HEAD = {"terminal": TERMINAL, "shard": "main", "start": "s1", "received": 1_795_000_000_000, "mono": 77}


@pytest.mark.parametrize("retain", [False, True])
@pytest.mark.parametrize(
    ("channel", "payload", "log", "expected"),
    [
        pytest.param("heartbeat", HEARTBEAT, LIVE, (HeartbeatEntry, Heartbeat), id="heartbeat"),
        pytest.param(
            "heartbeat", b" \n" + HEARTBEAT + b"\t", LIVE, (HeartbeatEntry, Heartbeat), id="white space around"
        ),
        pytest.param("status", STATUS, LIVE, (StatusEntry, Status), id="status"),
        pytest.param("reply", REPLY, RECORDS, (ReplyEntry, Reply), id="reply"),
        pytest.param("data", data(GOOD, unknown={"x": [1]}), RECORDS, (DataEntry, AcceptedData), id="data"),
    ],
)
def test_a_spliced_entry_decodes_to_what_an_encoded_one_does(
    channel: str, payload: bytes, log: str, expected: tuple[type, type], retain: bool
) -> None:
    entry_type, body_type = expected
    outcome = translate(channel, payload, retain=retain)
    entry = outcome.entry
    assert entry is not None and outcome.letter is None
    assert (entry.topic, entry.key, entry.partition) == (log, STATION.encode(), partition_of(STATION, 24))
    flag = {"retain": retain} if log == LIVE else {}
    built = entry_type(**HEAD, **flag, body=msgspec.json.decode(payload, type=body_type))
    wanted = LiveEntry if log == LIVE else RecordsEntry
    read = msgspec.json.Decoder(wanted).decode(entry.value)
    assert encode(read) == encode(built)


@pytest.mark.parametrize("channel", ["ack", "command", "config"])
def test_what_is_on_its_way_down_is_nobodys_business_here(channel: str) -> None:
    assert translate(channel, b"not even JSON") == Translation()


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "says"),
    [
        ("milepost/v1/s1/001/heartbeat", b"{", "bad_json", ""),
        ("milepost/v1/s1/001/heartbeat", b"[]", "wrong_type", "expected a JSON object"),
        ("milepost/v1/s1/001/heartbeat", HEARTBEAT.replace(b"4211", b'"x"'), "wrong_type", "n: "),
        ("milepost/v1/s1/001/heartbeat", HEARTBEAT.replace(b'"every":60', b'"every":0'), "out_of_range", "every: "),
        ("milepost/v1/s1/001/heartbeat", HEARTBEAT.replace(b'"n":4211,', b""), "missing_field", "n is missing"),
        ("milepost/v1/s1/001/heartbeat", HEARTBEAT.replace(b'"v":1', b'"v":2'), "unknown_version", "v 2"),
        ("milepost/v1/s1/001/heartbeat", b"\xff\xfe", "not_utf8", "byte 0"),
        ("milepost/v1/s1/001/heartbeat", b'{"boot":"\\u0000"}', "nul_character", "U+0000"),
        ("milepost/v1/s1/001/heartbeat", b" " * (300 * 1024), "too_large", "307200 bytes"),
        ("milepost/v1/s1/001/heartbeat", b'{"x":' + b"[" * 100_000, "bad_json", "nested too deeply"),
        ("milepost/v1/s1/001/status", STATUS.replace(b"away", b"asleep"), "out_of_range", "state: "),
        ("milepost/v1/s1/001/data", b"{}", "missing_field", "is missing"),
        ("milepost/v1/s1/001/data", data(BAD_KIND), "unknown_kind", "record 2: "),
        ("milepost/v1/s1/001/reply", b"null", "wrong_type", ""),
        ("milepost/v1/s1/001/weather", b"{}", "unknown_channel", "'weather'"),
        ("milepost/v1/s1/001", b"{}", "bad_topic", "expected milepost/v1/STATION"),
        ("milepost/v9/s1/001/data", b"{}", "bad_topic", "version 'v9'"),
        ("milepost/v1/s 1/001/data", b"{}", "bad_topic", "station 's 1'"),
        ("milepost/v1/s1/002-x/data", b"{}", "bad_topic", "terminal '002-x'"),
        ("milepost", b"{}", "bad_topic", "expected"),
    ],
)
def test_each_fault_becomes_a_dead_letter_with_its_reason(topic: str, payload: bytes, reason: str, says: str) -> None:
    outcome = translator().translate(topic, payload, retain=False, received=5, mono=1)
    letter = outcome.letter
    assert outcome.entry is None and letter is not None
    assert (letter.topic, letter.reason, letter.shard, letter.at) == (topic, reason, "main", 5)
    assert says in letter.detail


def test_a_data_message_with_bad_records_is_parted_and_all_its_ids_are_acknowledged() -> None:
    outcome = translate("data", data(GOOD, BAD_KIND, BAD_RANGE))
    assert outcome.entry is not None and outcome.letter is not None
    entry = msgspec.json.decode(outcome.entry.value, type=DataEntry)
    assert [bytes(record) for record in entry.body.records] == [GOOD]
    assert outcome.letter.refused == 2
    assert outcome.letter.reason == "unknown_kind"
    assert "record 2: unknown_kind" in outcome.letter.detail and "record 3: out_of_range" in outcome.letter.detail
    assert msgspec.json.decode(outcome.letter.payload) == [msgspec.json.decode(r) for r in (BAD_KIND, BAD_RANGE)]
    assert outcome.receipt == Receipt(STATION, TERMINAL, "a04be771", (1, 2, 3))


@pytest.mark.parametrize(
    ("payload", "ids"),
    [
        pytest.param(data(GOOD), (1,), id="good"),
        pytest.param(data(BAD_KIND), (2,), id="all refused"),
        pytest.param(data(), None, id="no records"),
        pytest.param(data(b"7", b'{"id":"x"}', b'{"id":-1}', b'{"id":9223372036854775807}'), None, id="no usable ids"),
        pytest.param(data(GOOD, run="x"), (1,), id="the envelope is bad but box and ids are readable"),
        pytest.param(data(GOOD, boot="\0"), (1,), id="a character that cannot be stored"),
        pytest.param(data(GOOD, v=2), None, id="a version we cannot read"),
        pytest.param(data(GOOD, box=7), None, id="no box"),
        pytest.param(data(GOOD, pad="x" * MAX_PAYLOAD), None, id="too large: the letter keeps only a part"),
        pytest.param(b"{", None, id="no JSON"),
    ],
)
def test_what_is_safe_somewhere_is_acknowledged(payload: bytes, ids: tuple[int, ...] | None) -> None:
    outcome = translate("data", payload)
    assert (outcome.receipt.ids if outcome.receipt else None) == ids


def test_a_message_of_very_many_records_is_refused_as_a_whole() -> None:
    outcome = translate("data", data(*[b"1"] * (MOST_RECORDS + 1)))
    assert outcome.entry is None and outcome.letter is not None
    assert outcome.letter.reason == "out_of_range" and outcome.letter.refused == 0


@pytest.mark.parametrize(
    ("payload", "text", "encoding"),
    [
        pytest.param("书房 {".encode(), "书房 {", "text", id="text"),
        pytest.param(b"\xff\xfe", "//4=", "base64", id="not UTF-8"),
        pytest.param(b"a\0b", "YQBi", "base64", id="U+0000 cannot be stored"),
        pytest.param(b"\x01" * 99, base64.b64encode(b"\x01" * 99).decode(), "base64", id="escapes would grow sixfold"),
        pytest.param(b"x" * (MAX_PAYLOAD + 9), "x" * MAX_PAYLOAD, "text", id="cut"),
        pytest.param(b"x" * (MAX_PAYLOAD - 1) + "é".encode(), "x" * (MAX_PAYLOAD - 1), "text", id="cut in a character"),
    ],
)
def test_a_letter_shows_the_payload_as_far_as_it_can_be_shown(payload: bytes, text: str, encoding: str) -> None:
    letter = dead_letter("t", payload, "bad_json", "", shard="main", at=0)
    assert (letter.payload, letter.encoding, letter.size) == (text, encoding, len(payload))


def test_a_letter_is_bounded() -> None:
    letter = dead_letter("t" * 60_000, b"\x01" * 10**6, "bad_topic", "d" * 60_000, shard="main", at=0)
    assert len(letter.topic) == MAX_TOPIC and len(encode(letter)) < 512 * 1024


@given(
    topic=st.one_of(
        st.text(), st.sampled_from(["heartbeat", "status", "data", "reply", "ack"]).map("milepost/v1/s/1/{}".format)
    ),
    payload=st.one_of(
        st.binary(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(["v", "boot", "run", "at", "n", "every", "box", "records", "id", "kind", "x"]),
                    inner,
                )
            ),
        ).map(encode),
    ),
    retain=st.booleans(),
)
def test_any_bytes_become_an_entry_or_a_letter_and_never_an_exception(topic: str, payload: bytes, retain: bool) -> None:
    outcome = translator().translate(topic, payload, retain=retain, received=1, mono=1)
    down = topic.rpartition("/")[2] in ("ack", "command", "config")
    assert down or outcome.entry is not None or outcome.letter is not None
    if outcome.entry is not None:
        msgspec.json.decode(outcome.entry.value, type=LiveEntry if outcome.entry.topic == LIVE else RecordsEntry)
    if outcome.letter is not None:
        assert msgspec.json.decode(encode(outcome.letter), type=DeadLetter) == outcome.letter


@given(
    channel=st.sampled_from(["heartbeat", "status", "data", "reply"]),
    payload=st.sampled_from([HEARTBEAT, STATUS, REPLY, data(GOOD, BAD_KIND)]),
    at=st.integers(0, 200),
    instead=st.binary(max_size=3),
    cut=st.booleans(),
)
def test_a_good_message_gone_bad_somewhere_is_an_entry_or_a_letter(
    channel: str, payload: bytes, at: int, instead: bytes, cut: bool
) -> None:
    outcome = translate(channel, payload[:at] + instead + (b"" if cut else payload[at + len(instead) :]))
    assert outcome.entry is not None or outcome.letter is not None


@given(st.lists(st.sampled_from([GOOD, BAD_KIND, BAD_RANGE, b"1", b"{}", b'{"id":9,"kind":"event","at":0}'])))
def test_records_are_neither_lost_nor_doubled(records: list[bytes]) -> None:
    outcome = translate("data", data(*records))
    kept = len(msgspec.json.decode(outcome.entry.value, type=DataEntry).body.records) if outcome.entry else 0
    refused = outcome.letter.refused if outcome.letter else 0
    assert kept + refused == len(records)


def acks(*receipts: Receipt) -> list[tuple[str, Ack]]:
    return [(topic, msgspec.json.decode(payload, type=Ack)) for topic, payload in merge_acks(receipts)]


def test_acks_of_one_box_are_merged_and_of_two_are_not() -> None:
    first, second = Receipt("s", "1", "a", (1, 2)), Receipt("s", "1", "a", (3, 9))
    other = Receipt("s", "1", "b", (4,))
    assert acks(first, other, second) == [
        ("milepost/v1/s/1/ack", Ack(v=1, box="a", ids=[(1, 3), (9, 9)])),
        ("milepost/v1/s/1/ack", Ack(v=1, box="b", ids=[(4, 4)])),
    ]


def test_an_ack_has_a_bounded_number_of_ranges() -> None:
    many = Receipt("s", "1", "a", tuple(range(0, 4 * MAX_RANGES, 2)))
    sent = acks(many)
    assert [len(ack.ids) for _, ack in sent] == [MAX_RANGES, MAX_RANGES]


def test_a_receipt_of_two_batches_is_due_when_both_are_safe() -> None:
    pending = PendingReceipt(Receipt("s", "1", "a", (1,)), 2)
    assert [pending.batch_safe(), pending.batch_safe()] == [False, True]


def beat(
    translator: Translator, station: str, terminal: str, channel: str = "heartbeat", body: bytes = HEARTBEAT
) -> Translation:
    return translator.translate(f"milepost/v1/{station}/{terminal}/{channel}", body, retain=False, received=1, mono=1)


def test_a_station_has_so_many_terminals_and_no_more() -> None:
    bridge = Translator(shard="main", start="s1", partitions=24, terminals=3)
    outcomes = [beat(bridge, STATION, str(number)) for number in range(30_000)]
    assert [outcome.letter is None for outcome in outcomes[:4]] == [True, True, True, False]
    assert {outcome.letter.reason for outcome in outcomes[3:] if outcome.letter} == {"too_many_terminals"}
    assert all(outcome.entry is None for outcome in outcomes[3:])
    assert beat(bridge, STATION, "2").letter is None
    assert beat(bridge, "another", "9").letter is None


def test_what_a_terminal_too_many_recorded_stays_with_it() -> None:
    bridge = Translator(shard="main", start="s1", partitions=24, terminals=1)
    beat(bridge, STATION, "001")
    refused = beat(bridge, STATION, "002", "data", data(GOOD))
    assert refused.entry is None and refused.receipt is None
    assert refused.letter is not None and "MILEPOST_STATION_TERMINALS" in refused.letter.detail


def test_orders_to_a_terminal_count_for_nothing() -> None:
    bridge = Translator(shard="main", start="s1", partitions=24, terminals=1)
    beat(bridge, STATION, "002", "config", b"{}")
    assert beat(bridge, STATION, "001").letter is None
