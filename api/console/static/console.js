// Keeps a page true: it is fetched again when something happens, and every few seconds for the clocks. Only the parts
// that changed are exchanged, so that focus, open details and what is being typed stay.
"use strict";
const EVERY_MS = 5000;
// The server looks at the database once a second for all: what is asked later than that is newer than the event.
const AFTER_EVENT_MS = 1100;
const CUT_AFTER_MS = 4000;
const lost = document.getElementById("lost");
const cut = document.getElementById("cut");
const news = document.getElementById("news");
let due = Infinity;
let timer = null;
let busy = false;
let cutSince = Date.now();

function plan(wait) {
  clearTimeout(timer);
  due = Date.now() + wait;
  timer = setTimeout(refresh, wait);
}

function soon() {
  if (due > Date.now() + AFTER_EVENT_MS) plan(AFTER_EVENT_MS);
}

function exchange(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const opened = Array.from(old.querySelectorAll("details[open]"), (one) => one.id);
  old.replaceWith(fresh);
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  if (focused) fresh.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function said(page) {
  return Array.from(page.querySelectorAll("[data-news]"), (one) => one.textContent.trim()).join(" · ");
}

function show(page) {
  const before = said(document);
  for (const fresh of page.querySelectorAll("[data-live]")) {
    const old = document.getElementById(fresh.id);
    if (old && old.outerHTML !== fresh.outerHTML) exchange(old, document.adoptNode(fresh));
  }
  const after = said(document);
  if (after !== before) news.textContent = after;
}

async function refresh() {
  if (busy) return plan(AFTER_EVENT_MS);
  busy = true;
  due = Infinity;
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(15000) });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  } finally {
    busy = false;
    cut.hidden = !lost.hidden || cutSince === null || Date.now() - cutSince < CUT_AFTER_MS;
    if (due === Infinity) plan(EVERY_MS);
  }
}

const events = new EventSource("/api/v1/stream");
for (const name of ["transition", "incident", "reset"]) events.addEventListener(name, soon);
events.addEventListener("open", () => { cutSince = null; soon(); });
events.addEventListener("error", () => { cutSince ??= Date.now(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
plan(EVERY_MS);
