"""A data_dir that can't be one: said by its name, with what to do."""

from collections.abc import Callable
from pathlib import Path
from sqlite3 import SQLITE_BUSY, SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_READONLY, OperationalError

import pytest

from smsgw.storage.database import StorageError, explained, open_gateway, open_read_only
from smsgw.storage.lock import hold


def locked(data_dir: Path) -> None:
    with hold(data_dir, "daemon"):
        pass


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.write_text("")
    return path


@pytest.mark.parametrize("use", [open_gateway, locked])
def test_it_is_a_file(file: Path, use: Callable[[Path], object]) -> None:
    with pytest.raises(StorageError) as caught:
        use(file)
    assert str(caught.value) == (
        f"data_dir {file} can't be made: it is a file; create it or change data_dir"
    )


@pytest.mark.parametrize("use", [open_gateway, locked])
def test_it_is_below_a_file(file: Path, use: Callable[[Path], object]) -> None:
    with pytest.raises(StorageError) as caught:
        use(file / "data")
    assert str(caught.value) == (
        f"data_dir {file}/data can't be made: Not a directory; create it or change data_dir"
    )


def test_a_file_is_not_read_as_one_with_nothing_in_it(file: Path) -> None:
    with pytest.raises(StorageError) as caught:
        open_read_only(file)
    assert str(caught.value) == f"data_dir {file} can't be read: it is a file; change data_dir"


def test_one_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert open_read_only(tmp_path / "none") is None


def test_one_that_can_not_be_looked_into(tmp_path: Path) -> None:
    data_dir = tmp_path / ("x" * 300)
    with pytest.raises(StorageError, match="can't be read: File name too long; change data_dir"):
        open_read_only(data_dir)


MAY = "; let this user read and write it and its folder"


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        pytest.param(SQLITE_FULL, "; make room on its disk", id="full"),
        pytest.param(SQLITE_READONLY, MAY, id="not to be written"),
        pytest.param(SQLITE_READONLY | 5 << 8, MAY, id="a kind of that"),
        pytest.param(SQLITE_CANTOPEN, MAY, id="not to be opened"),
        pytest.param(SQLITE_BUSY, "", id="nothing that can be said"),
        pytest.param(None, "", id="not SQLite's own"),
    ],
)
def test_an_error_comes_with_what_to_do(code: int | None, advice: str) -> None:
    error = OperationalError("words")
    if code is not None:
        error.sqlite_errorcode = code
    assert explained(error) == f"words{advice}"


def test_who_may_not_look_into_it_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stat(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(StorageError, match="Permission denied; let this user read it, or change"):
        open_read_only(tmp_path)
