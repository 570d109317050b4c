// urql: a query, and subscriptions through its own fetch exchange.
import { Client, cacheExchange, fetchExchange } from "@urql/core";
import { CONTROLS, data, follow, iterate, print, watched } from "./tracker.js";

const url = process.argv[2];
const [requests, fetch] = watched();
const client = new Client({
  url, fetch, preferGetMethod: false, fetchSubscriptions: true,
  exchanges: [cacheExchange, fetchExchange],
});
const subscribe = (query, variables) => iterate((observer) => client
  .subscription(query, variables)
  .subscribe((result) => observer.next(data(result))).unsubscribe);

const answer = data(await client.query(CONTROLS, { first: 2 }).toPromise());
const found = await follow(url, "urql", subscribe);
print({ controls: answer.asOf.exportControls, requests, ...found });
