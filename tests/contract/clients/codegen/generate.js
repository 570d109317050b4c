// graphql-codegen: types of the whole schema and of the operations beside this file.
import { readFileSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as documents from "@graphql-codegen/typed-document-node";
import * as types from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import { parse } from "graphql";

const options = {
  schema: parse(readFileSync("../schema.graphql", "utf8")),
  config: { strictScalars: true, useTypeImports: true,
            scalars: JSON.parse(readFileSync("scalars.json", "utf8")) },
};

async function generate(filename, pluginMap, documents) {
  const plugins = Object.keys(pluginMap).map((name) => ({ [name]: {} }));
  writeFileSync(filename, await codegen({ ...options, filename, documents, plugins, pluginMap }));
}

const document = parse(readFileSync("operations.graphql", "utf8"));
await generate("schema.ts", { types }, []);
await generate("client.ts", { operations, documents }, [{ document }]);
