// What a page beside a ticket needs of Zendesk and of the service, whatever it shows.

const VIA = "ticket.via.source.from.service_info.registered_integration_service_external_id";
const FIRST = "ticket.comments.0.channelDisplayInfo";

/** The service, or Zendesk on the way to it, did not do what was asked; `name` says why, in one word. */
export class Refusal extends Error {
  constructor(answer) {
    const { error, description } = answer?.responseJSON ?? {};
    super(typeof description === "string" ? description : "");
    this.name = typeof error === "string" ? error : "unreachable";
  }
}

/** The integration that this app belongs to, as its manifest names it. */
export const integrationId = document.querySelector("meta[name=integration-id]").content;

/** The ticket beside which the app stands; `post` is what the service told apps of its posts, null if nothing. */
export async function openTicket(client) {
  const found = await client.get(["ticket.id", VIA, FIRST, "ticket.comments"]);
  const told = [found[FIRST], ...(found["ticket.comments"] ?? []).map((comment) => comment.channelDisplayInfo)];
  const post = told.map((info) => info?.[integrationId]).find(Boolean) ?? null;
  return {
    id: found["ticket.id"],
    isOurs: found[VIA] === integrationId,
    post: typeof post === "string" ? JSON.parse(post) : post,
  };
}

/** Has the service perform one of the actions of origin.py, and gives its answer. Throws a Refusal. */
export async function act(client, ticket, action, input) {
  const query = new URLSearchParams({ ticket_id: ticket.id, post_to_path: `/channel/proxy/${action}` });
  try {
    return await client.request({
      url: `/api/v2/any_channel/proxy.json?${query}`,
      type: "POST",
      contentType: "application/json",
      data: JSON.stringify(input),
    });
  } catch (answer) {
    throw new Refusal(answer);
  }
}
