"""Tries of secrets: a wrong one is counted and logged, without the secret."""

import logging
import math
import time
from typing import Final

from starlette.types import Scope

from api.http.guesses import Guesses
from api.http.problems import Problem

logger = logging.getLogger(__name__)

TOO_MANY: Final = 429


def require_try(guesses: Guesses, scope: Scope, given: bytes) -> None:
    """Raise a Problem (429) while a secret from this address is not checked."""
    wait = guesses.wait(address_of(scope), given, time.monotonic())
    if wait > 0:
        detail = "too many wrong tokens came from this address: try again later"
        raise Problem(TOO_MANY, detail, headers={"Retry-After": str(math.ceil(wait))})


def note_try(guesses: Guesses, scope: Scope, given: bytes, *, right: bool) -> None:
    """Count a try."""
    address = address_of(scope)
    if right:
        guesses.was_right(address, given)
        return
    guesses.was_wrong(address, time.monotonic())
    logger.warning("a wrong token", extra={"address": address, "path": scope["path"][:100]})


def require_code_try(guesses: Guesses) -> None:
    """Raise a Problem (429) while no one-use code is looked up."""
    wait = guesses.codes.wait(time.monotonic())
    if wait > 0:
        detail = "too many wrong sign-in codes came: try again"
        raise Problem(TOO_MANY, detail, headers={"Retry-After": str(math.ceil(wait))})


def note_wrong_code(guesses: Guesses, scope: Scope) -> None:
    """Count a wrong one-use code."""
    guesses.codes.take(time.monotonic())
    logger.warning("a wrong sign-in code", extra={"address": address_of(scope), "path": scope["path"][:100]})


def address_of(scope: Scope) -> str:
    """The address that a request came from."""
    address: str = (scope.get("client") or ("", 0))[0]
    return address
