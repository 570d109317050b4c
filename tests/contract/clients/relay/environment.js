// Relay's runtime with a network and a store as they come, and what its compiler made of a document. Where it
// persisted the documents, they are asked by their ids.
import relay from "relay-runtime";

const { Environment, Network, RecordSource, Store } = relay;

export const compiled = async (name) => (await import(`./artifacts/${name}.graphql.js`)).default;

export const environmentFor = (url) => new Environment({
  network: Network.create(async ({ text, id }, variables) => (await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...(text ? { query: text } : { documentId: id }), variables }),
  })).json()),
  store: new Store(new RecordSource()),
});
