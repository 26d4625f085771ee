"""Every number the program publishes on `/metrics`, declared once and in one place.

The rooms above import the objects of this module and move them; none declares its own. On a hot
path bind the children once (`MOS.labels("mtel", "help")`) and move them once a batch
(`.inc(n)`): `labels()` takes a lock. Every label value comes from a fixed set or from the
configuration: a carrier's id, a state, a kind, a name out of SMPP's tables (through `bounded`).
Phone numbers, customer numbers and free texts are never labels.

The names follow Prometheus: base units in the name, `_total` on counters. An empty label value
is the same to Prometheus as no such label.
"""

import platform
from collections.abc import Callable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from smsgw import __version__

# The start time that the client adds beside every series says nothing and doubles the answer.
_leave_out_start_times: Callable[[], None] = disable_created_metrics
_leave_out_start_times()

REGISTRY: Final = CollectorRegistry(auto_describe=True)

ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

BUILD: Final = Info("smsgw_build", "The version that runs.", registry=REGISTRY)
BUILD.info({"version": __version__, "python": platform.python_version()})

_IN_PROCESS_SECONDS: Final = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
)  # fmt: skip
_CARRIER_SECONDS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
_ANSWER_SECONDS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    300.0, 1800.0, 3600.0,
)  # fmt: skip
_IMPORT_SECONDS: Final = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
_BATCH_ITEMS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def bounded(name: str) -> str:
    """`name` of a command or a status as a label value: "other" for one that has no name.

    A peer can send any of 2³² numbers; those outside SMPP's tables are written `0x…` and would
    each begin a series of their own.
    """
    return "other" if name.startswith("0x") else name


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    return Counter(name, meaning, labels, registry=REGISTRY)


def _gauge(name: str, meaning: str, *labels: str) -> Gauge:
    return Gauge(name, meaning, labels, registry=REGISTRY)


def _histogram(name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(name, meaning, labels, registry=REGISTRY, buckets=buckets)


# Links

LINK_UP: Final = _gauge(
    "smsgw_link_up", "1 while at least one session, or pair, sends and receives.", "carrier"
)
LINK_SESSIONS: Final = _gauge("smsgw_link_sessions", "Sessions bound now.", "carrier")
LINK_STATE_SINCE: Final = _gauge(
    "smsgw_link_state_since_timestamp_seconds", "When the link took its present state.", "carrier"
)
LINK_STATE_CHANGES: Final = _counter(
    "smsgw_link_state_changes_total", "Changes of the link's state, by the new one.",
    "carrier", "state",
)  # fmt: skip
LINK_DROPS: Final = _counter(
    "smsgw_link_drops_total", "Bound sessions that ended without our asking.", "carrier", "reason"
)
LINK_ALARM: Final = _gauge(
    "smsgw_link_alarm", "1 while the carrier refuses our credentials: somebody must act.",
    "carrier",
)  # fmt: skip
LINK_SETTINGS_ALARM: Final = _gauge(
    "smsgw_link_settings_alarm",
    "1 after a submit was refused for the link's settings, until one is accepted.",
    "carrier",
)  # fmt: skip
BINDS_TRIED: Final = _counter("smsgw_binds_tried_total", "Binds sent.", "carrier")
BIND_REFUSALS: Final = _counter(
    "smsgw_bind_refusals_total", "Binds the carrier refused, by its command_status.",
    "carrier", "status",
)  # fmt: skip

# Traffic of a link

PDUS: Final = _counter(
    "smsgw_pdus_total",
    "PDUs by direction (in, out) and command; responses by command_status too.",
    "carrier", "command", "direction", "status",
)  # fmt: skip
TURNED_AWAY: Final = _counter(
    "smsgw_turned_away_total",
    "Connections and binds of a carrier that dials us which were refused, by why.",
    "carrier", "reason",
)  # fmt: skip
MALFORMED_PDUS: Final = _counter(
    "smsgw_malformed_pdus_total", "Incoming PDUs that could not be read.", "carrier"
)
WINDOW_IN_USE: Final = _gauge(
    "smsgw_window_in_use", "Requests without a response yet, over all sessions.", "carrier"
)
WINDOW_LIMIT: Final = _gauge(
    "smsgw_window_limit", "Requests that may be without a response at once.", "carrier"
)
THROUGHPUT_TOKENS: Final = _gauge(
    "smsgw_throughput_tokens", "Segments that may go out at once before the pace holds them.",
    "carrier",
)  # fmt: skip
THROUGHPUT_LIMIT: Final = _gauge(
    "smsgw_throughput_limit_segments_per_second", "The agreed pace; 0 is none.", "carrier"
)
THROUGHPUT_PACE: Final = _gauge(
    "smsgw_throughput_pace_segments_per_second",
    "The pace kept now: the agreed one, or less where the carrier throttles; 0 is no limit.",
    "carrier",
)  # fmt: skip
SUBMIT_SECONDS: Final = _histogram(
    "smsgw_submit_response_seconds", "From a submit to its response.", _CARRIER_SECONDS, "carrier"
)
SUBMIT_REFUSALS: Final = _counter(
    "smsgw_submit_refusals_total", "Submits the carrier refused, by its command_status.",
    "carrier", "status",
)  # fmt: skip
THROTTLED: Final = _counter(
    "smsgw_throttled_total", "Submits refused for the link's pace.", "carrier"
)

# What customers send

MOS: Final = _counter(
    "smsgw_mos_total", "Messages from customers taken, by what they ask.", "carrier", "intent"
)
ANSWERS_WITHHELD: Final = _counter(
    "smsgw_answers_withheld_total",
    "Messages from customers that were done what they ask and not answered, by the daily bound.",
    "carrier", "reason",
)  # fmt: skip
MO_REDELIVERIES: Final = _counter(
    "smsgw_mo_redeliveries_total", "Messages from customers that had been taken before.", "carrier"
)
MOS_NOT_OURS: Final = _counter(
    "smsgw_mos_not_ours_total", "Incoming messages set aside, by why.", "carrier", "reason"
)
MOS_REREAD: Final = _counter(
    "smsgw_mos_reread_total",
    "Messages from customers whose data_coding could not be true, by what they were taken for.",
    "carrier", "read_as",
)  # fmt: skip
MO_PARTS: Final = _counter(
    "smsgw_mo_parts_stored_total", "Parts of long messages from customers stored.", "carrier"
)
MO_PARTS_REPEATED: Final = _counter(
    "smsgw_mo_parts_repeated_total", "Of these parts, those that had come before.", "carrier"
)
LONG_MOS_WHOLE: Final = _counter(
    "smsgw_long_mos_whole_total", "Long messages from customers of which every part came.",
    "carrier",
)  # fmt: skip
LONG_MOS_INCOMPLETE: Final = _counter(
    "smsgw_long_mos_incomplete_total",
    "Long messages from customers taken for what came of them, by why no more was waited for.",
    "carrier", "reason",
)  # fmt: skip
MOS_REFUSED: Final = _counter(
    "smsgw_mos_refused_total", "Incoming messages sent back because they could not be stored.",
    "carrier",
)  # fmt: skip
MOS_WAITING: Final = _gauge(
    "smsgw_mos_waiting", "Incoming messages read but not yet stored and acknowledged."
)
MOS_WAITING_LIMIT: Final = _gauge(
    "smsgw_mos_waiting_limit", "Messages waiting at which the sockets are no longer read."
)
ANSWER_SECONDS: Final = _histogram(
    "smsgw_answer_seconds",
    "From a customer's message coming in to the submit of its answer going out.",
    _ANSWER_SECONDS, "carrier",
)  # fmt: skip

# What goes to customers

MTS: Final = _counter("smsgw_mts_total", "Messages to customers made.", "carrier", "kind")
SEGMENTS: Final = _counter(
    "smsgw_segments_total", "Segments that reached a final state.", "carrier", "state"
)
QUEUE: Final = _gauge(
    "smsgw_queue_segments", "Segments on their way, by state.", "carrier", "state"
)
QUEUE_OLDEST: Final = _gauge(
    "smsgw_queue_oldest_age_seconds", "Age of the oldest segment that was never sent; 0 is none.",
    "carrier",
)  # fmt: skip
RETRIES: Final = _counter("smsgw_retries_total", "Segments queued again.", "carrier")
UNKNOWN_OUTCOMES: Final = _counter(
    "smsgw_unknown_outcomes_total", "Submits whose response was lost.", "carrier"
)
LATE_OUTCOMES: Final = _counter(
    "smsgw_late_outcomes_total",
    "Responses that had been given up, by their use: used, or too_late to change anything.",
    "carrier", "result",
)  # fmt: skip
RESENT: Final = _counter(
    "smsgw_resent_segments_total",
    "Segments sent again after a submit whose response was lost: these may arrive twice.",
    "carrier",
)  # fmt: skip
HELD: Final = _gauge(
    "smsgw_held_segments",
    "Segments whose response was lost and for which no receipt came: an operator decides.",
    "carrier",
)  # fmt: skip
RECEIPTS: Final = _counter(
    "smsgw_receipts_total", "Delivery receipts by what they say.", "carrier", "state"
)
RECEIPTS_MATCHED: Final = _counter(
    "smsgw_receipts_matched_total",
    "Final receipts by how their segment was found: id, response, parked, handset, asked; repeated"
    " where another had settled it.",
    "carrier", "how",
)  # fmt: skip
RECEIPTS_PARKED: Final = _counter(
    "smsgw_receipts_parked_total", "Receipts stored to wait for the id they name.", "carrier"
)
RECEIPTS_ORPHANED: Final = _counter(
    "smsgw_receipts_orphaned_total", "Receipts given up: no message ever had their id.", "carrier"
)
QUESTIONS: Final = _counter(
    "smsgw_questions_total",
    "Replies to questions what became of a message, by what they say; those lost say nothing.",
    "carrier", "state",
)  # fmt: skip

# Notices

NOTICES_PLANNED: Final = _gauge(
    "smsgw_notices_planned",
    "Notices of held, running and paused runs that are still to be sent.", "carrier", "kind",
)  # fmt: skip
NOTICES_SENT: Final = _counter(
    "smsgw_notices_sent_total", "Notices whose message was made and claimed.", "carrier", "kind"
)
NOTICES_CANCELLED: Final = _counter(
    "smsgw_notices_cancelled_total",
    "Notices that were not sent when their turn came, by why: paid, ended, too_late, ….",
    "kind", "reason",
)  # fmt: skip
NOTICE_RUNS: Final = _gauge(
    "smsgw_notice_runs", "Runs of notices that are not over: held, running, paused.", "state"
)
NOTICES_SECONDS_LEFT: Final = _gauge(
    "smsgw_notices_seconds_left",
    "Until the last notice of the running runs is expected to go out; 0 is none, NaN unknown.",
)
NOTICES_LATE: Final = _gauge(
    "smsgw_notices_late", "1 while the running runs won't be done in the hours of this day."
)
NOTICES_STALE: Final = _gauge(
    "smsgw_notices_stale", "1 while notices wait because the billing data are too old."
)

# Storage and the process

COMMIT_SECONDS: Final = _histogram(
    "smsgw_commit_seconds", "One transaction, commit and sync included.", _IN_PROCESS_SECONDS
)
COMMIT_ITEMS: Final = _histogram(
    "smsgw_commit_batch_items", "Messages, outcomes and receipts in one transaction.", _BATCH_ITEMS
)
COMMIT_FAILURES: Final = _counter(
    "smsgw_commit_failures_total", "Transactions that failed, by why.", "reason"
)
EVENT_LOOP_LAG: Final = _gauge(
    "smsgw_event_loop_lag_seconds", "How late the event loop woke up when it was last measured."
)

HISTORY_MOVED: Final = _counter(
    "smsgw_history_moved_total",
    "Finished messages moved to the history, by direction (in, out).", "direction",
)  # fmt: skip
MESSAGES_CURRENT: Final = _gauge(
    "smsgw_messages_current",
    "Messages that are not in the history yet, parts of long ones from customers singly, by"
    " direction (in, out).",
    "direction",
)

# Billing cache and registrations

BILLING_CUSTOMERS: Final = _gauge("smsgw_billing_customers", "Customers in the billing cache.")
BILLING_BILLS: Final = _gauge(
    "smsgw_billing_bills", "Bills in the billing cache, settled ones too."
)
BILLING_AS_OF: Final = _gauge(
    "smsgw_billing_as_of_timestamp_seconds", "When the last feed taken was true; 0 is never."
)
BILLING_MAX_AGE: Final = _gauge(
    "smsgw_billing_max_age_seconds", "The age from which the cache counts as stale; 0 is never."
)
FEEDS: Final = _counter(
    "smsgw_billing_feeds_total",
    "Files of the feed folder that were taken or refused, and imports that failed.",
    "kind", "state",
)  # fmt: skip
FEED_SECONDS: Final = _histogram(
    "smsgw_billing_import_seconds", "One import out of the feed folder, by what came of it.",
    _IMPORT_SECONDS, "state",
)  # fmt: skip
FEED_REFUSED: Final = _gauge(
    "smsgw_billing_feed_refused", "1 while the last file of the feed folder was refused."
)
FEED_TROUBLE: Final = _gauge(
    "smsgw_billing_feed_trouble",
    "1 while the feed folder can't be read or the import of its next file fails.",
)
FEEDS_WAITING: Final = _gauge(
    "smsgw_billing_feeds_waiting", "Files in the feed folder that are still to be looked at."
)
IMPORT_ROWS: Final = _gauge(
    "smsgw_billing_import_rows", "Rows read so far by the import that runs; 0 while none does."
)
IMPORT_SHARE: Final = _gauge(
    "smsgw_billing_import_ratio", "Share of its file that the import which runs has read."
)
SUBSCRIPTIONS: Final = _gauge("smsgw_subscriptions", "Registrations by state.", "state")
SUSPECTS: Final = _gauge(
    "smsgw_subscriptions_suspect",
    "Pending and active registrations whose carrier says that the phone is not its own.",
)

# The other doors

API_REQUESTS: Final = _counter(
    "smsgw_api_requests_total",
    "Requests to the API by key, operation and status of HTTP; without a key where none was good.",
    "partner", "operation", "status",
)  # fmt: skip
API_SECONDS: Final = _histogram(
    "smsgw_api_seconds", "From a request's head to the end of its answer.",
    _CARRIER_SECONDS, "operation",
)  # fmt: skip
