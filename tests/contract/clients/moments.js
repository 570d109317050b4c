// The caches of Apollo Client, of urql's Graphcache and of Relay as they come, which keep objects by their ids:
// everything is asked of the server, and then once more of the cache alone.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Client, fetchExchange } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import relay from "relay-runtime";
import { compiled, environmentFor } from "./relay/environment.js";
import { QUESTIONS } from "./relay/moments.js";
import { data, print } from "./tracker.js";

const [name, url] = process.argv.slice(2);

// Of each client: what a question is answered by the server, and by the cache.
const CLIENTS = {
  apollo() {
    const client = new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache() });
    const ask = async (query, variables, fetchPolicy) =>
      data(await client.query({ query: gql(query), variables, fetchPolicy }));
    return {
      server: (query, variables) => ask(query, variables, "network-only"),
      cache: (query, variables) => ask(query, variables, "cache-only"),
    };
  },
  urql() {
    const client = new Client({
      url, preferGetMethod: false, exchanges: [cacheExchange({}), fetchExchange] });
    const ask = async (query, variables, requestPolicy) =>
      data(await client.query(query, variables, { requestPolicy }).toPromise());
    return {
      server: (query, variables) => ask(query, variables, "network-only"),
      cache: (query, variables) => ask(query, variables, "cache-only"),
    };
  },
  relay() {
    const environment = environmentFor(url);
    const artifact = (query) => compiled(query.match(/query (\w+)/)[1]);
    return {
      async server(query, variables) {
        const request = await artifact(query);
        environment.retain(relay.createOperationDescriptor(relay.getRequest(request), variables));
        return relay.fetchQuery(environment, request, variables).toPromise();
      },
      async cache(query, variables) {
        const request = relay.getRequest(await artifact(query));
        return environment.lookup(relay.createOperationDescriptor(request, variables).fragment).data;
      },
    };
  },
};
const plain = (value) => JSON.parse(JSON.stringify(value, (key, of) => key === "__typename" ? undefined : of));

async function answers(ask) {
  const found = [];
  for (const [query, variables] of QUESTIONS) found.push(plain(await ask(query, variables)));
  return found;
}

const { server, cache } = CLIENTS[name]();
const fresh = await answers(server);
print({ fresh, again: await answers(cache) });
