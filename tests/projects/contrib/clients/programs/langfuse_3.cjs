// Langfuse's former package for JavaScript, `langfuse` 3, which programs still have.
const assert = require("node:assert/strict");
const { setTimeout: sleep } = require("node:timers/promises");
const { Langfuse } = require("langfuse");

const { ADDRESS, TOKEN } = process.env;
const NAME = "js3/support/refund";
const langfuse = new Langfuse({ publicKey: "any", secretKey: TOKEN, baseUrl: ADDRESS });

async function main() {
  const made = await langfuse.createPrompt({
    name: NAME, prompt: "Hello {{customer}}", labels: ["production"], config: { model: "m" },
  });
  assert.equal(made.version, 1);
  await langfuse.createPrompt({ name: NAME, prompt: "Hi {{customer}}", labels: ["staging"] });
  const found = await langfuse.getPrompt(NAME);
  assert.deepEqual([found.name, found.version, found.config], [NAME, 1, { model: "m" }]);
  assert.equal(found.compile({ customer: "Ana" }), "Hello Ana");
  assert.equal((await langfuse.getPrompt(NAME, undefined, { label: "staging" })).version, 2);
  assert.equal((await langfuse.getPrompt(NAME, 2)).prompt, "Hi {{customer}}");

  const other = new Langfuse({ publicKey: "any", secretKey: TOKEN, baseUrl: ADDRESS });
  await langfuse.getPrompt(NAME, undefined, { cacheTtlSeconds: 0 });
  await other.updatePrompt({ name: NAME, version: 2, newLabels: ["production"] });
  const began = Date.now();
  while ((await langfuse.getPrompt(NAME, undefined, { cacheTtlSeconds: 1 })).version !== 2) {
    assert.ok(Date.now() - began < 10_000);
    await sleep(50);
  }

  await langfuse.createPrompt({
    name: "js3/chat", type: "chat", labels: ["production"],
    prompt: [{ role: "system", content: "You help {{shop}}." }, { type: "placeholder", name: "history" }],
  });
  const chat = await langfuse.getPrompt("js3/chat", undefined, { type: "chat" });
  const history = [{ role: "user", content: "Hello" }];
  assert.deepEqual(chat.compile({ shop: "Foo" }, { history }).map(({ role, content }) => [role, content]), [
    ["system", "You help Foo."],
    ["user", "Hello"],
  ]);

  const fallback = await langfuse.getPrompt("js3/none", undefined, { fallback: "Hello", maxRetries: 0 });
  assert.deepEqual([fallback.isFallback, fallback.prompt], [true, "Hello"]);
  await assert.rejects(langfuse.getPrompt(NAME, undefined, { label: "nowhere", maxRetries: 0 }), /nowhere|404/);
}

main();
