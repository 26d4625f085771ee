"""The texts as this company says them, and the check of those that its configuration replaces."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from string import Formatter
from typing import Final

from smsgw.service.message import Script
from smsgw.service.texts import TEXTS
from smsgw.text import gsm
from smsgw.text.segmentation import count_parts
from smsgw.text.transliteration import transliterate

Overrides = Mapping[str, Mapping[str, str]]
"""Name of a text -> script -> what is said instead. A script that is left out keeps its text."""

Wording = Mapping[str, Callable[..., str]]
"""Name of a text -> what fills it in: `wording["debt"](number=…, amount=…, due=…)`."""

Problem = tuple[tuple[str, ...], str]
"""Where something is wrong, as a path of keys, and what it is."""


@dataclass(frozen=True, slots=True)
class Company:
    """Who is behind the shortcode. What is None is left out of the texts."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    web: str | None = None


# What every text may name, all but `contact` itself: how the company is reached, in one phrase.
COMPANY: Final = ("name", "phone", "email", "web")
CONTACT: Final = "contact"


class Replies:
    """All texts in both scripts, the company's particulars filled in: `replies[script]`.

    What a Latin text has of Cyrillic letters and of typographic signs is transliterated; what is
    filled in later (numbers, sums, dates) has none.

    Raises ValueError where `problems` finds some.
    """

    def __init__(self, overrides: Overrides | None = None, company: Company | None = None) -> None:
        overrides, company = overrides or {}, company or Company()
        if wrong := problems(overrides, company):
            raise ValueError("; ".join(f"{'.'.join(path)}: {what}" for path, what in wrong))
        self._wordings = {script: _wording(script, overrides, company) for script in Script}

    def __getitem__(self, script: Script) -> Wording:
        return self._wordings[script]


def problems(
    overrides: Overrides, company: Company | None = None, max_parts: int = 0
) -> list[Problem]:
    """All that is wrong with `replies.texts`, by paths that begin below it.

    With `company` also what it leaves open: a text that names what is not configured, a Latin
    one that would leave GSM 03.38 by it, even transliterated. With `max_parts` also texts that
    alone take more.
    """
    found: list[Problem] = []
    for name, replaced in overrides.items():
        if name not in TEXTS:
            found.append(((name,), f"there is no such text{_nearest(name, TEXTS)}"))
            continue
        for script, text in replaced.items():
            if script in _SCRIPTS:
                faults = _faults(name, Script(script), text, company, max_parts)
                found += [((name, script), fault) for fault in faults]
            else:
                found.append(((name, script), f"a text is {' or '.join(_SCRIPTS)}"))
    return found


def company_problems(company: Company) -> list[Problem]:
    """What of `company` can't stand in a Latin text, by paths that begin below `company`.

    A name outside GSM 03.38 is none: where it doesn't fit, `{contact}` goes without it.
    """
    reach = {key: _in_latin(key, getattr(company, key) or "") for key in _REACH}
    return [((key,), _outside(value)) for key, value in reach.items() if not gsm.fits(value)]


_SCRIPTS: Final = tuple(Script)
_REACH: Final = ("phone", "email", "web")
_ADDRESSES: Final = ("email", "web")  # in other letters they would be other ones


def _in_latin(key: str, value: str) -> str:
    """One of the company's particulars as it stands in a Latin text."""
    return value if key in _ADDRESSES else transliterate(value)


def _faults(
    name: str, script: Script, text: str, company: Company | None, max_parts: int
) -> Iterator[str]:
    try:
        pieces = list(_pieces(text))
    except ValueError as error:
        yield str(error)
        return
    if not text.strip():
        yield "it is empty"
    used = dict.fromkeys([placeholder for _, placeholder in pieces if placeholder])
    yield from _placeholder_faults(name, used)
    if company:
        named = [key for key in used if key in COMPANY and key not in TEXTS[name].needs]
        yield from _company_faults(script, named, company)
    whole = "".join([said + ("x" * 12 if key else "") for said, key in pieces])
    if script is Script.LATIN:
        whole = transliterate(whole)
        if not gsm.fits(whole):
            yield _outside(whole)
    if max_parts:
        parts = count_parts(whole)
        if parts > max_parts:
            yield f"it takes {parts} parts, and replies.max_parts is {max_parts}"


def _placeholder_faults(name: str, used: Collection[str]) -> Iterator[str]:
    needs, may = TEXTS[name].needs, TEXTS[name].may
    allowed = [*needs, *may, *COMPANY, *([] if name.startswith(CONTACT) else [CONTACT])]
    for placeholder in used:
        if placeholder not in allowed:
            yield f"it has no {{{placeholder}}} to fill in{_nearest(placeholder, allowed)}"
    for placeholder in needs:
        if placeholder not in used:
            yield f"it must name {{{placeholder}}}"


def _company_faults(script: Script, named: Iterable[str], company: Company) -> Iterator[str]:
    for key in named:
        value = getattr(company, key)
        if not value:
            yield f"it names {{{key}}}, but company.{key} is not set"
        elif script is Script.LATIN and not gsm.fits(in_latin := _in_latin(key, value)):
            yield f"company.{key}, which it names: {_outside(in_latin)}"


def _pieces(text: str) -> Iterator[tuple[str, str | None]]:
    """The literal pieces of a text, each with the placeholder behind it.

    Raises ValueError at a stray brace and at anything in braces but a plain name.
    """
    for literal, placeholder, spec, conversion in Formatter().parse(text):
        if placeholder is not None and (spec or conversion or not placeholder.isidentifier()):
            raise ValueError(f"{{{placeholder}}}: only a plain name can stand in braces")
        yield literal, placeholder


def _outside(text: str) -> str:
    signs = " ".join(dict.fromkeys([sign for sign in text if not gsm.fits(sign)]))
    return f"a Latin text can't have {signs} (not in GSM 03.38)"


def _nearest(name: str, names: Iterable[str]) -> str:
    near = get_close_matches(name, list(names), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""


def _wording(script: Script, overrides: Overrides, company: Company) -> Wording:
    texts = {
        name: overrides.get(name, {}).get(script) or getattr(text, script)
        for name, text in TEXTS.items()
    }
    known = {key: getattr(company, key) or "" for key in COMPANY}
    if script is Script.LATIN:
        texts = {name: transliterate(text) for name, text in texts.items()}
        known = {key: _in_latin(key, value) for key, value in known.items()}
    # Two ways to reach the company are enough for one message.
    reach = ", ".join([known[key] for key in ("phone", "web", "email") if known[key]][:2])
    named = known["name"] and (script is Script.CYRILLIC or gsm.fits(known["name"]))
    contact = _filled(texts["contact_named" if named else "contact"], {**known, "reach": reach})
    known[CONTACT] = contact.format() if reach else known["name"] * bool(named)
    return {name: _filled(text, known).format for name, text in texts.items()}


def _filled(text: str, known: Mapping[str, str]) -> str:
    """`text` with what is known put in, still a format string; no gap is left by what is empty."""
    pieces = []
    for literal, placeholder in _pieces(text):
        pieces.append(_escaped(literal))
        if placeholder:
            value = known.get(placeholder)
            pieces.append(f"{{{placeholder}}}" if value is None else _escaped(value))
    return re.sub(" {2,}", " ", "".join(pieces)).strip()


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
