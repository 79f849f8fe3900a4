// Langfuse's client for JavaScript: what a program does that uses it.
const assert = require("node:assert/strict");
const { setTimeout: sleep } = require("node:timers/promises");
const { LangfuseClient } = require("@langfuse/client");

const { ADDRESS, TOKEN } = process.env;
const NAME = "js/support/refund";
const langfuse = new LangfuseClient({ publicKey: "any", secretKey: TOKEN, baseUrl: ADDRESS });
const prompts = langfuse.prompt;

async function main() {
  // Texts, with config, labels, tags and a message.
  const made = await prompts.create({
    name: NAME, prompt: "Hello {{customer}}", labels: ["production"], tags: ["support"],
    config: { model: "m", temperature: 0.1 }, commitMessage: "first",
  });
  assert.deepEqual([made.version, made.type], [1, "text"]);
  const second = await prompts.create({ name: NAME, prompt: "Hi {{customer}}", labels: ["staging"] });
  assert.equal(second.version, 2);

  const found = await prompts.get(NAME);
  assert.deepEqual([found.name, found.version, found.config], [NAME, 1, { model: "m", temperature: 0.1 }]);
  assert.deepEqual([found.labels, found.tags, found.commitMessage], [["production"], ["support"], "first"]);
  assert.equal(found.compile({ customer: "Ana" }), "Hello Ana");
  assert.equal((await prompts.get(NAME, { label: "staging" })).prompt, "Hi {{customer}}");
  assert.equal((await prompts.get(NAME, { label: "latest" })).version, 2);
  assert.equal((await prompts.get(NAME, { version: 2 })).version, 2);

  // A move by somebody else is seen after the time for which the client keeps a prompt, and not before.
  const other = new LangfuseClient({ publicKey: "any", secretKey: TOKEN, baseUrl: ADDRESS });
  await prompts.get(NAME, { cacheTtlSeconds: 0 });
  await prompts.get(NAME, { label: "staging", cacheTtlSeconds: 600 });
  await other.prompt.update({ name: NAME, version: 1, newLabels: ["staging"] });
  await other.prompt.update({ name: NAME, version: 2, newLabels: ["production"] });
  assert.equal((await prompts.get(NAME, { label: "staging" })).version, 2);
  const began = Date.now();
  while ((await prompts.get(NAME, { cacheTtlSeconds: 1 })).version !== 2) {
    assert.ok(Date.now() - began < 10_000);
    await sleep(50);
  }
  // The client forgets a prompt whose labels it moves itself.
  const moved = await prompts.update({ name: NAME, version: 1, newLabels: ["production"] });
  assert.deepEqual(moved.labels, ["production", "staging"]);
  assert.equal((await prompts.get(NAME)).version, 1);
  assert.equal((await prompts.get(NAME, { label: "staging" })).version, 1);

  // Chats with placeholders.
  await prompts.create({
    name: "js/chat", type: "chat", labels: ["production"],
    prompt: [
      { role: "system", content: "You help {{shop}}." },
      { type: "placeholder", name: "history" },
      { role: "user", content: "user:\n{{question}}" },
    ],
  });
  const chat = await prompts.get("js/chat", { type: "chat" });
  const history = [{ role: "assistant", content: "Hello" }];
  assert.deepEqual(chat.compile({ shop: "Foo", question: "Why?" }, { history }), [
    { role: "system", content: "You help Foo." },
    { role: "assistant", content: "Hello" },
    { role: "user", content: "user:\nWhy?" },
  ]);

  // Lists.
  const listed = await langfuse.api.prompts.list({ name: NAME });
  assert.deepEqual(listed.data[0].versions, [1, 2]);

  // What there isn't: an error of the client's own, or the fallback.
  const once = { maxRetries: 0 };
  await assert.rejects(prompts.get(NAME, { label: "nowhere", ...once }), { statusCode: 404 });
  const fallback = await prompts.get("js/none", { fallback: "Hello {{x}}", ...once });
  assert.deepEqual([fallback.isFallback, fallback.compile({ x: "y" })], [true, "Hello y"]);
  await assert.rejects(prompts.delete(NAME, { version: 1 }), { statusCode: 400 });
  await assert.rejects(prompts.update({ name: NAME, version: 1, newLabels: ["latest"] }), { statusCode: 400 });
  const wrong = new LangfuseClient({ publicKey: "any", secretKey: "wrong", baseUrl: ADDRESS });
  await assert.rejects(wrong.prompt.get(NAME, once), { statusCode: 401 });

  await prompts.delete(NAME);
  await assert.rejects(prompts.get(NAME, once), { statusCode: 404 });
}

main();
