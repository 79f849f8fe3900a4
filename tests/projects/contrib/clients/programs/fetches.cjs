// Langfuse's client for JavaScript fetches a prompt and says its text.
const { LangfuseClient } = require("@langfuse/client");

const { ADDRESS, TOKEN, NAME } = process.env;
const langfuse = new LangfuseClient({ publicKey: "any", secretKey: TOKEN, baseUrl: ADDRESS });
langfuse.prompt.get(NAME, { maxRetries: 0 }).then((prompt) => console.log(prompt.prompt));
