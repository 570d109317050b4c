// Prints each event once, whatever connection breaks: node follow.mjs http://127.0.0.1:8000 token.txt [--once]
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Tracker } from "critical-minerals-policy-tracker-client";

const [url, store, once] = process.argv.slice(2);
const after = existsSync(store) ? readFileSync(store, "utf-8") : "0";
for await (const event of new Tracker(url).events({ after, follow: once !== "--once" })) {
  console.log(event.position, event.type, event.entity);
  writeFileSync(store, event.token);
}
