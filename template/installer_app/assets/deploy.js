// The page with which an admin brings the flow to Zendesk Integration Services, by the session of the browser.
//
// It works with what `app package` writes into zis.json: the bundle, the names of the environment and of its integration,
// and the service's address.

import { textsFor } from "./pages.js";

const ZIS = "/api/services/zis";
const CONNECTION = "service";
const ADDED_BY_ZENDESK = new Set(["uuid", "integration", "zendesk_account_id"]);
const PAGE = 100;

const element = (id) => document.getElementById(id);

/** Zendesk did not do what was asked; the message is its own. */
class Refusal extends Error {
  constructor(answer) {
    const said = answer.responseJSON?.message ?? answer.responseJSON?.error ?? answer.responseText;
    super(String(said || answer.statusText || answer.status));
    this.status = answer.status;
  }
}

/** The bundle with this integration in its references, and this service in its actions. */
function bundleFor({ integration, service, bundle }) {
  const renamed = JSON.parse(JSON.stringify(bundle), (_, value) =>
    typeof value === "string" ? value.replace(/^zis:(?!common:)[a-z0-9_-]{1,64}:/, `zis:${integration}:`) : value,
  );
  for (const { type, properties } of Object.values(renamed.resources)) {
    const action = properties.definition;
    if (type === "ZIS::Action::Http" && action.connectionName === CONNECTION && action.url) {
      action.url = action.url.replace(/^https?:\/\/[^/]+/, service);
    }
  }
  return renamed;
}

/** A text that two bundles share if they say the same. */
function canonical(bundle) {
  const sorted = (value) =>
    value && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, value[key]]))
      : value;
  const own = Object.fromEntries(Object.entries(bundle).filter(([key]) => !ADDED_BY_ZENDESK.has(key)));
  return JSON.stringify(own, (_, value) => sorted(value));
}

class Zendesk {
  constructor(client, integration) {
    this.client = client;
    this.registry = `${ZIS}/registry/${integration}`;
    this.ofIntegration = `${ZIS}/integrations/${integration}`;
    this.integration = integration;
  }

  /** Makes a call and shows it below the step. Throws a Refusal, except where `admits` has the status. */
  async call(method, url, body, admits = []) {
    // Some answers are empty, which is no JSON.
    const options = { url, type: method, contentType: "application/json", dataType: "text", httpCompleteResponse: true };
    let answer;
    try {
      answer = await this.client.request(body === undefined ? options : { ...options, data: JSON.stringify(body) });
    } catch (failed) {
      answer = failed ?? {};
    }
    this.show?.(`${method} ${decodeURIComponent(url)} ${answer.status}`);
    if (!(answer.status >= 200 && answer.status < 300) && !admits.includes(answer.status)) throw new Refusal(answer);
    return answer.responseText ? JSON.parse(answer.responseText) : null;
  }

  async list(url, key) {
    const found = [];
    let query = `page[size]=${PAGE}`;
    for (;;) {
      const page = await this.call("GET", `${url}?${query}`);
      found.push(...page[key]);
      if (!page.meta?.has_more || !page.meta.after) return found;
      query = `page[size]=${PAGE}&page[after]=${encodeURIComponent(page.meta.after)}`;
    }
  }

  jobSpecs() {
    return this.list(`${this.registry}/job_specs`, "job_specs");
  }

  connections() {
    return this.list(`${this.ofIntegration}/connections/all`, "connections");
  }

  async uploaded(name) {
    const known = (await this.list(`${this.registry}/bundles`, "bundles")).find((each) => each.name === name);
    return known ? this.call("GET", `${this.registry}/bundles/${known.uuid}`) : null;
  }

  install(method, name, admits) {
    const full = encodeURIComponent(`zis:${this.integration}:job_spec:${name}`);
    return this.call(method, `${ZIS}/registry/job_specs/install?job_spec_name=${full}`, undefined, admits);
  }
}

async function start(client) {
  const { deploy: texts } = await textsFor(client);
  for (const each of document.querySelectorAll("[data-text]")) each.textContent = texts[each.dataset.text];
  const own = await (await fetch("zis.json")).json();
  const zendesk = new Zendesk(client, own.integration);
  const bundle = bundleFor(own);
  const wanted = Object.values(bundle.resources)
    .filter(({ type }) => type === "ZIS::JobSpec")
    .map(({ properties }) => properties.name);
  element("integration").textContent = `${own.integration} → ${own.service}`;
  element("hint").textContent = texts.token_hint.replace("{environment}", () => own.environment);
  document.querySelector("main").hidden = false;

  /** Does something as a line of its own, with the calls that it takes and what came of it. */
  async function step(title, work) {
    const line = document.createElement("li");
    const outcome = Object.assign(document.createElement("span"), { className: "outcome" });
    line.append(`${title}: `, outcome);
    element("steps").append(line);
    zendesk.show = (call) => line.append(Object.assign(document.createElement("code"), { textContent: call }));
    try {
      outcome.textContent = texts[(await work()) ?? "done"];
      line.className = "done";
    } catch (error) {
      line.className = "failed";
      const isRefused = error instanceof Refusal;
      outcome.textContent = isRefused ? texts.refused.replace("{reason}", () => error.message) : error.message;
      throw error;
    } finally {
      zendesk.show = undefined;
    }
  }

  async function register() {
    await zendesk.call("POST", zendesk.registry, { description: texts.what }, [409]);
  }

  async function connect() {
    const token = element("token").value.trim();
    const exists = (await zendesk.connections()).some(({ name }) => name === CONNECTION);
    if (exists && !token) return "exists";
    if (!token) throw new Error(texts.token_missing);
    const path = `${zendesk.ofIntegration}/connections/bearer_token`;
    if (exists) await zendesk.call("DELETE", `${path}/${CONNECTION}`);
    const domain = new URL(own.service).hostname;
    await zendesk.call("POST", path, { name: CONNECTION, token, allowed_domain: domain });
    element("token").value = "";
  }

  async function upload() {
    const known = await zendesk.uploaded(bundle.name);
    if (known && canonical(known) === canonical(bundle)) return "exists";
    await zendesk.call("POST", `${zendesk.registry}/bundles`, bundle);
  }

  /** An upload detaches every job spec, and one that the bundle has no more goes on taking events. */
  async function install() {
    const installed = (await zendesk.jobSpecs()).filter((spec) => spec.installed).map(({ name }) => name);
    for (const name of wanted) if (!installed.includes(name)) await zendesk.install("POST", name);
    for (const name of installed) if (!wanted.includes(name)) await zendesk.install("DELETE", name, [404]);
  }

  async function uninstall() {
    for (const { name, installed } of await zendesk.jobSpecs()) {
      if (installed) await zendesk.install("DELETE", name, [404]);
    }
  }

  const isRunning = async () => {
    const installed = (await zendesk.jobSpecs()).filter((spec) => spec.installed).map(({ name }) => name);
    const connections = (await zendesk.connections()).map(({ name }) => name);
    return wanted.every((name) => installed.includes(name)) && connections.includes(CONNECTION);
  };

  async function look() {
    try {
      element("state").textContent = (await isRunning()) ? texts.running : texts.not_running;
    } catch {
      element("state").textContent = texts.not_running;
    }
  }

  async function run(...steps) {
    const buttons = [...document.querySelectorAll("button")];
    element("steps").replaceChildren();
    element("problem").hidden = true;
    for (const button of buttons) button.disabled = true;
    try {
      for (const [title, work] of steps) await step(texts[title], work);
    } catch {
      element("problem").textContent = texts.stopped;
      element("problem").hidden = false;
    }
    await look();
    for (const button of buttons) button.disabled = false;
  }

  async function readBack() {
    if (!(await isRunning())) throw new Error(texts.not_running);
  }

  element("deploy").addEventListener("submit", (event) => {
    event.preventDefault();
    run(["register", register], ["connect", connect], ["upload", upload], ["install", install], ["read_back", readBack]);
  });
  element("remove").addEventListener("click", () => run(["uninstall", uninstall]));
  await look();
}

const client = globalThis.ZAFClient?.init();
if (client) start(client).catch((error) => document.body.append(error.message));
