// Decide by npm's pbac: the policy comes as the first line; each further line asks for a round, told as µs of CPU a call.
const { resolve } = require("node:path");
const { createInterface } = require("node:readline");
const PBAC = require(resolve(process.argv[2], "node_modules/pbac"));

const BUDGET = 50_000;
let decide;

const timed = () => {
  const begun = process.cpuUsage();
  let count = 0;
  let taken = 0;
  for (let size = 1; taken < BUDGET; size *= 2) {
    for (let done = 0; done < size; done++) decide();
    count += size;
    const { user, system } = process.cpuUsage(begun);
    taken = user + system;
  }
  return taken / count;
};

createInterface({ input: process.stdin }).on("line", (line) => {
  if (decide) return console.log(timed());
  const { policy, request } = JSON.parse(line);
  const pbac = new PBAC(policy);
  decide = () => pbac.evaluate(request);
  console.log(decide());
});
