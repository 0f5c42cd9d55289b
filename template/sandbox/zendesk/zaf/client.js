// Speaks the messages of Zendesk's apps framework, version 2, in place of the client that its public address serves.
// It was written for this sandbox from what is documented; see docs/sandbox.md.
(() => {
  "use strict";

  const LONGEST_WAIT = 5 * 60 * 1000;
  const HOSTS = /^https:\/\/.+\.(zendesk|zendesk-staging|zd-staging|zd-dev|zd-master)\.com$/;
  const LOCAL = /^https?:\/\/(localhost|127\.0\.0\.1)(:\d+)?$/;

  function failure({ name, message, path }) {
    const error = new Error(path ? `"${path}" ${message}` : message);
    error.name = name;
    return error;
  }

  class Client {
    constructor(origin, appGuid, instanceGuid, main) {
      Object.assign(this, { origin, appGuid, instanceGuid, main: main ?? this });
      this.handlers = new Map();
      if (main) return;
      this.instances = new Map([[instanceGuid, this]]);
      this.waiting = new Map();
      this.unsent = [];
      this.count = 0;
      this.registered = new Promise((resolve) => { this.arrived = resolve; });
      addEventListener("message", (event) => {
        if (event.origin !== origin || event.source !== parent) return;
        let message;
        try { message = JSON.parse(event.data); } catch { return; }
        if (message && typeof message === "object") this.receive(message);
      });
      this.post({ key: "iframe.handshake", message: { version: "2.0" } }, true);
    }

    post(message, atOnce = false) {
      const text = JSON.stringify({ ...message, appGuid: this.appGuid, instanceGuid: this.instanceGuid });
      if (atOnce || !this.main.unsent) parent.postMessage(text, this.origin);
      else this.main.unsent.push(text);
    }

    receive({ id, key, result, error, message, needsReply, instanceGuid }) {
      const settle = this.waiting.get(id);
      if (settle) {
        settle(error, result);
      } else if (typeof key === "string" && key.startsWith("zaf.")) {
        const name = key.slice(4);
        const target = this.instances.get(instanceGuid) ?? this;
        if (name === "app.registered") this.register(message);
        if (needsReply) this.reply(target, name, message);
        else target.fire(name, message);
      }
    }

    register(message) {
      this.arrived(message);
      const unsent = this.unsent ?? [];
      this.unsent = null;
      for (const text of unsent) parent.postMessage(text, this.origin);
    }

    async reply(target, name, message) {
      const answer = { key: `iframe.reply:${name}` };
      try {
        const said = (await Promise.all(target.fire(name, message))).find((each) => each === false || typeof each === "string");
        if (said !== undefined) throw said;
      } catch (error) {
        answer.error = { msg: error instanceof Error ? error.message : error };
      }
      target.post(answer);
    }

    fire(name, message) {
      return [...(this.handlers.get(name) ?? [])].map((handler) => handler(message));
    }

    call(request, params) {
      const { main } = this;
      return new Promise((resolve, reject) => {
        const id = ++main.count;
        const end = setTimeout(() => settle({ name: "Error", message: "Invocation request timeout" }), LONGEST_WAIT);
        const settle = (error, result) => {
          clearTimeout(end);
          main.waiting.delete(id);
          if (error) reject(error.name ? failure(error) : error);
          else resolve(result);
        };
        main.waiting.set(id, settle);
        this.post({ id, request, params });
      });
    }

    async one(request, path, params) {
      const result = await this.call(request, params);
      const error = typeof path === "string" && result?.errors?.[path];
      if (error) throw failure(error);
      return result;
    }

    get(path) {
      const paths = Array.isArray(path) ? path : [path];
      if (arguments.length > 1 || paths.some((each) => typeof each !== "string")) {
        throw new Error("The get method accepts a string or array of strings.");
      }
      return this.one("get", path, paths);
    }

    set(path, value) {
      if (typeof path === "string" && arguments.length === 1) throw new Error("The setter requires a value");
      if (typeof path !== "string" && (typeof path !== "object" || path === null || Array.isArray(path))) {
        throw new Error("The set method accepts a key and value pair, or an object of key and value pairs.");
      }
      return this.one("set", path, typeof path === "string" ? { [path]: value } : path);
    }

    invoke(path, ...rest) {
      if (typeof path !== "string") throw new Error("Invoke only supports string arguments.");
      return this.one("invoke", path, { [path]: rest });
    }

    request(options) {
      if (this.main !== this) return this.main.request(options);
      const key = `request:${++this.count}`;
      return new Promise((resolve, reject) => {
        const done = ({ responseArgs }) => { leave(); resolve(responseArgs[0]); };
        const fail = ({ responseArgs }) => { leave(); reject(responseArgs[0]); };
        const leave = () => { this.handlers.delete(`${key}.done`); this.handlers.delete(`${key}.fail`); };
        this.handlers.set(`${key}.done`, [done]).set(`${key}.fail`, [fail]);
        this.post({ key, message: typeof options === "string" ? { url: options } : options });
      });
    }

    on(name, handler, context) {
      if (typeof handler !== "function") return;
      const bound = context ? handler.bind(context) : handler;
      const handlers = [...(this.handlers.get(name) ?? []), bound];
      this.handlers.set(name, handlers);
      if (name !== "app.registered") this.post({ key: `iframe.on:${name}`, message: { subscriberCount: handlers.length } });
    }

    off(name, handler) {
      const handlers = this.handlers.get(name);
      if (!handlers) return false;
      const left = handlers.filter((each) => each !== handler);
      this.handlers.set(name, left);
      this.post({ key: `iframe.off:${name}`, message: { subscriberCount: left.length } });
      return handler;
    }

    has(name, handler) {
      return this.handlers.get(name)?.includes(handler) ?? false;
    }

    trigger(name, message) {
      this.post({ key: `iframe.trigger:${name}`, message });
    }

    postMessage(key, message) {
      this.post({ key, message });
    }

    async metadata() {
      return (await this.main.registered).metadata;
    }

    async context() {
      const { context } = await this.main.registered;
      if (this.instanceGuid === context.instanceGuid) return context;
      const path = `instances.${this.instanceGuid}`;
      return (await this.get(path))[path];
    }

    instance(guid) {
      const { instances } = this.main;
      if (!instances.has(guid)) instances.set(guid, new Client(this.origin, this.appGuid, guid, this.main));
      return instances.get(guid);
    }
  }

  window.ZAFClient = {
    init(callback) {
      const given = new URLSearchParams(location.search);
      for (const [name, value] of new URLSearchParams(location.hash.slice(1))) given.append(name, value);
      const [origin, guid] = [given.get("origin"), given.get("app_guid")];
      if (!origin || !guid) return false;
      if (!LOCAL.test(origin) && !HOSTS.test(origin)) {
        document.body.textContent = `Invalid domain ${origin}`;
        return false;
      }
      const client = new Client(origin, guid, guid);
      if (typeof callback === "function") client.on("app.registered", callback.bind(client));
      return client;
    },
  };
})();
