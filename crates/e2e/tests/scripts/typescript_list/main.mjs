// Makes a list of calls with the official TypeScript SDK and reports in JSON.
// Arguments: the folder of modules and, in JSON, where the server is, what it accepts, and a folder with a session of it.
// The report counts the calls by what they are about, and says nothing of those that gave what they should; and it has what the
// compiler says of the replies, in a folder for that.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

import { Calls } from "./calls.mjs";
import { credentials } from "./credentials.mjs";
import { errorClasses, errorCodes, retries } from "./failures.mjs";
import { messages } from "./messages.mjs";
import { Replies } from "./replies.mjs";
import { batches, files, models, profiles, skills } from "./resources.mjs";
import { blocks, structuredOutput, toolRunner } from "./scripted.mjs";

const [modules, argument] = process.argv.slice(2);
const { resolve } = createRequire(`${modules}/`);
const load = (name) => import(pathToFileURL(resolve(`@anthropic-ai/sdk${name}`)));
const sdk = await load("");
const helpers = { ...(await load("/helpers/json-schema")), ...(await load("/helpers/beta/json-schema")) };

const given = JSON.parse(argument);
const Anthropic = sdk.default;
const replies = new Replies();
const client = new Anthropic({ baseURL: given.base_url, apiKey: given.key, maxRetries: 0, fetch: replies.fetch });
const calls = new Calls();
await toolRunner(calls, client, helpers);
await structuredOutput(calls, client, helpers);
await blocks(calls, client);
await messages(calls, client);
await models(calls, client);
await batches(calls, client);
await files(calls, client, sdk, given.file);
await skills(calls, client, sdk);
await profiles(calls, client);
await errorClasses(calls, client, sdk);
await errorCodes(calls, client, (await load("/core/error-classes")).ERROR_CODE_CLASSES);
await retries(calls, client);
await credentials(calls, Anthropic, given);
const types = await replies.check(modules, given.types);
console.log(JSON.stringify({ calls: calls.count, wrong: calls.wrong, types }));
