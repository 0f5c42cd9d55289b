// What an agent sees beside a ticket. This file is yours: it shows whether a review is called helpful, and changes that.

import { act, openTicket } from "./channel.js";
import { fitFrame, textsFor } from "./pages.js";

const state = document.querySelector("#state");
const problem = document.querySelector("#problem");
const button = document.querySelector("#act");

function explain(what) {
  problem.textContent = String(what);
  problem.hidden = false;
}

async function start(client) {
  fitFrame(client);
  const { sidebar: texts } = await textsFor(client);
  const ticket = await openTicket(client);
  if (!ticket.isOurs || !ticket.post) {
    state.textContent = ticket.isOurs ? texts.no_post : texts.not_ours;
    return;
  }
  const review = { review_id: ticket.post.review_id };
  let helpful;

  function show() {
    const isKnown = helpful !== undefined;
    state.textContent = isKnown ? (helpful ? texts.helpful : texts.not_helpful) : "";
    button.textContent = isKnown ? (helpful ? texts.unmark : texts.mark) : texts.try_again;
    button.hidden = false;
  }

  async function run(action, input) {
    const hadFocus = document.activeElement === button;
    button.disabled = true;
    problem.hidden = true;
    state.setAttribute("aria-busy", "true");
    state.textContent = texts.working;
    try {
      ({ helpful } = await act(client, ticket, action, input));
    } catch (refusal) {
      const text = texts.problems[refusal.name] ?? texts.problems.unreachable;
      explain(text.replace("{reason}", () => refusal.message));
    }
    state.removeAttribute("aria-busy");
    show();
    button.disabled = false;
    if (hadFocus) button.focus();
  }

  const read = () => run("read_helpful", review);
  const change = () => run("set_helpful", { ...review, helpful: !helpful });
  button.addEventListener("click", () => (helpful === undefined ? read() : change()));
  client.on("app.activated", ({ firstLoad }) => firstLoad || button.disabled || read());
  await read();
}

const client = globalThis.ZAFClient?.init();
if (client) start(client).catch(explain);
else explain("This page belongs into Zendesk, beside a ticket.");
