// graphql-ws: a query and subscriptions over a WebSocket.
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { CONTROLS, data, follow, print } from "./tracker.js";

const url = process.argv[2];
const client = createClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket });

async function* subscribe(query, variables) {
  for await (const result of client.iterate({ query, variables })) yield data(result);
}

const { value } = await subscribe(CONTROLS, { first: 2 }).next();
print({ controls: value.asOf.exportControls, ...await follow(url, "graphql-ws", subscribe) });
await client.dispose();
