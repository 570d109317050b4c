// Apollo Client: queries by POST, by GET and by their hash; subscriptions by multipart HTTP.
import { createHash } from "node:crypto";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { createPersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { CONTROLS, data, follow, iterate, print, watched } from "./tracker.js";

const uri = process.argv[2];
const [requests, fetch] = watched();
const cache = () => new InMemoryCache();
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const hashed = createPersistedQueryLink({ sha256, useGETForHashedQueries: true });

async function controls(link, first) {
  const query = { query: gql(CONTROLS), variables: { first } };
  return data(await new ApolloClient({ link, cache: cache() }).query(query)).asOf.exportControls;
}

const answers = [
  await controls(new HttpLink({ uri, fetch }), 2),
  await controls(new HttpLink({ uri, fetch, useGETForQueries: true }), 2),
  await controls(hashed.concat(new HttpLink({ uri, fetch })), 2),  // not known: sent with the hash
  await controls(hashed.concat(new HttpLink({ uri, fetch })), 2),  // known by now
];
const client = new ApolloClient({ link: new HttpLink({ uri, fetch }), cache: cache() });
const subscribe = (query, variables) => iterate((observer) => {
  const subscription = client.subscribe({ query: gql(query), variables, fetchPolicy: "no-cache" })
    .subscribe({ ...observer, next: (result) => observer.next(data(result)) });
  return () => subscription.unsubscribe();
});
print({ controls: answers, requests, ...await follow(uri, "apollo", subscribe) });
client.stop();
