// What the server replied, and whether it has the types that the SDK declares: each different reply is written down as a
// literal that has to satisfy its type, and the compiler looks at that. It takes no member that the type has not, and misses
// none that the type has.

import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The types, by method and path; an id is a star. */
const TYPES = {
  "POST /v1/messages": "Message",
  "POST /v1/messages/count_tokens": "MessageTokensCount",
  "POST /v1/messages/batches": "MessageBatch",
  "GET /v1/messages/batches": "PageResponse<MessageBatch>",
  "GET /v1/messages/batches/*": "MessageBatch",
  "DELETE /v1/messages/batches/*": "DeletedMessageBatch",
  "POST /v1/messages/batches/*/cancel": "MessageBatch",
  "GET /v1/messages/batches/*/results": "MessageBatchIndividualResponse",
  "GET /v1/models": "PageResponse<ModelInfo>",
  "GET /v1/models/*": "ModelInfo",
  "POST /v1/files": "FileMetadata",
  "GET /v1/files": "PageCursorResponse<FileMetadata>",
  "GET /v1/files/*": "FileMetadata",
  "DELETE /v1/files/*": "DeletedFile",
  "POST /v1/skills": "Skill",
  "GET /v1/skills": "PageCursorResponse<Skill>",
  "GET /v1/skills/*": "Skill",
  "DELETE /v1/skills/*": "DeletedSkill",
  "POST /v1/skills/*/versions": "SkillVersion",
  "GET /v1/skills/*/versions": "PageCursorResponse<SkillVersion>",
  "GET /v1/skills/*/versions/*": "SkillVersion",
  "DELETE /v1/skills/*/versions/*": "DeletedSkillVersion",
  "POST /v1/user_profiles": "UserProfile",
  "GET /v1/user_profiles": "PageCursorResponse<UserProfile>",
  "GET /v1/user_profiles/*": "UserProfile",
  "POST /v1/user_profiles/*": "UserProfile",
  "DELETE /v1/user_profiles/*": "DeletedUserProfile",
  "POST /v1/user_profiles/*/action_urls": "UserProfileActionURL",
  "POST /v1/user_profiles/*/enrollment_url": "BetaUserProfileEnrollmentURL",
};

const HEAD = `
import type * as api from "@anthropic-ai/sdk/resources";
import type { BetaUserProfileEnrollmentURL } from "@anthropic-ai/sdk/resources/beta";
import type * as messages from "@anthropic-ai/sdk/resources/messages";
import type { ErrorDetails, ErrorType } from "@anthropic-ai/sdk/resources/shared";
import type { DeletedSkillVersion, SkillVersion } from "@anthropic-ai/sdk/resources/skills";
import type { UserProfileActionURL } from "@anthropic-ai/sdk/resources/user-profiles";
import type { PageCursorResponse, PageResponse } from "@anthropic-ai/sdk/core/pagination";

type Message = messages.Message;
type MessageTokensCount = messages.MessageTokensCount;
type MessageBatch = messages.MessageBatch;
type DeletedMessageBatch = messages.DeletedMessageBatch;
type MessageBatchIndividualResponse = messages.MessageBatchIndividualResponse;
type RawMessageStreamEvent = messages.RawMessageStreamEvent;
type ModelInfo = api.ModelInfo;
type FileMetadata = api.FileMetadata;
type DeletedFile = api.DeletedFile;
type Skill = api.Skill;
type DeletedSkill = api.DeletedSkill;
type UserProfile = api.UserProfile;
type DeletedUserProfile = api.DeletedUserProfile;
// The SDK declares no type of an error with its details; the largest request has a type of error that only the documentation names.
type Refusal = {
  type: "error";
  error: { type: ErrorType | "request_too_large"; message: string; details?: { error_code: ErrorDetails["error_code"] } };
  request_id: string | null;
};
`;

export class Replies {
  /** What is said of each reply, by its text: the same one twice says nothing new. */
  #literals = new Map();
  #reading = [];
  #untyped = [];

  /** Fetches, and reads along. */
  fetch = async (url, init) => {
    const response = await fetch(url, init);
    const faulty = new Headers(init?.headers).get("x-mock-fault");
    // What a fault says is no reply of the API, unless it is an error of it.
    if (!faulty || /^(status|error) /.test(faulty)) {
      // A stream that is broken off or left says no more.
      this.#reading.push(this.#read(init?.method ?? "GET", url, response.clone()).catch(() => {}));
    }
    return response;
  };

  async #read(method, url, response) {
    const path = new URL(url).pathname;
    const kind = response.headers.get("content-type")?.split(";")[0];
    const route = Object.keys(TYPES).find((route) => matches(route, method, path));
    if (kind === "text/event-stream") {
      for (const [, data] of (await response.text()).matchAll(/^data: (.*)$/gm)) {
        // The service sends pings, and the SDK keeps them to itself.
        if (!data.includes('"type":"ping"')) this.#note("RawMessageStreamEvent", data);
      }
    } else if (kind === "application/x-jsonl") {
      for (const line of (await response.text()).trim().split("\n")) this.#note(TYPES[route], line);
    } else if (kind === "application/json" && response.status >= 400) {
      this.#note("Refusal", await response.text());
    } else if (kind === "application/json" && route) {
      this.#note(TYPES[route], await response.text());
    } else if (kind === "application/json") {
      this.#untyped.push(`${method} ${path}`);
    }
  }

  #note(type, text) {
    this.#literals.set(shape(JSON.parse(text)) + type, `(${text}) satisfies ${type};`);
  }

  /** Has the compiler look; gives how many replies it saw, by their types, and what it says. */
  async check(modules, folder) {
    await Promise.all(this.#reading);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    symlinkSync(modules, join(folder, "node_modules"));
    writeFileSync(join(folder, "package.json"), '{"type": "module"}');
    const wrong = ["({ input_tokens: 1, more: 1 })", "({})", '({ input_tokens: "1" })'];
    const planted = wrong.map((value) => `// @ts-expect-error\n${value} satisfies MessageTokensCount;`);
    const lines = [HEAD, ...planted, ...this.#literals.values()];
    writeFileSync(join(folder, "replies.ts"), lines.join("\n"));
    const settings = "--noEmit --strict --skipLibCheck --target es2022 --module nodenext --pretty false".split(" ");
    const compiler = join(modules, "typescript/bin/tsc");
    const ran = spawnSync(process.execPath, [compiler, ...settings, join(folder, "replies.ts")], { encoding: "utf8" });
    const count = {};
    for (const line of this.#literals.values()) {
      const type = line.slice(line.lastIndexOf(" satisfies ") + 11, -1);
      count[type] = (count[type] ?? 0) + 1;
    }
    const said = (ran.stdout + ran.stderr).trim();
    return { count, untyped: this.#untyped, said: ran.status === 0 ? "" : said.slice(0, 5000) || `status ${ran.status}` };
  }
}

function matches(route, method, path) {
  const [wanted, pattern] = route.split(" ");
  const [pieces, found] = [pattern.split("/"), path.split("/")];
  const same = (piece, index) => piece === "*" || piece === found[index];
  return wanted === method && pieces.length === found.length && pieces.every(same);
}

/** A value without what differs from one reply to the next. */
function shape(value) {
  return JSON.stringify(value, (name, inner) => {
    if (typeof inner === "number") return 0;
    const free = ["id", "text", "message", "partial_json", "request_id", "created_at", "updated_at", "expires_at", "ended_at"];
    return free.includes(name) && typeof inner === "string" ? "" : inner;
  });
}
