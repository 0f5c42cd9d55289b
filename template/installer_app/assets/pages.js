// What every page of this app needs of Zendesk.

/** The texts of translations/ in the agent's language, or the nearest one. */
export async function textsFor(client) {
  const locale = String((await client.get("currentUser.locale"))["currentUser.locale"]).toLowerCase();
  const answer = await fetch("translations.json");
  if (!answer.ok) throw new Error("assets/translations.json is not there. It is made when the app is packed.");
  const known = await answer.json();
  const language = [locale, locale.split("-")[0]].find((name) => name in known) ?? "en";
  document.documentElement.lang = language;
  return known[language];
}

/** Keeps the app's frame as high as its content. */
export function fitFrame(client) {
  const fit = () => client.invoke("resize", { width: "100%", height: `${document.body.offsetHeight}px` });
  new ResizeObserver(fit).observe(document.body);
}
