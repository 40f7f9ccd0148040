// Sites of the bench's own, made by the API: what is measured does not change when the demo does.

export const BENCH = "bench";

/** Makes a site with these conversations, and publishes them. */
export async function makeSite({ address, key }, site, conversations) {
  const call = async (method, path, body) => {
    const response = await fetch(`${address}/api/v1/sites/${site}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}` },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${(await response.text()).slice(0, 500)}`);
  };
  await call("PUT", "", { key: site, title: "Shop", origins: ["loopback"], country: "GB" });
  for (const conversation of conversations) {
    await call("PUT", `/conversations/${conversation.id}`, { name: conversation.id, ...conversation });
    await call("POST", `/conversations/${conversation.id}/publish`);
  }
}

/** A conversation as a shop has it: a greeting, and a field. */
export const WELCOME = {
  id: "welcome",
  cards: [
    { id: "hello", card: "message", text: "Hello! We lend you a bicycle for as long as you want it, and service it at your door." },
    { id: "email", card: "capture", field: "email", text: "Where may we write to you? We use the address to answer, and for nothing else." },
    { id: "bye", card: "end", text: "Thank you! You’ll hear from us within one working day." },
  ],
};
