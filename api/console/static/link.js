// Keeps what is typed when the connection drops, and sends it when it is back. The page works without it.
"use strict";
(() => {
  const key = "milepost " + location.pathname;
  const notice = document.getElementById("kept");
  const read = () => { try { return JSON.parse(localStorage.getItem(key)) || {}; } catch { return {}; } };
  const write = (kept) => { try { localStorage.setItem(key, JSON.stringify(kept)); } catch { /* a private window */ } };
  const fields = (form) => [...form.elements].filter((one) => one.name && one.type !== "hidden" && one.type !== "file");
  const kept = read();
  const done = document.body.dataset.done;
  if (done) { delete kept[done]; write(kept); }
  for (const form of document.forms) {
    const act = form.dataset.act;
    for (const field of fields(form)) {
      const was = (kept[act] || {})[field.name];
      if (was === undefined || document.body.dataset.refused) continue;
      if (field.type === "checkbox") field.checked = was; else field.value = was;
      const fold = form.closest("details");
      if (fold && was) fold.open = true;
    }
    form.addEventListener("input", () => {
      kept[act] = Object.fromEntries(fields(form).map((one) => [one.name, one.type === "checkbox" ? one.checked : one.value]));
      write(kept);
    });
    form.addEventListener("submit", (event) => {
      if (navigator.onLine) return;
      event.preventDefault();
      notice.hidden = false;
      addEventListener("online", () => form.requestSubmit(), { once: true });
    });
  }
})();
