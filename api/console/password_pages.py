"""The page on which a person sets or changes the own password."""

from typing import Annotated, Final

from fastapi import Query, Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from access.rules import BUILT_IN, LEAST_PASSWORD, MOST_PASSWORD, Account
from api.actions.own_access import PasswordChange, change_own_password
from api.console.pages import page_router, show, words_for
from api.console.texts import Words
from api.context import Context, Shared
from api.http.forms import read_form
from api.http.middleware import SESSION
from api.http.problems import Problem
from api.http.session_rules import Session, own_path
from contract.errors import RemedyError

router = page_router()

_REFUSED: Final = {409: "password_elsewhere", 422: "password_wrong", 429: "try_later", 503: "busy"}
"""Statuses that are shown beside the form, and why, where the error does not say it."""


@router.get("/password")
async def show_password(
    request: Request, context: Shared, goes_to: Annotated[str, Query(max_length=2000)] = ""
) -> Response:
    """The form for a password; without a password yet it does not ask for the present one."""
    return _show(request, await _account(request, context), goes_to)


def _show(request: Request, account: Account, goes_to: str, status: int = 200, refused: str = "") -> Response:
    return show(
        request,
        "password.html",
        status,
        account=account,
        may_have=account.id not in BUILT_IN,
        goes_to=own_path(goes_to),
        refused=refused,
        least=LEAST_PASSWORD,
        most=MOST_PASSWORD,
    )


async def _account(request: Request, context: Context) -> Account:
    """The account of the browser's session: a token changes no password. Raises a Problem (403)."""
    session: Session | None = request.scope[SESSION]
    account = None if session is None else await context.passwords.load_account(session.account)
    if account is None:
        raise Problem(403, "a password is changed in a browser that is signed in")
    return account


@router.post("/password")
async def set_password(request: Request, context: Shared) -> Response:
    """Set the password, end the other sessions of the account, and go on; a refusal is shown beside the form."""
    form, words = await read_form(request), words_for(request)
    account, goes_to = await _account(request, context), form.get("goes_to", "")
    if form.get("password", "") != form.get("again", ""):
        return _show(request, account, goes_to, 422, words("password_not_same"))
    try:
        said = PasswordChange(current=form.get("current") or None, new=form.get("password", ""))
        await change_own_password(context, request, said)
    except ValidationError:
        return _show(request, account, goes_to, 422, words("password_wrong"))
    except Problem as exc:
        if exc.status not in _REFUSED:
            raise
        page = _show(request, account, goes_to, exc.status, _refusal(exc, words))
        page.headers.update(exc.headers or {})
        return page
    return RedirectResponse(own_path(goes_to), status_code=303)


def _refusal(exc: Problem, words: Words) -> str:
    """Why the password was not changed, in the reader's language."""
    if isinstance(exc.__cause__, RemedyError):
        return exc.__cause__.said.text(words.language)
    return words(_REFUSED[exc.status])
