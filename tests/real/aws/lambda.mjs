// AWS's own client for Node, unmodified: what it is told on stdin it asks, and says on stdout what came of it.
import { readFileSync } from "node:fs";
import {
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  LambdaClient,
  paginateListFunctions,
} from "@aws-sdk/client-lambda";

const wanted = JSON.parse(readFileSync(0, "utf8"));
const client = new LambdaClient({ maxAttempts: 1 });
const text = (bytes) => Buffer.from(bytes ?? []).toString("utf8");

async function invoke(input) {
  const answer = await client.send(new InvokeCommand(input));
  return {
    status: answer.StatusCode,
    error: answer.FunctionError,
    version: answer.ExecutedVersion,
    log: answer.LogResult,
    payload: text(answer.Payload),
  };
}

async function stream(input) {
  const answer = await client.send(new InvokeWithResponseStreamCommand(input));
  let payload = "";
  let complete;
  for await (const event of answer.EventStream) {
    if (event.PayloadChunk) payload += text(event.PayloadChunk.Payload);
    if (event.InvokeComplete) complete = event.InvokeComplete;
  }
  return { payload, complete };
}

async function list() {
  const names = [];
  for await (const page of paginateListFunctions({ client, pageSize: 2 }, {})) {
    names.push(...page.Functions.map((one) => one.FunctionName));
  }
  return names;
}

const does = { invoke, stream, list };
const told = [];
for (const { what, input } of wanted) {
  try {
    told.push(await does[what](input));
  } catch (error) {
    told.push({ name: error.name, message: error.message, status: error.$metadata?.httpStatusCode });
  }
}
process.stdout.write(JSON.stringify(told));
