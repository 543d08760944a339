// The walk through jsforce's documentation, against the stand-in whose address and token are in the environment.
// Prints what it was answered, as JSON.
import { createRequire } from "node:module";

const jsforce = createRequire(process.env.JSFORCE_FROM)("jsforce");
const conn = new jsforce.Connection({
  instanceUrl: process.env.SF_URL,
  accessToken: process.env.SF_TOKEN,
  version: "65.0",
});
const told = {};

const identity = await conn.identity();
told.identity = [identity.username, identity.organization_id.length];

const query = await conn.query("SELECT Id, Name, Account.Name FROM Contact WHERE CreatedDate = LAST_N_DAYS:90");
told.query = [query.totalSize, query.done, query.records[0].Account.Name];

const found = await conn
  .sobject("Contact")
  .find({ LastName: { $like: "Last%" }, CreatedDate: { $gte: jsforce.Date.YESTERDAY } }, ["Id", "LastName"])
  .limit(5);
told.find = found.length;

const made = await conn.sobject("Contact").create({ LastName: "Script", Email: "script@example.com" });
told.create = made.success;
told.retrieve = (await conn.sobject("Contact").retrieve(made.id)).LastName;
told.update = (await conn.sobject("Contact").update({ Id: made.id, LastName: "Scripted" })).success;
const many = await conn.sobject("Contact").create([{ LastName: "One" }, { LastName: "Two" }]);
told.createMany = many.map((each) => each.success);
told.destroy = (await conn.sobject("Contact").destroy(made.id)).success;

const upserted = await conn.sobject("Contact").upsert({ Customer_No__c: "77", LastName: "Upserted" }, "Customer_No__c");
told.upsert = upserted.success;

const search = await conn.search("FIND {Last*} IN ALL FIELDS RETURNING Contact(Id, LastName), Lead(Id)");
told.search = search.searchRecords.length;

told.describe = (await conn.sobject("Contact").describe()).fields.length > 10;
told.describeGlobal = (await conn.describeGlobal()).sobjects.length > 3;
told.layouts = (await conn.sobject("Contact").layouts()).recordTypeMappings.length;
told.limits = conn.limitInfo.apiUsage.limit;

const stream = await conn.bulk2.query("SELECT Id, LastName FROM Contact", { pollInterval: 50, pollTimeout: 10000 });
told.bulkQuery = (await stream.toArray()).length;
const loaded = await conn.bulk2.loadAndWaitForResults({
  object: "Contact",
  operation: "insert",
  input: [{ LastName: "Bulk one" }, { LastName: "Bulk two" }],
  pollInterval: 50,
  pollTimeout: 10000,
});
told.bulkInsert = loaded.successfulResults.length;

console.log(JSON.stringify(told));
