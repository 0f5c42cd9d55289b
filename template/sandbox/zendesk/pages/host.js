"use strict";

// The host's side of the apps framework: an app in a frame says by postMessage what it wants, as JSON. What the
// server knows is asked there, and so comes into the log; what only this page can do is done here.

const LONGEST_WAIT = 5000;
const LONGEST_SAVE = 30000;
const SILENT = "This app has not called ZAFClient.init(), so nothing is asked or answered. Its page must load the framework's client; the browser's console says more.";
const SAFARI = "Safari finds this app's address on macOS 26 and later only. On an older one, use Chrome, Edge or Firefox, or add the app's host to /etc/hosts for 127.0.0.1:";
const ticket = location.pathname.match(/^\/agent\/tickets\/(\d+)$/)?.[1] ?? "";
const apps = [...document.querySelectorAll("iframe[data-app]")].map((frame) => ({
  ...JSON.parse(frame.dataset.app), frame, subscribed: new Map(), isRegistered: false,
}));

function send(app, message) {
  app.frame.contentWindow?.postMessage(JSON.stringify(message), app.origin);
}

// An app hears of itself, and of other instances of its own to which it listens.
function fire(about, event, message) {
  for (const app of apps.filter((each) => each.id === about.id && each.subscribed.get(`${about.guid} ${event}`))) {
    const instanceGuid = app === about ? undefined : about.guid;
    send(app, { key: `zaf.${event}`, message, instanceGuid });
  }
}

async function ask(app, what, asked) {
  const answer = await fetch(`/agent/apps/${app.id}/${what}?ticket=${app.context.ticketId ?? ""}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(asked),
  });
  const found = await answer.json();
  if (!answer.ok) throw new Refusal(answer, found.description);
  return found;
}

class Refusal extends Error {
  constructor(answer, text) {
    super(text);
    this.answer = answer;
  }
}

// --- get, set and invoke

const draft = () => document.getElementById("message");
const field = (box) => ({
  get: () => box().value,
  set: (value) => { box().value = value; },
});
const here = { "ticket.comment.text": field(draft), "comment.text": field(draft) };
const isDark = matchMedia("(prefers-color-scheme: dark)");
const scheme = () => (isDark.matches ? "dark" : "light");

// What depends on the page alone; undefined is asked of the server.
function look(app, path) {
  if (path === "colorScheme") return scheme();
  if (path === "viewport.size") return { width: innerWidth, height: innerHeight };
  if (path === "instances") return Object.fromEntries(apps.filter((each) => each.id === app.id).map((each) => [each.guid, each.context]));
  if (path.startsWith("instances.")) return apps.find((each) => each.guid === path.slice(10))?.context;
  if (path.startsWith("assetURL:")) return `${app.origin}/assets/${path.slice(9)}`;
  return undefined;
}

function append(text) {
  const box = draft();
  box.value = box.value ? `${box.value}\n${text}` : text;
}

const actions = {
  resize: (app, [size]) => {
    for (const side of ["width", "height"]) {
      if (size?.[side] !== undefined) app.frame.style[side] = /^\d+(\.\d+)?$/.test(size[side]) ? `${size[side]}px` : size[side];
    }
  },
  notify: (app, [text, kind = "notice", options = {}]) => { notify(text, kind, options); },
  hide: (app) => { app.frame.closest(".app").hidden = true; },
  show: (app) => { app.frame.closest(".app").hidden = false; },
  preloadPane: () => {},
  "instances.create": (app, [options]) => [openModal(app, options)],
  destroy: (app) => { app.frame.closest("dialog")?.close(); },
  "ticket.comment.appendText": (app, [text]) => { append(text); },
  "comment.appendText": (app, [text]) => { append(text); },
  "ticket.editor.insert": (app, [text]) => { append(text); },
};

// A page of the app above all others, closed by the agent or by the app.
function openModal(app, { location: place, url, size = {} } = {}) {
  if (place !== "modal" || !url) throw new TypeError('only {location: "modal", url: …} can be created');
  const guid = crypto.randomUUID();
  const dialog = document.getElementById("modal").content.firstElementChild.cloneNode(true);
  const frame = dialog.querySelector("iframe");
  const context = { ...app.context, location: "modal", instanceGuid: guid };
  const made = { ...app, guid, context, frame, subscribed: new Map(), isRegistered: false };
  Object.assign(frame.dataset, { src: new URL(url, `${app.origin}/`).href, csrf: app.frame.dataset.csrf });
  dialog.querySelector("h2").textContent = frame.title = app.metadata.name;
  dialog.addEventListener("close", () => {
    fire(made, "modal.close", {});
    apps.splice(apps.indexOf(made), 1);
    dialog.remove();
  });
  document.body.append(dialog);
  apps.push(made);
  actions.resize(made, [{ width: "60vw", height: "50vh", ...size }]);
  dialog.showModal();
  load(made);
  return context;
}

function isHere(name) {
  return /comment|editor/.test(name) ? Boolean(draft()) : true;
}

async function call(app, kind, params) {
  const paths = kind === "get" ? params : Object.keys(params);
  const found = {};
  const left = [];
  for (const path of paths) {
    if (kind === "invoke" && Object.hasOwn(actions, path) && isHere(path)) found[path] = actions[path](app, params[path]) ?? null;
    else if (kind !== "invoke" && Object.hasOwn(here, path) && draft()) {
      if (kind === "set") here[path].set(params[path]);
      found[path] = here[path].get();
    } else if (kind === "get" && look(app, path) !== undefined) found[path] = look(app, path);
    else left.push(path);
  }
  const rest = kind === "get" ? left : Object.fromEntries(left.map((path) => [path, params[path]]));
  const answered = left.length ? await ask(app, kind, rest) : {};
  return { ...found, ...answered, errors: answered.errors ?? {} };
}

function notify(text, kind, { sticky = false } = {}) {
  const item = document.createElement("li");
  item.className = kind;
  item.textContent = new DOMParser().parseFromString(String(text), "text/html").body.textContent;
  document.getElementById("toasts").append(item);
  if (!sticky) setTimeout(() => item.remove(), LONGEST_WAIT);
}

// --- request

function encoded(data, contentType) {
  if (data === undefined || data === null || typeof data === "string") return data ?? undefined;
  return contentType.includes("json") ? JSON.stringify(data) : new URLSearchParams(data).toString();
}

async function request(app, options) {
  const asked = typeof options === "string" ? { url: options } : options;
  const method = (asked.type ?? asked.method ?? "GET").toUpperCase();
  const contentType = asked.contentType ?? "application/x-www-form-urlencoded; charset=UTF-8";
  const url = new URL(asked.url, location.origin);
  const isOwn = [location.hostname, `${app.context.account.subdomain}.zendesk.com`].includes(url.hostname) && (url.port === location.port || !url.port);
  const body = encoded(asked.data, contentType);
  const headers = { ...asked.headers };
  if (method === "GET" || method === "HEAD") {
    if (body) url.search += (url.search ? "&" : "") + body;
  } else if (body !== undefined && contentType) headers["content-type"] = contentType;
  const sent = method === "GET" || method === "HEAD" ? undefined : body;
  if (isOwn && !asked.secure) {
    const session = { "x-csrf-token": app.frame.dataset.csrf, "x-requested-with": "XMLHttpRequest" };
    return complete(await fetch(url.pathname + url.search, { method, headers: { ...session, ...headers }, body: sent }));
  }
  if (asked.cors && !asked.secure) {
    const credentials = asked.xhrFields?.withCredentials ? "include" : "omit";
    return complete(await fetch(url, { method, headers, body: sent, credentials }));
  }
  // A placeholder of a setting must not be encoded.
  const target = url.href.replace(/%7B%7B.*?%7D%7D/gi, (each) => decodeURIComponent(each));
  const answer = await ask(app, "request", { url: target, method, headers, body: sent, secure: asked.secure, jwt: asked.jwt });
  return outcome(answer.status, "", answer.body, answer.headers);
}

async function complete(answer) {
  return outcome(answer.status, answer.statusText, await answer.text(), Object.fromEntries(answer.headers));
}

function outcome(status, statusText, responseText, responseHeaders) {
  let responseJSON;
  try { responseJSON = JSON.parse(responseText); } catch { /* It is a text. */ }
  return { status, statusText: statusText || String(status), responseText, responseJSON, responseHeaders };
}

async function answerRequest(app, key, options) {
  let found;
  try {
    found = await request(app, options);
  } catch (error) {
    found = error instanceof Refusal
      ? outcome(error.answer.status, error.message, JSON.stringify({ error: error.message }), {})
      : { status: 0, statusText: "error", responseText: "", error: String(error) };
  }
  const isDone = found.status >= 200 && found.status < 300;
  const wantsText = typeof options === "object" && options.dataType === "text";
  const data = wantsText ? found.responseText : found.responseJSON ?? found.responseText;
  const first = isDone && !options.httpCompleteResponse ? data : found;
  const responseArgs = isDone ? [first, "success", found] : [found, "error", found.statusText];
  send(app, { key: `zaf.${key}.${isDone ? "done" : "fail"}`, message: { responseArgs } });
}

// --- Messages

function register(app) {
  app.isRegistered = true;
  tell(app, "");
  send(app, { key: "zaf.app.registered", message: { metadata: app.metadata, context: app.context } });
  send(app, { key: "zaf.app.activated", message: { firstLoad: true } });
}

function receive(app, message) {
  const { key = "", id, request: kind, params } = message;
  const target = apps.find((each) => each.id === app.id && each.guid === message.instanceGuid) ?? app;
  const [verb, event] = [key.slice(0, key.indexOf(":")), key.slice(key.indexOf(":") + 1)];
  if (["get", "set", "invoke"].includes(kind) && id !== undefined) {
    call(target, kind, params).then(
      (result) => send(app, { id, result }),
      (error) => send(app, { id, error: { name: error.name, message: error.message } }),
    );
  } else if (key === "iframe.handshake") register(app);
  else if (verb === "iframe.on" || verb === "iframe.off") app.subscribed.set(`${target.guid} ${event}`, message.message?.subscriberCount ?? 0);
  else if (verb === "iframe.trigger") {
    if (target.subscribed.get(`${target.guid} ${event}`)) send(target, { key: `zaf.${event}`, message: message.message });
  } else if (verb === "iframe.reply") replies.get(app.guid)?.(message.error);
  else if (verb === "request") answerRequest(app, key, message.message);
  else if (!["session.live", "__track__"].includes(key)) ask(app, "unknown", message).catch(() => {});
}

addEventListener("message", (event) => {
  const app = apps.find((each) => each.frame.contentWindow === event.source);
  if (!app || event.origin !== app.origin) return;
  let message;
  try { message = JSON.parse(event.data); } catch { return; }
  if (message && typeof message === "object") receive(app, message);
});

// --- What changes on the ticket

let before = null;

async function fields() {
  const answer = await fetch(`/agent/tickets/${ticket}/fields`);
  return answer.ok ? answer.json() : null;
}

async function compare() {
  if (!ticket || !apps.length) return;
  // While Zendesk does not answer nothing changes, and the next change asks again.
  const now = await fields().catch(() => null);
  if (!now) return;
  const changed = before ? Object.keys(now).filter((name) => JSON.stringify(now[name]) !== JSON.stringify(before[name])) : [];
  before = now;
  for (const app of apps.filter((each) => each.context.ticketId)) {
    for (const name of changed) fire(app, `ticket.${name.replace("customField:", "")}.changed`, now[name]);
    if (changed.length) fire(app, "ticket.updated", { id: now.id });
  }
}

document.addEventListener("sandbox:changed", compare);
isDark.addEventListener("change", () => { for (const app of apps) fire(app, "colorScheme.changed", scheme()); });

// --- Before a reply or a note is saved, apps may refuse it

const replies = new Map();
let isAllowed = false;

function agreed(app) {
  return new Promise((resolve) => {
    replies.set(app.guid, resolve);
    send(app, { key: "zaf.ticket.save", needsReply: true });
    setTimeout(resolve, LONGEST_SAVE);
  });
}

document.addEventListener("submit", async (event) => {
  const asked = apps.filter((app) => app.subscribed.get(`${app.guid} ticket.save`));
  if (event.target.id !== "composer" || isAllowed || !asked.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  for (const app of apps) fire(app, "ticket.submit.start", {});
  const errors = (await Promise.all(asked.map(agreed))).filter(Boolean);
  for (const error of errors) notify(`Not saved: ${error.msg ?? "an app refused it."}`, "error");
  isAllowed = !errors.length;
  for (const app of apps) if (!isAllowed) fire(app, "ticket.submit.fail", {});
  if (isAllowed) event.target.requestSubmit(event.submitter);
}, true);

// --- Frames

function tell(app, problem) {
  const notice = app.frame.parentElement.querySelector("[role=alert]");
  notice.textContent = problem;
  notice.hidden = !problem;
}

function load(app) {
  if (!["localhost", "127.0.0.1"].includes(location.hostname)) {
    tell(app, `Apps are shown to browsers on this machine alone, at http://localhost:${location.port}.`);
    return;
  }
  const url = new URL(app.frame.dataset.src);
  url.searchParams.set("origin", location.origin);
  url.searchParams.set("app_guid", app.guid);
  app.frame.addEventListener("load", () => {
    setTimeout(() => {
      const isTold = document.querySelector(`#app${app.id}-problems p`);
      const isSafari = navigator.vendor.startsWith("Apple");
      if (!app.isRegistered && !isTold) tell(app, isSafari ? `${SILENT} ${SAFARI} ${new URL(app.origin).hostname}` : SILENT);
      // The page that comes next has to register, too, and does so before it has been loaded.
      app.isRegistered = false;
    }, app.isRegistered ? 0 : LONGEST_WAIT);
  });
  const { token } = app.frame.dataset;
  if (token) post(url, app.frame.name, { token });
  else app.frame.src = url;
}

function post(url, target, fields) {
  const form = Object.assign(document.createElement("form"), { method: "post", action: url, target, hidden: true });
  for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement("input"), { name, value }));
  document.body.append(form);
  form.submit();
  form.remove();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[aria-controls]");
  const app = button && apps.find((each) => each.guid === button.getAttribute("aria-controls"));
  if (!app) return;
  const isShown = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!isShown));
  button.textContent = isShown ? "Show" : "Hide";
  app.frame.parentElement.hidden = isShown;
  fire(app, isShown ? "app.deactivated" : "app.activated", { firstLoad: false });
});

for (const app of apps) load(app);
compare();
