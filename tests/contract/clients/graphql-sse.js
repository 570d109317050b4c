// graphql-sse in distinct connections mode: a query and subscriptions over server-sent events.
import { createClient } from "graphql-sse";
import { CONTROLS, data, follow, print, watched } from "./tracker.js";

const url = process.argv[2];
const [requests, fetchFn] = watched();
const client = createClient({ url, fetchFn, retryAttempts: 0 });

async function* subscribe(query, variables) {
  for await (const result of client.iterate({ query, variables })) yield data(result);
}

const { value } = await subscribe(CONTROLS, { first: 2 }).next();
const found = await follow(url, "graphql-sse", subscribe);
print({ controls: value.asOf.exportControls, requests, ...found });
client.dispose();
