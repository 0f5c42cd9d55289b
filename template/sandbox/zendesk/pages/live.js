"use strict";

// A page that hears of a change reads itself again, and takes over what is marked with data-live. Forms are not
// marked, so that nothing is lost of what is being typed.

const asDelivered = new Map();

function remember(page, kept) {
  for (const part of page.querySelectorAll("[data-live]")) {
    kept.set(part.id, part.outerHTML);
    if (part.dataset.live === "items") for (const item of part.children) kept.set(item.id, item.outerHTML);
  }
}

async function present() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  return answer.ok ? answer.text() : null;
}

async function readAgain() {
  // While Zendesk does not answer the page stays as it is; the next word of it has the page read.
  const text = await present().catch(() => null);
  if (text === null) {
    known = "";
    return;
  }
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const selection = getSelection();
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const shown = document.getElementById(part.id);
    if (!shown || asDelivered.get(part.id) === part.outerHTML) continue;
    if (!selection.isCollapsed && selection.containsNode(shown, true) && part.dataset.live !== "state") {
      setTimeout(readAgain, 1000);
      continue;
    }
    take(shown, part);
  }
  remember(fresh, asDelivered);
  prepare(document);
}

function take(shown, part) {
  if (part.dataset.live === "state") {
    shown.disabled = part.disabled;
  } else if (part.dataset.live === "items") {
    const left = new Set([...shown.children].map((item) => item.id));
    for (const item of [...part.children]) {
      const old = document.getElementById(item.id);
      left.delete(item.id);
      if (!old) shown.append(document.importNode(item, true));
      else if (asDelivered.get(item.id) !== item.outerHTML) swap(old, item);
    }
    for (const id of left) document.getElementById(id).remove();
  } else {
    swap(shown, part);
  }
}

function swap(shown, part) {
  const reachable = "a[href], button, input, select, summary";
  const focused = [...shown.querySelectorAll(reachable)].indexOf(document.activeElement);
  const name = document.activeElement.id;
  const open = [...shown.querySelectorAll("details")].map((each) => each.open);
  const fresh = document.importNode(part, true);
  shown.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((each, number) => { each.open = open[number] ?? each.open; });
  if (focused >= 0) ((name && document.getElementById(name)) || fresh.querySelectorAll(reachable)[focused])?.focus();
}

// What the server cannot know: how high a text is that came as HTML.
function prepare(page) {
  for (const frame of page.querySelectorAll("iframe.body:not([data-fits])")) {
    const fit = () => { frame.style.height = `${frame.contentDocument.documentElement.scrollHeight}px`; };
    frame.dataset.fits = "";
    frame.addEventListener("load", fit);
    if (frame.contentDocument?.readyState === "complete") fit();
  }
}

// A browser has few connections to one host: only the page that is looked at listens.
let news = null;
let known = document.body.dataset.changes;
let reading = Promise.resolve();

function listen() {
  news?.close();
  news = null;
  if (document.hidden || known === undefined) return;
  const sign = document.getElementById("live");
  news = new EventSource("/changes");
  news.onopen = () => { sign.hidden = false; };
  news.onerror = () => { sign.hidden = true; };
  news.onmessage = ({ data }) => {
    if (data === known) return;
    known = data;
    reading = reading.then(readAgain, readAgain);
    reading.then(() => document.dispatchEvent(new Event("sandbox:changed")));
  };
}

function move(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const here = rows.indexOf(document.activeElement);
  const next = rows[here < 0 ? 0 : Math.min(Math.max(here + step, 0), rows.length - 1)];
  next?.focus();
  next?.closest("tr").scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select");
  if (typing?.form && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    typing.form.requestSubmit(typing.form.querySelector("button:not(:disabled)"));
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("input[type=search]");
  if (event.key === "/" && search) {
    event.preventDefault();
    search.select();
  }
  if (event.key === "j") move(1);
  if (event.key === "k") move(-1);
});

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.sure[open]")) if (!open.contains(event.target)) open.open = false;
  const from = event.target.closest("[data-copy]");
  if (from) {
    navigator.clipboard.writeText(document.getElementById(from.dataset.copy).textContent);
    from.textContent = "Copied";
  }
});

// Two clicks are one reply.
const sent = new Set();
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || event.target.target) return;
  if (sent.has(event.target)) event.preventDefault();
  sent.add(event.target);
});
addEventListener("pageshow", () => sent.clear());

document.addEventListener("visibilitychange", listen);
if (document.body.dataset.onward && top !== self) top.location.assign(document.body.dataset.onward);
for (const form of document.querySelectorAll("[data-post-at-once]")) form.submit();
remember(document, asDelivered);
prepare(document);
listen();
