// Stores the typed text for each form of each link, and retries to send it until the server has answered. The page
// works without this script. Only an answer of Milepost counts as received: a cut connection, a timeout, an error of
// the server and the page of a hotspot do not.
"use strict";
(() => {
  const DAY = 86_400_000;
  const says = document.getElementById("says").dataset;
  const waiting = new Set();
  let next = "";

  const read = (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
  const write = (key, kept) => { try { localStorage.setItem(key, JSON.stringify(kept)); } catch { /* a private window */ } };
  const drop = (key) => { try { localStorage.removeItem(key); } catch { /* a private window */ } };
  const isOld = (kept, age) => !kept || !(Date.now() - kept.at < age);

  // Delete stored texts of links that have expired.
  const all = () => { try { return Object.keys(localStorage); } catch { return []; } };
  for (const key of all()) if (key.startsWith("milepost /i/") && isOld(read(key), 8 * DAY)) drop(key);

  for (const form of document.querySelectorAll("form[data-act]")) {
    const key = `milepost ${location.pathname} ${form.dataset.act}`;
    const typed = [...form.elements].filter((one) => one.name && one.type !== "hidden" && one.type !== "file");
    const fields = () => Object.fromEntries(typed.map((one) => [one.name, one.type === "checkbox" ? one.checked : one.value]));
    const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
    const empty = fields();
    const line = form.appendChild(Object.assign(document.createElement("p"), { className: "state", hidden: true }));
    line.setAttribute("role", "status");
    let timer, pause = 1000, busy = false;

    const say = (text, bad = false) => { line.textContent = text; line.hidden = !text; line.classList.toggle("bad", bad); };
    const fill = (values) => {
      for (const one of typed) {
        const value = values[one.name];
        if (value === undefined) continue;
        if (one.type === "checkbox") one.checked = value; else one.value = value;
      }
    };
    const open = () => { const fold = form.closest("details"); if (fold) fold.open = true; };
    const keep = (sent) => write(key, { at: Date.now(), once: form.once.value, sent, fields: fields() });
    const stop = () => { clearTimeout(timer); waiting.delete(form); };
    const done = (text) => { stop(); drop(key); form.reset(); fill(empty); say(text); };

    const later = (text) => {
      say(text, true);
      clearTimeout(timer);
      pause = Math.min(2 * pause, 30_000);
      timer = setTimeout(send, pause);
    };

    async function send() {
      if (busy) return;
      clearTimeout(timer);
      const data = new FormData(form);
      const hasFile = [...data.values()].some((one) => one instanceof File && one.size);
      // A photo is not stored on the phone: a form with a photo is not sent again after the page is closed.
      keep(!hasFile);
      waiting.add(form);
      busy = true;
      form.setAttribute("aria-busy", "true");
      say(says.sending);
      const patience = new AbortController();
      const end = setTimeout(() => patience.abort(), hasFile ? 300_000 : 30_000);
      let answer, found;
      try {
        answer = await fetch(form.action, {
          method: "POST",
          body: form.enctype === "multipart/form-data" ? data : new URLSearchParams(data),
          headers: { Accept: "application/json" },
          signal: patience.signal,
        });
        found = answer.status < 500 ? await answer.json() : {};
      } catch { found = null; }
      clearTimeout(end);
      busy = false;
      form.removeAttribute("aria-busy");
      if (found && found.to) finish(found);
      else if (found && found.refused) refuse(found);
      else later(answer && answer.status >= 500 ? says.away : says.kept);
    }

    function finish(found) {
      done(found.said);
      next = found.to;
      // Forms that wait for the connection are sent first: loading the next page would stop them.
      if (waiting.size === 0) location.replace(next);
    }

    function refuse(found) {
      stop();
      keep(false);
      if (found.seen !== undefined && form.seen) form.seen.value = found.seen;
      say(found.refused, true);
    }

    const kept = read(key);
    if (kept && !document.body.dataset.refused) {
      fill(kept.fields);
      if (kept.once) form.once.value = kept.once;
      open();
      if (kept.sent && !isOld(kept, DAY / 24)) send(); else say(says.unsent);
    }

    form.addEventListener("input", () => { if (same(fields(), empty)) drop(key); else keep(waiting.has(form)); });
    form.addEventListener("submit", (event) => { event.preventDefault(); pause = 1000; send(); });
    form.addEventListener("again", () => { if (waiting.has(form)) send(); });
    // Another window of this link sent or changed the text: this window takes the change unless its own text differs.
    addEventListener("storage", (event) => {
      if (event.key !== key || busy) return;
      const old = JSON.parse(event.oldValue), now = JSON.parse(event.newValue);
      if (!same(fields(), old ? old.fields : empty)) return;
      if (now) { fill(now.fields); form.once.value = now.once; } else if (old) done(says.elsewhere);
    });
  }

  const again = () => { for (const form of waiting) form.dispatchEvent(new Event("again")); };
  addEventListener("online", again);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) again(); });
})();
