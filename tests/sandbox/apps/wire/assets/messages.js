const given = new URLSearchParams(location.search);
const guid = given.get("app_guid");
const heard = [];

addEventListener("message", ({ data, origin }) => {
  const isText = typeof data === "string";
  heard.push({ ...(isText ? JSON.parse(data) : data), origin, isText });
});

function say(message) {
  parent.postMessage(JSON.stringify({ ...message, appGuid: guid, instanceGuid: guid }), given.get("origin"));
}

// The first message with these properties, which may have come already, or comes within two seconds.
async function hear(wanted) {
  const begin = Date.now();
  while (Date.now() - begin < 2000) {
    const found = heard.find((each) => Object.entries(wanted).every(([name, value]) => each[name] === value));
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return null;
}

async function ask(message, wanted) {
  say(message);
  return hear(wanted ?? { id: message.id });
}
