// Keeps the status page true: it is fetched again when something happens, and every few seconds for the clocks.
"use strict";
const EVERY_MS = 5000;
// The server looks at the database once a second for all: what is asked later than that is newer than the event.
const AFTER_EVENT_MS = 1100;
const lost = document.getElementById("lost");
let due = Infinity;
let timer = null;
let busy = false;

function plan(wait) {
  clearTimeout(timer);
  due = Date.now() + wait;
  timer = setTimeout(refresh, wait);
}

function soon() {
  if (due > Date.now() + AFTER_EVENT_MS) plan(AFTER_EVENT_MS);
}

async function refresh() {
  if (busy) return plan(AFTER_EVENT_MS);
  busy = true;
  due = Infinity;
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(15000) });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  } finally {
    busy = false;
    if (due === Infinity) plan(EVERY_MS);
  }
}

const events = new EventSource("/api/v1/stream");
for (const name of ["transition", "incident", "reset"]) events.addEventListener(name, soon);
events.addEventListener("open", soon);
document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
plan(EVERY_MS);
