"""The task that moves finished messages: what it takes, and that it gives others their turn."""

import asyncio
from contextlib import closing
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import REGISTRY

from smsgw import metrics
from smsgw.service.keyed import Keyed
from smsgw.service.message import MessageKind, Msisdn, Mt
from smsgw.storage import archive
from smsgw.storage.archive import Archive, Keeping
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.history import FINISHED_FOR
from smsgw.storage.inbox import DISORDER
from smsgw.storage.messages import enqueue
