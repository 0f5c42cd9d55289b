// An integration service for Zendesk's Channel framework, made from the documented protocol alone.
//
//   PORT=8300 node service.mjs
//
// WRONG=created_at or WRONG=file makes one mistake.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

const wrong = process.env.WRONG;
const accounts = new Map(); // by metadata
const replies = new Map(); // by request_unique_identifier
const seen = { locales: [], events: [], clicks: [], files: [], pushed: [] };

const posts = [
  { external_id: "post-1", message: "Is the shop open?", file_urls: ["files/shop.txt"], author: "ada" },
  { external_id: "post-2", parent_id: "post-1", message: "I wonder, too.", author: "bob" },
  { external_id: "chat-7-1", thread_id: "chat-7", message: "Hello?", author: "ada" },
  { external_id: "chat-7-2", thread_id: "chat-7", message: "Anybody there?", author: "ada" },
].map((post, number) => ({
  ...post,
  created_at: wrong === "created_at" ? `${number + 1} May 2026` : `2026-05-0${number + 1}T09:00:00Z`,
  author: { external_id: post.author, name: post.author.toUpperCase() },
}));

const json = (value, status = 200) => ({ status, type: "application/json", body: JSON.stringify(value) });
const page = (body, status = 200) => ({
  status,
  type: "text/html; charset=utf-8",
  body: `<!doctype html><title>Town square</title>${body}`,
});
const escaped = (text) =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const hidden = (name, value) => `<input type="hidden" name="${name}" value="${escaped(value)}">`;

// Zendesk's addresses, and this machine's while the service is being developed.
const isZendesk = (url, subdomain) => {
  const { protocol, hostname } = new URL(url);
  const local = ["127.0.0.1", "localhost"].includes(hostname);
  return local || (protocol === "https:" && hostname === `${subdomain}.zendesk.com`);
};

const handshakes = new Map();

const routes = {
  "GET /manifest": () => ({ status: 301, location: "/square/manifest.json", body: "" }),

  "GET /square/manifest.json": () =>
    json({
      name: "Town square",
      id: "com.example.town-square",
      version: "3",
      push_client_id: "zdg-town-square",
      channelback_files: true,
      urls: {
        admin_ui: "./admin",
        pull_url: "pull",
        channelback_url: "/square/channelback",
        clickthrough_url: "click",
        event_callback_url: "events",
      },
    }),

  "POST /square/admin": ({ form }) => {
    if (!isZendesk(form.get("return_url"), form.get("subdomain"))) return page("Open this page from Zendesk.", 400);
    const ticket = randomUUID();
    handshakes.set(ticket, Object.fromEntries(form));
    seen.locales.push(form.get("locale"));
    const name = escaped(form.get("name") ?? "");
    return page(`<form method="post" action="admin/check">${hidden("handshake", ticket)}
      <label>Name <input name="name" value="${name}"></label>
      <label>Key <input name="key" type="password"></label><button>Connect</button></form>`);
  },

  "POST /square/admin/check": ({ form }) => {
    const opened = handshakes.get(form.get("handshake"));
    if (!opened) return page("This page was open for too long.", 400);
    if (form.get("key") !== "town-key") return page("This key is not known.", 422);
    const metadata = opened.metadata || randomUUID();
    accounts.set(metadata, {
      zendesk: new URL(opened.return_url).origin,
      push: opened.instance_push_id,
      token: opened.zendesk_access_token,
    });
    return page(`<form method="post" action="${escaped(opened.return_url)}">
      ${hidden("name", form.get("name"))}${hidden("metadata", metadata)}<button>Done</button></form>
      <script>document.forms[0].submit()</script>`);
  },

  "POST /square/pull": ({ form }) => {
    if (!accounts.has(form.get("metadata"))) return json({ error: "unknown account" }, 401);
    const done = Number(form.get("state") || 0);
    return json({ external_resources: posts.slice(done, done + 200), state: String(posts.length) });
  },

  "POST /square/files/shop.txt": () => ({ status: 200, type: "text/plain", body: "Open from nine to five." }),
  "GET /square/files/shop.txt": () => ({ status: 200, type: "text/plain", body: "Open from nine to five." }),

  "POST /square/channelback": async ({ form }) => {
    const account = accounts.get(form.get("metadata"));
    if (!account) return json({ error: "unknown account" }, 401);
    const key = form.get("request_unique_identifier") ?? randomUUID();
    if (!replies.has(key)) {
      const id = `answer-${replies.size + 1}`;
      replies.set(key, { id, message: form.get("message"), parent: form.get("parent_id"), thread: form.get("thread_id") });
      for (const url of form.getAll("file_urls[]")) {
        const own = new URL(url).origin === account.zendesk;
        const answer = await fetch(url, { headers: own ? { authorization: `Bearer ${account.token}` } : {} });
        seen.files.push(answer.ok ? await answer.text() : answer.status);
      }
    }
    return json({ external_id: replies.get(key).id, allow_channelback: true });
  },

  "GET /square/click": ({ query }) => {
    seen.clicks.push(query.get("external_id"));
    return page(`<h1>${escaped(query.get("external_id"))}</h1>`);
  },

  "POST /square/events": ({ text }) => {
    for (const event of JSON.parse(text).events) {
      seen.events.push(event.type_id);
      if (event.type_id === "destroy_integration_instance") accounts.delete(event.data.metadata);
    }
    return json({});
  },

  // Somebody writes on the square: every account hears of it at once.
  "POST /write": async ({ text }) => {
    const number = seen.pushed.length + 1;
    for (const account of accounts.values()) {
      const answer = await fetch(`${account.zendesk}/api/v2/any_channel/push`, {
        method: "POST",
        headers: { authorization: `Bearer ${account.token}`, "content-type": "application/json" },
        body: JSON.stringify({
          instance_push_id: account.push,
          request_id: `write-${number}`,
          external_resources: [
            {
              external_id: `chat-7-live-${number}`,
              thread_id: "chat-7",
              message: text,
              created_at: new Date().toISOString(),
              author: { external_id: "ada" },
            },
          ],
        }),
      });
      seen.pushed.push({ status: answer.status, ...(await answer.json()) });
    }
    return json(seen.pushed.at(-1));
  },

  "GET /seen": () => json({ ...seen, replies: [...replies.values()], accounts: accounts.size }),
};

if (wrong === "file") delete routes["POST /square/files/shop.txt"];

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const url = new URL(request.url, "http://square.example");
  const route = routes[`${request.method} ${url.pathname}`];
  const answer = route
    ? await route({ text, form: new URLSearchParams(text), query: url.searchParams })
    : json({ error: "no such page" }, 404);
  const headers = { "content-type": answer.type ?? "text/plain" };
  if (answer.location) headers.location = answer.location;
  response.writeHead(answer.status, headers).end(answer.body);
});

server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => console.log(server.address().port));
