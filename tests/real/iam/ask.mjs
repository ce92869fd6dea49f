// Answer questions, one JSON object a line, by the evaluator installed in the folder that is named: one word a line.
import { createInterface } from "node:readline";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const home = resolve(process.argv[2], "node_modules/@cloud-copilot");
const part = (path) => import(pathToFileURL(join(home, path)));
const engine = "iam-simulate/dist/esm";
const { loadPolicy } = await part("iam-policy/dist/esm/index.js");
const { authorize } = await part(`${engine}/core_engine/CoreSimulatorEngine.js`);
const { AwsRequestImpl } = await part(`${engine}/request/request.js`);
const { RequestContextImpl } = await part(`${engine}/requestContext.js`);
const { DiscoveryContextKeyConstraints } = await part(`${engine}/context_keys/discoveryContextKeyConstraints.js`);
const { anonymousPrincipal } = await part(`${engine}/index.js`);

const named = (document, place) => loadPolicy(document, { name: `p${place}` });
const levels = (given) => given.map((one, place) => ({ orgIdentifier: `o${place}`, policies: one.map(named) }));
const plainly = { simulationMode: "Strict", discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]) };

const answer = (asked) =>
  authorize({
    request: new AwsRequestImpl(
      asked.principal === "*" ? anonymousPrincipal : asked.principal,
      { resource: asked.resource, accountId: asked.account },
      asked.action,
      new RequestContextImpl(asked.context),
    ),
    identityPolicies: asked.identity.map(named),
    resourcePolicy: asked.policies?.map(named)[0],
    permissionBoundaries: asked.boundary?.map(named),
    sessionPolicy: asked.session?.map(named)[0],
    vpcEndpointPolicies: asked.endpoint?.map(named),
    serviceControlPolicies: levels(asked.scps),
    resourceControlPolicies: levels(asked.rcps),
    simulationParameters: plainly,
    serviceSettings: { s3: {} },
  }).result;

for await (const line of createInterface({ input: process.stdin })) {
  const said = answer(JSON.parse(line));
  console.log(typeof said === "string" ? said : said.result);
}
