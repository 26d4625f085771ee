"""Counted things in English, for those who read what commands say."""


def counted(count: int, thing: str) -> str:
    """`1 bill`, `2 bills`; `thing` is one whose plural takes an s."""
    return f"{count} {thing}{'' if count == 1 else 's'}"
