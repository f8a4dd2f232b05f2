// Keeps the status page true: it is fetched again when something happens, and every few seconds for the clocks.
"use strict";
const EVERY_MS = 5000;
const LEAST_MS = 1000;
const lost = document.getElementById("lost");
let last = Date.now();
let timer = null;
let busy = false;

function plan(wait) {
  clearTimeout(timer);
  timer = setTimeout(refresh, wait);
}

function soon() {
  plan(Math.max(0, LEAST_MS - (Date.now() - last)));
}

async function refresh() {
  if (busy) return plan(LEAST_MS);
  busy = true;
  last = Date.now();
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
    plan(EVERY_MS);
  }
}

const events = new EventSource("/api/v1/stream");
for (const name of ["transition", "incident", "reset"]) events.addEventListener(name, soon);
events.addEventListener("open", soon);
document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
plan(EVERY_MS);
