"""Plans and runs of notices as they are told over HTTP: the shapes of doors.shown, described."""

from datetime import date

from pydantic import Field

from smsgw.doors.api.fields import Told
from smsgw.service.message import Script
from smsgw.service.notices import NoticeKind, RunState


class Total(Told):
    """What a number of notices comes to."""

    notices: int
    parts: int
    cost_eur: float


class CarrierTotal(Total):
    """The same over one carrier in one script."""

    carrier: str
    script: Script


class LeftOutExample(Told):
    """One who is left out; of what does not apply, null."""

    customer_number: str | None = None
    bill: str | None = None
    msisdn: str | None = None


class LeftOut(Told):
    """How many are left out for one reason, with a few of them."""

    count: int
    examples: list[LeftOutExample]


class Sample(Told):
    """One message as it would go out. The phone is masked."""

    msisdn: str
    carrier: str
    script: Script
    parts: int
    text: str


class Plan(Total):
    """What a run holds, or would hold."""

    kind: NoticeKind
    day: date
    phones: int
    carriers: list[CarrierTotal]
    scripts: dict[str, Total]
    cut_off_days_moved: int
    left_out: dict[str, LeftOut] = Field(description="By the reason.")
    samples: list[Sample]
    hold: str | None = Field(description="Why a run would be held.")
    refusal: str | None = Field(description="Why there can be no run.")


class Made(Plan):
    """A run that was made; `run` is null where there is nobody to notice."""

    run: int | None
    state: RunState | None


class RunLine(Told):
    """A run in the list."""

    run: int
    kind: NoticeKind
    day: date
    state: RunState
    automatic: bool
    made_at: str
    notices: int
    left: int
    hold: str | None


class Forecast(Told):
    """When a run will be done; null where that is not known."""

    done_at: str | None
    this_window: bool
    carriers: dict[str, str | None]


class Waiting(Told):
    """One whose turn has not come. The phone is masked."""

    msisdn: str
    customer_number: str
    carrier: str


class Change(Told):
    """A state that a run went into, and by whom."""

    at: str
    state: RunState
    who: str
    reason: str


class Run(RunLine):
    """All of a run."""

    text: str | None = Field(description="Of an announcement.")
    sent: int
    cancelled: dict[str, int] = Field(description="By the reason.")
    messages: dict[str, int] = Field(description="Those sent, by their states.")
    left_by_carrier: dict[str, int]
    waits: str | None = Field(description="Why nothing goes out now, though it is under way.")
    forecast: Forecast | None
    unsettled: list[int] = Field(description="Messages whose responses were lost: held.")
    waiting: list[Waiting]
    changes: list[Change]


class Cancelled(Told):
    """A run that was cancelled."""

    run: int
    not_sent: int
