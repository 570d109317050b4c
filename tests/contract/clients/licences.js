// Prints what the script of GraphiQL is made of, by its source map: the licence of each package in it, as
// JSON. With a directory of files: also whether npm has the same, but for a line break at the end. With
// `texts`: instead the notices that whoever passes the files on has to pass on with them.
import { existsSync, readdirSync, readFileSync } from "node:fs";

const ASSETS = {
  "graphiql.min.css": "graphiql", "graphiql.min.js": "graphiql", "graphql-ws.min.js": "graphql-ws-5/umd",
  "react-dom.production.min.js": "react-dom/umd", "react.production.min.js": "react/umd",
};
const OWN = ["graphiql", "@graphiql/react", "@graphiql/toolkit", "codemirror-graphql", "graphql-language-service"];
const OTHERS = ["react-dom"]; // served beside the script, as graphql-ws and react are, which it has a part of
const above = ["./", "../"].map((up) => new URL(`${up}node_modules/`, import.meta.url));
const packages = above.find((directory) => existsSync(new URL("graphiql/", directory)));
const place = (name) => new URL(`${name}/`, packages);
const read = (name, file) => readFileSync(new URL(file, place(name)), "utf8");

function bundled() {
  const { sources } = JSON.parse(read("graphiql", "graphiql.min.js.map"));
  const found = sources.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return [...new Set([...OWN, ...OTHERS, ...found.filter(Boolean)])].sort();
}

function licences(names) {
  const by = {};
  for (const name of names) (by[JSON.parse(read(name, "package.json")).license] ??= []).push(name);
  return by;
}

function text(name) {
  const file = readdirSync(place(name)).find((each) => /^licen[sc]e/i.test(each));
  const { license, author } = JSON.parse(read(name, "package.json"));
  return file ? read(name, file) : `${license}, ${author?.name ?? author ?? "by its contributors"}\n`;
}

function compared(directory) {
  const same = ([name, from]) => {
    const served = readFileSync(`${directory}/${name}`, "utf8");
    return [name, served.trimEnd() === read(from, name).trimEnd()];
  };
  return Object.fromEntries(Object.entries(ASSETS).map(same));
}

const [asked] = process.argv.slice(2);
if (asked === "texts") {
  for (const name of bundled()) console.log(`${name}\n\n${text(name)}\n${"-".repeat(72)}\n`);
} else {
  const files = asked && existsSync(asked) ? compared(asked) : {};
  console.log(JSON.stringify({ files, licences: licences(bundled()) }, null, 1));
}
