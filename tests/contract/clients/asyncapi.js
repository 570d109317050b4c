// Reads a description as AsyncAPI's own parser does, and prints what it complains of, its channels
// with the numbers of their messages, and its operations.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const text = readFileSync(process.argv[2], "utf8");
const { document, diagnostics } = await new Parser().parse(text);
const complaints = diagnostics
  .filter(({ code }) => code !== "asyncapi-latest-version") // 3.0 is what tools read
  .map(({ code, path, message }) => `${code} ${path.join("/")}: ${message}`);
const channels = document?.channels().all() ?? [];
console.log(
  JSON.stringify({
    complaints,
    channels: Object.fromEntries(
      channels.map((each) => [each.id(), [each.address() ?? null, each.messages().all().length]]),
    ),
    operations: (document?.operations().all() ?? []).map((each) => each.id()),
  }),
);
