// Models, batches, files, skills and user profiles.

import { MODEL, all, same, say } from "./calls.mjs";

const MANIFEST = "---\nname: haiku\ndescription: Writes haiku.\n---\nFive, seven, five.";

const request = (name, more) => ({ custom_id: name, params: say(`request ${name}`, more) });
const ids = (items) => items.map((item) => item.id);

export async function models(calls, client) {
  calls.about("models");
  const list = (query) => client.models.list(query);
  const every = await calls.expect("models.list", () => all(list()), (models) => models.length > 5);
  await calls.expect("models.list by three", () => all(list({ limit: 3 })), (models) => same(models, every));
  const first = await calls.expect("models.list page", () => list({ limit: 2 }), (page) => page.hasNextPage());
  await calls.expect("page.getNextPage", () => first.getNextPage(), (page) => same(page.data[0], every[2]));
  const after = () => list({ after_id: every[0].id });
  await calls.expect("models.list after", after, (page) => same(page.data[0], every[1]));
  const before = () => all(list({ before_id: every.at(-1).id, limit: 4 }));
  await calls.expect("models.list before", before, (models) => models.length === every.length - 1);
  for (const model of every.slice(0, 10)) {
    await calls.expect(`models.retrieve ${model.id}`, () => client.models.retrieve(model.id), (found) => same(found, model));
  }
  await calls.refused("models.retrieve nobody", () => client.models.retrieve("nobody"), 404);
  await calls.refused("models.list too many", () => list({ limit: 5000 }), 400);
}

export async function batches(calls, client) {
  calls.about("batches");
  const batch = client.messages.batches;
  const requests = [request("a"), request("b", { system: "be brief" }), request("c", { model: "claude-nobody" })];
  const made = await calls.expect("batches.create", () => batch.create({ requests }), (b) => b.type === "message_batch");
  const ended = (found) =>
    found.processing_status === "ended" && found.request_counts.succeeded === 2 && found.request_counts.errored === 1;
  await calls.expect("batches.retrieve", () => batch.retrieve(made.id), ended);
  const results = await calls.expect("batches.results", async () => all(await batch.results(made.id)), (r) => r.length === 3);
  const result = (name) => results.find((row) => row.custom_id === name).result;
  calls.check("succeeded", result("a").message.content[0].text === "You said: request a");
  calls.check("errored", result("c").error.error.type === "not_found_error");
  const more = [];
  for (let number = 0; number < 4; number += 1) {
    more.push(await calls.expect("batches.create", () => batch.create({ requests: [request("x")] })));
  }
  const newest = [made, ...more].map((one) => one.id).reverse();
  await calls.expect("batches.list", async () => ids(await all(batch.list({ limit: 2 }))), (found) => same(found, newest));
  const after = async () => ids((await batch.list({ after_id: more[0].id })).data);
  await calls.expect("batches.list after", after, (found) => same(found, [made.id]));
  await calls.expect("batches.cancel", () => batch.cancel(more[0].id), (found) => found.id === more[0].id);
  for (const one of more) {
    const deleted = (gone) => gone.id === one.id && gone.type === "message_batch_deleted";
    await calls.expect("batches.delete", () => batch.delete(one.id), deleted);
  }
  await calls.refused("batches.retrieve deleted", () => batch.retrieve(more[0].id), 404);
  await calls.refused("batches.create empty", () => batch.create({ requests: [] }), 400);
  await calls.refused("batches.create twice", () => batch.create({ requests: [request("a"), request("a")] }), 400);
  await calls.refused("batches.create badly named", () => batch.create({ requests: [request("a b")] }), 400);
}

export async function files(calls, client, { toFile }, made) {
  calls.about("files");
  const upload = (file, more) => client.files.upload({ file, ...more });
  const sources = {
    "toFile of bytes": await toFile(new TextEncoder().encode("hello"), "notes.txt", { type: "text/plain" }),
    "toFile of many": await toFile(new Uint8Array(100_000), "zeros.bin"),
    File: new File(["hello"], "hello.txt"),
    Response: new Response("hello"),
  };
  const sent = [];
  for (const [name, file] of Object.entries(sources)) {
    sent.push(await calls.expect(`files.upload ${name}`, () => upload(file), (found) => found.size_bytes > 0));
  }
  const pdf = await toFile(Buffer.from("%PDF-"), "c.pdf");
  const named = await calls.expect("files.upload named", () => upload(pdf), (found) => found.filename === "c.pdf");
  const small = () => new File(["x"], "x");
  const short = await calls.expect("files.upload short", () => upload(small(), { expires_in_seconds: 3600 }), (f) => f.expires_at);
  await calls.refused("files.upload too short", () => upload(small(), { expires_in_seconds: 5 }), 400);
  const newest = [...ids([...sent, named, short]).reverse(), made];
  await calls.expect("files.list", async () => ids(await all(client.files.list({ limit: 2 }))), (found) => same(found, newest));
  const some = async () => (await client.files.list({ ids: [named.id, short.id] })).data;
  await calls.expect("files.list of ids", some, (data) => data.length === 2);
  for (const file of sent) {
    await calls.expect("files.retrieveMetadata", () => client.files.retrieveMetadata(file.id), (found) => same(found, file));
    const refused = await calls.refused("files.download uploaded", () => client.files.download(file.id), 400);
    calls.check("its code", refused?.error?.error?.details?.error_code === "file_not_downloadable", refused?.error);
    const gone = (found) => found.id === file.id && found.type === "file_deleted";
    await calls.expect("files.delete", () => client.files.delete(file.id), gone);
    await calls.refused("files.retrieveMetadata deleted", () => client.files.retrieveMetadata(file.id), 404);
  }
  const content = async () => (await client.files.download(made)).text();
  await calls.expect("files.download", content, (text) => text === "1,2\n");
  const image = [
    { type: "image", source: { type: "file", file_id: named.id } },
    { type: "text", text: "look" },
  ];
  const asked = { messages: [{ role: "user", content: image }] };
  await calls.expect("messages.create with file", () => client.messages.create(say("", asked)));
}

export async function skills(calls, client, { toFile }) {
  calls.about("skills");
  const skills = client.skills;
  const files = async () => [
    await toFile(Buffer.from(MANIFEST), "haiku/SKILL.md"),
    await toFile(Buffer.from("more"), "haiku/more.txt"),
  ];
  const create = async (more) => skills.create({ files: await files(), ...more });
  const skill = await calls.expect("skills.create", () => create({ display_name: "Haiku" }), (s) => s.source.type === "custom");
  const plain = await calls.expect("skills.create plain", () => create(), (s) => s.display_name === "haiku");
  await calls.expect("skills.retrieve", () => skills.retrieve(skill.id), (found) => same(found, skill));
  const both = [plain.id, skill.id];
  await calls.expect("skills.list", async () => ids(await all(skills.list({ limit: 1 }))), (found) => same(found, both));
  await calls.expect("skills.list custom", () => all(skills.list({ source: "custom" })), (found) => found.length === 2);
  await calls.expect("skills.list anthropic", () => all(skills.list({ source: "anthropic" })), (found) => found.length === 0);
  const next = async () => skills.versions.create(skill.id, { files: await files() });
  const version = await calls.expect("versions.create", next, (made) => made.name === "haiku");
  await calls.expect("versions.list", () => all(skills.versions.list(skill.id)), (found) => found.length === 2);
  const place = { skill_id: skill.id };
  const retrieve = () => skills.versions.retrieve(version.id, place);
  await calls.expect("versions.retrieve", retrieve, (found) => same(found, version));
  const download = async () => (await client.beta.skills.versions.download(version.id, place)).arrayBuffer();
  const archive = (bytes) => Buffer.from(bytes).includes("haiku/SKILL.md");
  await calls.expect("versions.download", download, archive);
  const remove = () => skills.versions.delete(version.id, place);
  await calls.expect("versions.delete", remove, (gone) => gone.type === "skill_version_deleted");
  await calls.refused("versions.retrieve deleted", retrieve, 404);
  await calls.expect("skills.delete", () => skills.delete(skill.id), (gone) => gone.type === "skill_deleted");
  await calls.refused("skills.retrieve deleted", () => skills.retrieve(skill.id), 404);
  const bare = async () => skills.create({ files: [await toFile(Buffer.from("x"), "a/b.txt")] });
  await calls.refused("skills.create without manifest", bare, 400);
}

export async function profiles(calls, client) {
  calls.about("user profiles");
  const profiles = client.userProfiles;
  const details = { country: "DE", entity_type: "individual", reference_id: "crm-7" };
  const whole = { name: "Reader", external_user_details: details, metadata: { plan: "free" } };
  const made = await calls.expect("userProfiles.create", () => profiles.create(whole), (p) => same(p.metadata, { plan: "free" }));
  const passthrough = () => profiles.create({ access_type: "passthrough" });
  const through = await calls.expect("userProfiles.create passthrough", passthrough, (p) => p.access_type === "passthrough");
  await calls.expect("userProfiles.retrieve", () => profiles.retrieve(made.id), (found) => same(found, made));
  await calls.expect("userProfiles.update", () => profiles.update(made.id, { name: "Writer" }), (p) => p.name === "Writer");
  const oldest = async () => ids(await all(profiles.list({ limit: 1, order: "asc" })));
  await calls.expect("userProfiles.list", oldest, (found) => same(found, [made.id, through.id]));
  const banned = () => all(profiles.list({ enforcement_status: ["banned"] }));
  await calls.expect("userProfiles.list banned", banned, (found) => found.length === 0);
  const action = () => profiles.actionURLs.create(made.id, { action: { type: "enroll_end_user" } });
  await calls.expect("actionURLs.create", action, (link) => link.url.startsWith("http"));
  const enroll = () => client.beta.userProfiles.createEnrollmentURL(made.id);
  await calls.expect("createEnrollmentURL", enroll, (link) => link.type === "enrollment_url");
  await calls.expect("userProfiles.delete", () => profiles.delete(made.id), (gone) => gone.id === made.id);
  await calls.refused("userProfiles.retrieve deleted", () => profiles.retrieve(made.id), 404);
}
