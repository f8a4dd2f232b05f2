"""Pages of the accounts of a scope, for who manages accounts."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from access.administration import MOST_NAME
from access.rules import BUILT_IN
from access.scope import AreaScope
from api.actions.accounts import (
    AccountPatch,
    LinkRequest,
    NewAccount,
    change_account,
    create_account,
    disable_account,
    enable_account,
    new_account_link,
)
from api.actions.people import acting
from api.console.pages import link, page_router, show, words_for
from api.console.people.area_list import AreasRead, as_lines
from api.console.people.forms import AREAS, WHOLE, asked_areas, refusal, roles_within, scope_fields
from api.context import Context, Shared
from api.http.forms import read_form
from api.http.paging import Page
from api.http.parameters import Cursor
from api.http.problems import Problem, not_found
from api.read.people import listing
from api.read.people.schemas import AccountDocument

router = page_router()

_PAGE: Final = 50
_TOKENS: Final = 200
_NOTHING: Final = AreasRead(codes=[], text="")


@router.get("/accounts")
async def show_accounts(request: Request, context: Shared, cursor: Cursor = "") -> Response:
    """The accounts of the scope, by login, and a form for a new one."""
    return await _list(request, context, cursor)


async def _list(
    request: Request,
    context: Context,
    cursor: str = "",
    *,
    code: int = 200,
    refused: str = "",
    said: Mapping[str, str] | None = None,
    areas: AreasRead = _NOTHING,
) -> Response:
    actor = acting(context)
    async with context.database.snapshot() as connection:
        found = await listing.list_accounts(connection, actor, Page(_PAGE, cursor or None))
    return show(
        request,
        "accounts.html",
        code,
        accounts=found.items,
        next=found.next,
        cursor=cursor,
        refused=refused,
        said={"login": "", "name": "", "role": "technician", "scope": AREAS, **(said or {})},
        areas=areas,
        **_choices(context),
    )


def _choices(context: Context) -> dict[str, Any]:
    """What the forms offer: roles and scopes within the reader's own."""
    actor = acting(context)
    return {
        "roles": roles_within(actor),
        "scopes": [AREAS, *([WHOLE] if actor.scope == AreaScope(whole=True) else [])],
        "most_name": MOST_NAME,
    }


@router.post("/accounts")
async def make_account(request: Request, context: Shared) -> Response:
    """Make the account of the form and show it; a refusal, or an area to choose, is shown beside the form."""
    said, words = await read_form(request), words_for(request)
    areas = await asked_areas(context, request, said, words)
    if areas.asked:
        return await _list(request, context, code=422, said=said, areas=areas)
    try:
        body = {
            "login": said.get("login", ""),
            "name": said.get("name") or said.get("login", ""),
            "role": said.get("role", ""),
            **scope_fields(said, areas),
        }
        made = await create_account(context, NewAccount.model_validate(body))
    except (Problem, ValidationError) as exc:
        return await _list(request, context, code=422, refused=refusal(exc, words), said=said, areas=areas)
    return RedirectResponse(link(f"/accounts/{made.id}", done="made"), status_code=303)


@router.get("/accounts/{id}")
async def show_account(
    request: Request,
    context: Shared,
    id: str,  # noqa: A002 -- the path's own name for it
    done: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """One account, with the forms to change it, and its tokens."""
    return await _show(request, context, id, done=done)


async def _show(
    request: Request,
    context: Context,
    account: str,
    *,
    code: int = 200,
    refused: str = "",
    done: str = "",
    said: Mapping[str, str] | None = None,
    areas: AreasRead | None = None,
) -> Response:
    actor = acting(context)
    async with context.database.snapshot() as connection:
        found = await listing.load_account_document(connection, actor, account)
        tokens = await listing.list_tokens(connection, actor, Page(_TOKENS, None), account=account)
    is_own = actor.account == account
    return show(
        request,
        "account_edit.html",
        code,
        account=found,
        tokens=[token for token in tokens.items if token.state in ("valid", "ending")],
        is_own=is_own,
        may_change=found.id not in BUILT_IN,
        refused=refused,
        done=done,
        said={**_as_form(found), **(said or {})},
        areas=areas or AreasRead(codes=[], text=as_lines(found.scope, words_for(request))),
        **_choices(context),
    )


def _as_form(account: AccountDocument) -> dict[str, str]:
    return {"name": account.name, "role": account.role.value, "scope": WHOLE if account.scope.whole else AREAS}


@router.post("/accounts/{id}")
async def edit_account(request: Request, context: Shared, id: str) -> Response:  # noqa: A002
    """Change name, role and scope as the form says."""
    said, words = await read_form(request), words_for(request)
    areas = await asked_areas(context, request, said, words)
    if areas.asked:
        return await _show(request, context, id, code=422, said=said, areas=areas)
    try:
        body = {"name": said.get("name"), "role": said.get("role"), **scope_fields(said, areas)}
        await change_account(context, id, AccountPatch.model_validate(body))
    except (Problem, ValidationError) as exc:
        if isinstance(exc, Problem) and exc.status == 404:
            raise
        return await _show(request, context, id, code=422, refused=refusal(exc, words), said=said, areas=areas)
    return RedirectResponse(link(f"/accounts/{id}", done="saved"), status_code=303)


async def _disable(request: Request, context: Context, account: str) -> Response:
    await disable_account(context, account)
    return RedirectResponse(f"/accounts/{account}", status_code=303)


async def _enable(request: Request, context: Context, account: str) -> Response:
    await enable_account(context, account)
    return RedirectResponse(f"/accounts/{account}", status_code=303)


async def _link(request: Request, context: Context, account: str) -> Response:
    return await _secret(request, context, account, LinkRequest())


async def _forget(request: Request, context: Context, account: str) -> Response:
    return await _secret(request, context, account, LinkRequest(forget_password=True))


async def _secret(request: Request, context: Context, account: str, said: LinkRequest) -> Response:
    """The page with a new link, which is shown only there."""
    made = await new_account_link(context, account, said)
    async with context.database.snapshot() as connection:
        found = await listing.load_account_document(connection, acting(context), account)
    words = words_for(request)
    says = words("link_for", who=found.name, time=words.clock(made.until))
    return show(
        request, "secret.html", 201, heading="link_title", secret=made.link, says=[says], back=f"/accounts/{account}"
    )


_ACTIONS: Final[Mapping[str, Callable[[Request, Context, str], Awaitable[Response]]]] = {
    "disable": _disable,
    "enable": _enable,
    "link": _link,
    "forget": _forget,
}


@router.post("/accounts/{id}/{action}")
async def act_on_account(request: Request, context: Shared, id: str, action: str) -> Response:  # noqa: A002
    """Do what a button of the page says."""
    await read_form(request)
    if action not in _ACTIONS:
        raise not_found("action", action)
    try:
        return await _ACTIONS[action](request, context, id)
    except Problem as exc:
        if exc.status != 409:
            raise
        return await _show(request, context, id, code=409, refused=refusal(exc, words_for(request)))
